/* SPDX-License-Identifier: Apache-2.0 */

/* The search through the stripes, and sweeps. See idle_stack.h. */
#include "idle_stack.h"

#include "processors.h"
#include "type_stable_table.h"

#define BP_MAX_STRIPES 1024

static uint32_t bp__default_stripes(void) {
    uint32_t processors = bp__processors();
    return processors < 2 ? 4 : (processors > BP_MAX_STRIPES / 2 ? BP_MAX_STRIPES / 2 : processors) * 2;
}

bool bp__idle_stack_create(bp_idle_stack *idle, uint32_t stripes) {
    uint32_t wanted = stripes == 0 ? bp__default_stripes() : stripes;
    uint32_t count = 1;
    while (count < wanted && count < BP_MAX_STRIPES) {
        count *= 2;
    }
    idle->mask = count - 1;
    idle->stripes = bp__allocate_zeroed(bp__idle_stack_memory(idle), _Alignof(bp_stripe));
    return idle->stripes != NULL;
}

size_t bp__idle_stack_memory(const bp_idle_stack *idle) {
    return ((size_t)idle->mask + 2) * sizeof(bp_stripe);
}

void bp__idle_stack_destroy(bp_idle_stack *idle) {
    bp__deallocate(idle->stripes);
}

/* The stack entry is the slot's first member. */
static bp_slot *bp__idle_pop(bp_stack *stack) {
    return (bp_slot *)bp__stack_pop(stack);
}

/* Returns the stripe after the last one: see bp_idle_stack. */
static bp_stripe *bp__idle_swept(bp_idle_stack *idle) {
    return &idle->stripes[idle->mask + 1];
}

/*
 * Takes a slot from the stacks of the stripes, beginning with this home stripe. Here and in bp__idle_take_elsewhere,
 * the search reads *idle once, because *idle shares a cache line with the number of waiters, which other CPUs may write
 * at any step of the search.
 */
static bp_slot *bp__idle_take_from_stacks(const bp_idle_stack *idle, uint32_t home) {
    bp_stripe *const stripes = idle->stripes;
    const uint32_t mask = idle->mask;
    for (uint32_t step = 0; step <= mask; step++) {
        bp_slot *slot = bp__idle_pop(&stripes[(home + step) & mask].stack);
        if (slot != NULL) {
            return slot;
        }
    }
    return NULL;
}

/*
 * Takes the slot in the cell of a stripe, or returns NULL.
 *
 * Acquire: pairs with the exchange by which another thread has emptied the cell. A thread that finds the cell empty
 * also sees every slot that the other thread has put in before: see bp__idle_take_thoroughly. The exchange pairs with
 * the exchange in bp__idle_put.
 */
static bp_slot *bp__idle_take_from_cell(bp_stripe *stripe) {
    return bp__load(&stripe->cell) == 0 ? NULL : (bp_slot *)(uintptr_t)bp__exchange(&stripe->cell, 0);
}

bp_slot *bp__idle_take_elsewhere(bp_idle_stack *idle, uint32_t home) {
    bp_stripe *const stripes = idle->stripes;
    const uint32_t mask = idle->mask;
    bp_slot *slot = bp__idle_take_from_stacks(idle, home);
    if (slot == NULL) {
        slot = bp__idle_pop(&bp__idle_swept(idle)->stack);
    }
    /* Includes the home cell, which bp__idle_take has read with a relaxed load. */
    for (uint32_t step = 1; slot == NULL && step <= mask + 1; step++) {
        slot = bp__idle_take_from_cell(&stripes[(home + step) & mask]);
    }
    return slot;
}

bp_slot *bp__idle_take_thoroughly(bp_idle_stack *idle) {
    bp_slot *slot = bp__idle_take(idle);
    return slot != NULL ? slot : bp__idle_take_elsewhere(idle, bp__idle_home(idle));
}

bp_slot *bp__idle_sweep_next(bp_idle_stack *idle) {
    bp_atomic64 *cells_swept = &bp__idle_swept(idle)->cell;
    /* Relaxed, and the addition orders nothing: if two sweeps run at the same time, they share the cells. */
    while (bp__load_relaxed(cells_swept) <= idle->mask) {
        uint64_t index = bp__add(cells_swept, 1);
        bp_slot *slot = index <= idle->mask ? bp__idle_take_from_cell(&idle->stripes[index]) : NULL;
        if (slot != NULL) {
            return slot;
        }
    }
    return bp__idle_take_from_stacks(idle, bp__idle_home(idle));
}

void bp__idle_sweep_keep(bp_idle_stack *idle, bp_slot *slot) {
    bp__stack_push(&bp__idle_swept(idle)->stack, &slot->entry);
}

bool bp__idle_sweep_end(bp_idle_stack *idle) {
    bp_stripe *swept = bp__idle_swept(idle);
    /* Relaxed, as the load in bp__idle_sweep_next: the next sweep begins with the first cell again. */
    bp__store_relaxed(&swept->cell, 0);
    bp_slot *slot = bp__idle_pop(&swept->stack);
    if (slot == NULL) {
        return false;
    }
    bp__stack_push(&idle->stripes[bp__idle_home(idle)].stack, &slot->entry);
    return true;
}
