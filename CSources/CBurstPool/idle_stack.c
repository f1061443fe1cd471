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

static bp_stack *bp_idle_swept(bp_idle_stack *idle) {
    return &idle->stripes[idle->mask + 1].stack;
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
 * The home cell at the end. Acquire: whoever finds a cell emptied by another thread then also sees what that thread had
 * set free before, such as a place, and does not leave that to it.
 */
static bp_slot *bp_idle_take_from_cells(bp_idle_stack *idle, uint32_t home) {
    for (uint32_t step = 1; step <= idle->mask + 1; step++) {
        bp_stripe *stripe = &idle->stripes[(home + step) & idle->mask];
        if (bp_load(&stripe->cell) != 0) {
            uint64_t taken = bp_exchange(&stripe->cell, 0);
            if (taken != 0) {
                return (bp_slot *)(uintptr_t)taken;
            }
        }
    }
    return NULL;
}

bp_slot *bp_idle_take_elsewhere(bp_idle_stack *idle, uint32_t home) {
    bp_slot *slot = bp_idle_take_from_stacks(idle, home);
    if (slot == NULL) {
        slot = bp_idle_take_swept(idle);
    }
    return slot != NULL ? slot : bp_idle_take_from_cells(idle, home);
}

bp_slot *bp_idle_take_unswept(bp_idle_stack *idle) {
    uint32_t home = bp_idle_home(idle);
    bp_slot *slot = bp_idle_take_from_stacks(idle, home);
    return slot != NULL ? slot : bp_idle_take_from_cells(idle, home);
}

void bp_idle_put_swept(bp_idle_stack *idle, bp_slot *slot) {
    bp_stack_push(bp_idle_swept(idle), &slot->entry);
}

bp_slot *bp_idle_take_swept(bp_idle_stack *idle) {
    return bp_idle_pop(bp_idle_swept(idle));
}
