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
    idle->stripes = bp_allocate_zeroed(count * sizeof(bp_stripe), _Alignof(bp_stripe));
    idle->mask = count - 1;
    return idle->stripes != NULL;
}

void bp_idle_stack_destroy(bp_idle_stack *idle) {
    bp_deallocate(idle->stripes);
}

bp_slot *bp_idle_take_elsewhere(bp_idle_stack *idle, uint32_t home) {
    for (uint32_t step = 0; step <= idle->mask; step++) {
        bp_stripe *stripe = &idle->stripes[(home + step) & idle->mask];
        bp_stack_entry *entry = bp_stack_pop(&stripe->stack);
        if (entry != NULL) {
            return (bp_slot *)entry; /* The entry is the slot's first member. */
        }
    }
    /*
     * The home cell once more, at the end. Acquire: whoever finds a cell emptied by another thread then also sees what
     * that thread had set free before, such as a place, and does not leave that to it.
     */
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
