/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The idle connections: last in, first out, in stripes.
 *
 * One shared stack would move the cache line of its top from CPU to CPU. So there are more stripes than CPUs, and each
 * CPU (or each thread: see home_number.h) has a home stripe. A stripe is a cell for one slot, with a stack behind it.
 * To put a slot in, a thread exchanges it with the content of the home cell, and pushes what was in the cell onto the
 * stack. To take a slot, a thread exchanges the content of the home cell with 0. So a thread that acquires and
 * releases touches its home cell only, and no cache line that another CPU writes. If the home cell is empty, the thread
 * searches the stacks of all stripes and then their cells. The cells come last, because the slot in a cell is the one
 * that the threads of that CPU use.
 *
 * One more stack holds the slots that a sweep has looked at. This lets the sweep reach the slots at the bottom of the
 * stacks while it holds one slot at a time. A thread that finds the stacks of all stripes empty searches this stack
 * before it searches the cells.
 *
 * All operations are lock-free. A thread that is stopped inside one of them withholds the one slot that it holds.
 */
#ifndef BP_IDLE_STACK_H
#define BP_IDLE_STACK_H

#include "slot.h"

#ifndef BP_HOME_NUMBER
#include "home_number.h"
#define BP_HOME_NUMBER() bp__home_number()
#endif

typedef struct {
    _Alignas(128) bp_atomic64 cell; /* A slot's address, or 0. */
    bp_stack stack;
} bp_stripe;

typedef struct {
    bp_stripe *stripes; /* One more than there are stripes: its stack has the slots that a sweep has set aside, and its
                           cell counts the cells that the sweep has looked at. */
    uint32_t mask;      /* The number of stripes, which is a power of two, minus 1. */
} bp_idle_stack;

/*
 * stripes: their number, rounded up to a power of two; 0 for twice the number that bp__processors returns. Returns
 * false if no memory is left.
 */
bool bp__idle_stack_create(bp_idle_stack *idle, uint32_t stripes);
void bp__idle_stack_destroy(bp_idle_stack *idle);

/* Returns the number of bytes that the idle stack has allocated. */
size_t bp__idle_stack_memory(const bp_idle_stack *idle);

/* The part of bp__idle_take after the home cell: searches all stripes, and at last the home cell again. */
bp_slot *bp__idle_take_elsewhere(bp_idle_stack *idle, uint32_t home);

/*
 * Takes a slot, or returns NULL when two searches found none. For a thread that searches on behalf of a waiter.
 *
 * One search is not enough, because another thread may be stopped after the following steps. It has put slot A into a
 * stripe that this search had already passed, it has seen the waiter, and it has taken slot B for the waiter from a
 * stripe that this search had not reached yet. After one search, both slots would be withheld. The second search finds
 * slot A: the first search has found the stripe of slot B empty, and a thread that finds a stripe empty sees from then
 * on every slot that was put in before that stripe was emptied.
 */
bp_slot *bp__idle_take_thoroughly(bp_idle_stack *idle);

/*
 * Takes a slot that the sweep has not looked at: from each cell once, then from the stacks.
 *
 * It begins with the most recently used slots, because the slot that is set aside first comes back last and is then on
 * top again. It takes from each cell only once in a sweep. A thread that uses one connection again and again loses it
 * to the sweep once. The slot that this thread puts into the cell later was just used, so the sweep need not look at
 * it. If the sweep took that slot, too, the thread would use all other connections in turn, and none of them would stay
 * idle for long.
 */
bp_slot *bp__idle_sweep_next(bp_idle_stack *idle);

/* Sets aside a slot that the sweep has looked at. A full barrier, as the exchange in bp__idle_put is. */
void bp__idle_sweep_keep(bp_idle_stack *idle, bp_slot *slot);

/*
 * Ends a sweep, one slot at a time, the least recently used first: moves a slot that was set aside to the stack of the
 * home stripe. It does not use the cell, because the slot in the cell was just used and would sink to the bottom.
 * Returns false if no slot was left. A thread that searches during the move may miss the slot, so the caller must look
 * for waiters after each call. For the same reason, one call moves only one slot. A call that returns true is a full
 * barrier.
 */
bool bp__idle_sweep_end(bp_idle_stack *idle);

static inline uint32_t bp__idle_home(const bp_idle_stack *idle) {
    return BP_HOME_NUMBER() & idle->mask;
}

/*
 * Puts a slot in.
 *
 * The exchange is a full barrier. It pairs with the exchange or pop by which a thread takes the slot out: the state of
 * the slot, and what its owner wrote to the connection, are visible to that thread. The caller reads after the exchange
 * whether a caller waits. The push has the same effects for the slot that was in the cell before.
 */
static inline void bp__idle_put(bp_idle_stack *idle, bp_slot *slot) {
    bp_stripe *stripe = &idle->stripes[bp__idle_home(idle)];
    uint64_t before = bp__exchange(&stripe->cell, (uint64_t)(uintptr_t)slot);
    if (__builtin_expect(before != 0, 0)) {
        bp__stack_push(&stripe->stack, &((bp_slot *)(uintptr_t)before)->entry);
    }
}

/*
 * Takes a slot, or returns NULL when a search of all stripes found none. The search is not one instant: it misses a
 * slot that another thread puts into a stripe which was searched before. That is why a thread that puts a slot in looks
 * for waiters afterwards.
 */
static inline bp_slot *bp__idle_take(bp_idle_stack *idle) {
    uint32_t home = bp__idle_home(idle);
    bp_stripe *stripe = &idle->stripes[home];
    /* Relaxed: only saves the exchange of an empty cell. bp__idle_take_elsewhere reads the cell again. */
    if (__builtin_expect(bp__load_relaxed(&stripe->cell) != 0, 1)) {
        /* Full barrier: pairs with the exchange in bp__idle_put that put the slot in. */
        uint64_t taken = bp__exchange(&stripe->cell, 0);
        if (__builtin_expect(taken != 0, 1)) {
            return (bp_slot *)(uintptr_t)taken;
        }
    }
    return bp__idle_take_elsewhere(idle, home);
}

#endif
