/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Treiber's stack on single 64-bit cells, for the backends that have no double-width compare-and-swap.
 *
 * The top is an address and a tag in one word. Addresses in user space have up to 48 bits (47 on x86-64, 48 on Linux on
 * aarch64) and entries are aligned to 64 bytes, so the address takes 42 bits and 22 are left for the tag. This is
 * enough for tests and not for production, where Concurrency Kit's stack has a 64-bit generation.
 *
 * R. K. Treiber, Systems Programming: Coping with Parallelism, IBM RJ 5118, 1986.
 */
#ifndef BP_TAGGED_STACK_H
#define BP_TAGGED_STACK_H

#define BP_TAGGED_STACK_ADDRESS_BITS 42

typedef struct {
    bp_atomic64 top;
} bp_stack;

typedef struct {
    bp_atomic64 next;
} bp_stack_entry;

static inline uint64_t bp__entry_word(const bp_stack_entry *entry) {
    return bp__load_relaxed(&entry->next);
}

static inline void bp__entry_set_word(bp_stack_entry *entry, uint64_t word) {
    bp__store_relaxed(&entry->next, word);
}

static inline bp_stack_entry *bp__tagged_stack_entry(uint64_t top) {
    return (bp_stack_entry *)(uintptr_t)((top & ((UINT64_C(1) << BP_TAGGED_STACK_ADDRESS_BITS) - 1)) << 6);
}

static inline uint64_t bp__tagged_stack_top(const bp_stack_entry *entry, uint64_t before) {
    uint64_t tag = (before >> BP_TAGGED_STACK_ADDRESS_BITS) + 1;
    return ((uint64_t)(uintptr_t)entry >> 6) | (tag << BP_TAGGED_STACK_ADDRESS_BITS);
}

static inline void bp__stack_push(bp_stack *stack, bp_stack_entry *entry) {
    /* Relaxed: this thread does not read the entry at the top. */
    uint64_t top = bp__load_relaxed(&stack->top);
    do {
        /* The compare-and-swap below publishes the entry and this link: pairs with the loads of the top in the pop. */
        bp__store_relaxed(&entry->next, (uint64_t)(uintptr_t)bp__tagged_stack_entry(top));
    } while (!bp__cas(&stack->top, &top, bp__tagged_stack_top(entry, top)));
}

static inline bool bp__stack_is_empty(bp_stack *stack) {
    return bp__tagged_stack_entry(bp__load_relaxed(&stack->top)) == NULL;
}

static inline bp_stack_entry *bp__stack_pop(bp_stack *stack) {
    /* Acquire, here and where the compare-and-swap fails: pairs with the compare-and-swap in bp__stack_push. */
    uint64_t top = bp__load(&stack->top);
    for (;;) {
        bp_stack_entry *entry = bp__tagged_stack_entry(top);
        if (entry == NULL) {
            return NULL;
        }
        /* Relaxed: if another thread has taken the entry meanwhile, the tag of the top has changed. */
        bp_stack_entry *next = (bp_stack_entry *)(uintptr_t)bp__load_relaxed(&entry->next);
        if (bp__cas(&stack->top, &top, bp__tagged_stack_top(next, top))) {
            return entry;
        }
    }
}

#endif
