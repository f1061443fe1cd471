/* SPDX-License-Identifier: Apache-2.0 */

#include "allocation_counter.h"

#if defined(__linux__)
#include <features.h>
#endif

#if defined(__GLIBC__)

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

/*
 * A program's own malloc takes the place of glibc's, for the libraries it loads as well. glibc has its own under these
 * names too, so that nothing has to be looked up, which would allocate.
 */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_uint_fast64_t of_all_threads;

static void count(void) {
    atomic_fetch_add_explicit(&of_all_threads, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    count();
    void *made = __libc_memalign(alignment, size);
    if (made == NULL) {
        return ENOMEM;
    }
    *block = made;
    return 0;
}

bool allocation_counter_works(void) {
    return true;
}

uint64_t allocation_count_of_all_threads(void) {
    return atomic_load(&of_all_threads);
}

#else

bool allocation_counter_works(void) {
    return false;
}

uint64_t allocation_count_of_all_threads(void) {
    return 0;
}

#endif
