/* SPDX-License-Identifier: Apache-2.0 */

/* Atomics on C11 <stdatomic.h>: for sanitizers, which understand these and not Concurrency Kit's inline assembly.
 * The contract is in atomics.h. */
#ifndef BP_ATOMICS_C11_H
#define BP_ATOMICS_C11_H

#include <stdatomic.h>

#if defined(__SANITIZE_THREAD__)
#define BP_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BP_THREAD_SANITIZER
#endif
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define BP_OTHER_SANITIZER
#endif
#endif

/*
 * The stack of this backend must not get into production unnoticed. Tests that use it without a sanitizer define
 * BP_TAGGED_STACK_FOR_TESTS.
 */
#if !defined(BP_THREAD_SANITIZER) && !defined(BP_OTHER_SANITIZER) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(BP_TAGGED_STACK_FOR_TESTS)
#warning "BP_ATOMICS_C11 without a sanitizer: its stack is for tests only (see tagged_stack.h)"
#endif

typedef struct {
    _Atomic(uint64_t) value;
} bp_atomic64;

static inline uint64_t bp__load_relaxed(const bp_atomic64 *cell) {
    return atomic_load_explicit(&((bp_atomic64 *)cell)->value, memory_order_relaxed);
}

static inline uint64_t bp__load(const bp_atomic64 *cell) {
    return atomic_load_explicit(&((bp_atomic64 *)cell)->value, memory_order_acquire);
}

static inline void bp__store_relaxed(bp_atomic64 *cell, uint64_t value) {
    atomic_store_explicit(&cell->value, value, memory_order_relaxed);
}

static inline void bp__store(bp_atomic64 *cell, uint64_t value) {
    atomic_store_explicit(&cell->value, value, memory_order_release);
}

/*
 * In C11's model a sequentially consistent read-modify-write is not a barrier for the relaxed accesses around it. The
 * operation and the fence after it are a full barrier together. ThreadSanitizer does not model fences, but sees the
 * order of the operation itself.
 */
static inline void bp__full_fence_beside_rmw(void) {
#ifndef BP_THREAD_SANITIZER
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline bool bp__cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    bool swapped = atomic_compare_exchange_strong_explicit(&cell->value, expected, desired, memory_order_seq_cst,
                                                           memory_order_seq_cst);
    bp__full_fence_beside_rmw();
    return swapped;
}

static inline uint64_t bp__exchange(bp_atomic64 *cell, uint64_t value) {
    uint64_t before = atomic_exchange_explicit(&cell->value, value, memory_order_seq_cst);
    bp__full_fence_beside_rmw();
    return before;
}

static inline uint64_t bp__add(bp_atomic64 *cell, uint64_t delta) {
    uint64_t before = atomic_fetch_add_explicit(&cell->value, delta, memory_order_seq_cst);
    bp__full_fence_beside_rmw();
    return before;
}

#include "tagged_stack.h"

#endif
