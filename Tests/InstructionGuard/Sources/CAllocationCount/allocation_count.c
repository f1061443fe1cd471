/* SPDX-License-Identifier: Apache-2.0 */

#include "allocation_count.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_bool is_counting;
static atomic_uint_fast64_t count;

void allocation_count_start(void) {
    atomic_store(&count, 0);
    atomic_store(&is_counting, true);
}

uint64_t allocation_count_stop(void) {
    atomic_store(&is_counting, false);
    return atomic_load(&count);
}

#ifdef __GLIBC__

#include <errno.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t members, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

bool allocation_count_is_available(void) {
    return true;
}

static inline void allocation(void) {
    if (__builtin_expect(atomic_load_explicit(&is_counting, memory_order_relaxed), 0)) {
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    allocation();
    return __libc_malloc(size);
}

void *calloc(size_t members, size_t size) {
    allocation();
    return __libc_calloc(members, size);
}

void *realloc(void *memory, size_t size) {
    allocation();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    allocation();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *found = memalign(alignment, size);
    if (found == NULL) {
        return ENOMEM;
    }
    *memory = found;
    return 0;
}

#else

bool allocation_count_is_available(void) {
    return false;
}

#endif
