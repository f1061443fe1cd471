/* SPDX-License-Identifier: Apache-2.0 */

#include "bare_stack.h"

#include <ck_stack.h>
#include <stdlib.h>

struct bare_stack_entry {
    _Alignas(64) ck_stack_entry_t entry;
};

struct bare_stack {
    _Alignas(128) ck_stack_t top;
    _Alignas(128) bare_stack_entry entries[];
};

bare_stack *bare_stack_create(uint32_t entries) {
    bare_stack *stack = aligned_alloc(128, sizeof(bare_stack) + ((size_t)entries + 1) / 2 * 128);
    if (stack == NULL) {
        return NULL;
    }
    ck_stack_init(&stack->top);
    for (uint32_t index = 0; index < entries; index++) {
        ck_stack_push_mpmc(&stack->top, &stack->entries[index].entry);
    }
    return stack;
}

void bare_stack_destroy(bare_stack *stack) {
    free(stack);
}

__attribute__((noinline)) bare_stack_entry *bare_stack_pop(bare_stack *stack) {
    return (bare_stack_entry *)ck_stack_pop_mpmc(&stack->top);
}

__attribute__((noinline)) void bare_stack_push(bare_stack *stack, bare_stack_entry *entry) {
    ck_stack_push_mpmc(&stack->top, &entry->entry);
}

void bare_stack_loop(bare_stack *stack, uint64_t times) {
    for (uint64_t index = 0; index < times; index++) {
        ck_stack_entry_t *entry = ck_stack_pop_mpmc(&stack->top);
        ck_stack_push_mpmc(&stack->top, entry);
    }
}
