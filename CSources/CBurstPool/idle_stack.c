#ifdef __linux__
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include "idle_stack.h"

#include "type_stable_table.h"

#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

#define BP_MAX_STRIPES 1024

/* How many CPUs this process may run on. */
static long bp_processors(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return CPU_COUNT(&set);
    }
#endif
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static uint32_t bp_default_stripes(void) {
    long processors = bp_processors();
    return processors < 2 ? 4 : (uint32_t)(processors > BP_MAX_STRIPES / 2 ? BP_MAX_STRIPES / 2 : processors) * 2;
}

bool bp_idle_stack_create(bp_idle_stack *idle, uint32_t stripes) {
    uint32_t wanted = stripes == 0 ? bp_default_stripes() : stripes;
    uint32_t count = 1;
    while (count < wanted && count < BP_MAX_STRIPES) {
        count *= 2;
    }
    idle->mask = count - 1;
    idle->stripes = bp_allocate_zeroed(bp_idle_stack_memory(idle), _Alignof(bp_stripe));
    return idle->stripes != NULL;
}

size_t bp_idle_stack_memory(const bp_idle_stack *idle) {
    return ((size_t)idle->mask + 2) * sizeof(bp_stripe);
}

void bp_idle_stack_destroy(bp_idle_stack *idle) {
    bp_deallocate(idle->stripes);
}

/* The entry is the slot's first member. */
static bp_slot *bp_idle_pop(bp_stack *stack) {
    return (bp_slot *)bp_stack_pop(stack);
}

/* The stripe behind the last. */
static bp_stripe *bp_idle_swept(bp_idle_stack *idle) {
    return &idle->stripes[idle->mask + 1];
}

static bp_slot *bp_idle_take_from_stacks(bp_idle_stack *idle, uint32_t home) {
    for (uint32_t step = 0; step <= idle->mask; step++) {
        bp_slot *slot = bp_idle_pop(&idle->stripes[(home + step) & idle->mask].stack);
        if (slot != NULL) {
            return slot;
        }
    }
    return NULL;
}

/*
 * Acquire: whoever finds a cell emptied by another thread then also sees what that thread had set free before, such as
 * a place, and does not leave that to it.
 */
static bp_slot *bp_idle_take_from_cell(bp_stripe *stripe) {
    return bp_load(&stripe->cell) == 0 ? NULL : (bp_slot *)(uintptr_t)bp_exchange(&stripe->cell, 0);
}

bp_slot *bp_idle_take_elsewhere(bp_idle_stack *idle, uint32_t home) {
    bp_slot *slot = bp_idle_take_from_stacks(idle, home);
    if (slot == NULL) {
        slot = bp_idle_pop(&bp_idle_swept(idle)->stack);
    }
    /* The home cell as well, which was read without order before. */
    for (uint32_t step = 1; slot == NULL && step <= idle->mask + 1; step++) {
        slot = bp_idle_take_from_cell(&idle->stripes[(home + step) & idle->mask]);
    }
    return slot;
}

bp_slot *bp_idle_take_thoroughly(bp_idle_stack *idle) {
    bp_slot *slot = bp_idle_take(idle);
    return slot != NULL ? slot : bp_idle_take_elsewhere(idle, bp_idle_home(idle));
}

bp_slot *bp_idle_take_unswept(bp_idle_stack *idle) {
    bp_atomic64 *cells_swept = &bp_idle_swept(idle)->cell;
    /* Without order: a second sweeper, or one that was stopped, makes this sweep look at less or more, and no harm. */
    while (bp_load_relaxed(cells_swept) <= idle->mask) {
        uint64_t index = bp_add(cells_swept, 1);
        bp_slot *slot = index <= idle->mask ? bp_idle_take_from_cell(&idle->stripes[index]) : NULL;
        if (slot != NULL) {
            return slot;
        }
    }
    return bp_idle_take_from_stacks(idle, bp_idle_home(idle));
}

void bp_idle_put_swept(bp_idle_stack *idle, bp_slot *slot) {
    bp_stack_push(&bp_idle_swept(idle)->stack, &slot->entry);
}

bool bp_idle_return_swept(bp_idle_stack *idle) {
    bp_stripe *swept = bp_idle_swept(idle);
    bp_store_relaxed(&swept->cell, 0);
    bp_slot *slot = bp_idle_pop(&swept->stack);
    if (slot == NULL) {
        return false;
    }
    bp_stack_push(&idle->stripes[bp_idle_home(idle)].stack, &slot->entry);
    return true;
}
