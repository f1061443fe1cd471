/* SPDX-License-Identifier: Apache-2.0 */

/* Atomics on Concurrency Kit: the backend for production. The contract is in atomics.h. */
#ifndef BP_ATOMICS_CK_H
#define BP_ATOMICS_CK_H

#if !__has_include(<ck_pr.h>) || !__has_include(<ck_stack.h>)
#error "Concurrency Kit is missing. Debian and Ubuntu: apt-get install libck-dev. macOS: brew install concurrencykit."
#endif

#include <ck_pr.h>
#include <ck_stack.h>

#ifndef CK_F_STACK_POP_MPMC
#error "This CPU has no double-width compare-and-swap in Concurrency Kit; BurstPool needs one (x86-64 or aarch64)."
#endif

#if defined(CK_MD_TSO) && !defined(__x86_64__)
#error "This ck_md.h is for another CPU, and its fences would be empty. Install Concurrency Kit for the target."
#endif

typedef struct {
    uint64_t value;
} bp_atomic64;

/*
 * The read-modify-writes of Concurrency Kit are relaxed on weakly ordered CPUs, so they need fences. On a TSO CPU they
 * are full barriers by themselves, and a fence of Concurrency Kit would add an mfence for nothing.
 */
CK_CC_INLINE static void bp__full_fence_beside_rmw(void) {
#ifdef CK_MD_TSO
    ck_pr_barrier();
#else
    ck_pr_fence_memory();
#endif
}

CK_CC_INLINE static uint64_t bp__load_relaxed(const bp_atomic64 *cell) {
    return ck_pr_load_64(&cell->value);
}

CK_CC_INLINE static uint64_t bp__load(const bp_atomic64 *cell) {
    uint64_t value = ck_pr_load_64(&cell->value);
    ck_pr_fence_acquire();
    return value;
}

CK_CC_INLINE static void bp__store_relaxed(bp_atomic64 *cell, uint64_t value) {
    ck_pr_store_64(&cell->value, value);
}

CK_CC_INLINE static void bp__store(bp_atomic64 *cell, uint64_t value) {
    ck_pr_fence_release();
    ck_pr_store_64(&cell->value, value);
}

CK_CC_INLINE static bool bp__cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    bp__full_fence_beside_rmw();
    bool swapped = ck_pr_cas_64_value(&cell->value, *expected, desired, expected);
    bp__full_fence_beside_rmw();
    return swapped;
}

CK_CC_INLINE static uint64_t bp__exchange(bp_atomic64 *cell, uint64_t value) {
    bp__full_fence_beside_rmw();
    uint64_t before = ck_pr_fas_64(&cell->value, value);
    bp__full_fence_beside_rmw();
    return before;
}

CK_CC_INLINE static uint64_t bp__add(bp_atomic64 *cell, uint64_t delta) {
    bp__full_fence_beside_rmw();
    uint64_t before = ck_pr_faa_64(&cell->value, delta);
    bp__full_fence_beside_rmw();
    return before;
}

/* cmpxchg16b faults on an address that is not a multiple of 16, and ck_stack_t does not ask for one. */
typedef struct {
    _Alignas(16) ck_stack_t top;
} bp_stack;

typedef ck_stack_entry_t bp_stack_entry;

CK_CC_INLINE static uint64_t bp__entry_word(const bp_stack_entry *entry) {
    return (uint64_t)(uintptr_t)ck_pr_load_ptr(&entry->next);
}

CK_CC_INLINE static void bp__entry_set_word(bp_stack_entry *entry, uint64_t word) {
    ck_pr_store_ptr(&entry->next, (void *)(uintptr_t)word);
}

/*
 * One compare-and-swap on the top, which does not change the generation. Safe beside bp__stack_pop, whose double-width
 * compare-and-swap checks and raises the generation.
 */
CK_CC_INLINE static void bp__stack_push(bp_stack *stack, bp_stack_entry *entry) {
    bp__full_fence_beside_rmw();
    ck_stack_push_mpmc(&stack->top, entry);
    bp__full_fence_beside_rmw();
}

CK_CC_INLINE static bool bp__stack_is_empty(bp_stack *stack) {
    return ck_pr_load_ptr(&stack->top.head) == NULL;
}

/*
 * ck_stack_pop_mpmc goes on with the two words that its failed compare-and-swap has returned. On aarch64 before LSE2
 * these two words can be from different moments. If the top is older than the generation, the next attempt succeeds
 * once that old top has been pushed again. It then makes the old successor of that entry the top, although another
 * thread may own the successor by then. So here each attempt starts again by reading the generation and then the top.
 */
CK_CC_INLINE static bp_stack_entry *bp__stack_pop(bp_stack *stack) {
    bp_stack_entry *entry = NULL;
    while (!bp__stack_is_empty(stack)) {
        bp__full_fence_beside_rmw();
        bool popped = ck_stack_trypop_mpmc(&stack->top, &entry);
        bp__full_fence_beside_rmw();
        if (popped) {
            return entry;
        }
    }
    ck_pr_fence_acquire();
    return NULL;
}

#endif
