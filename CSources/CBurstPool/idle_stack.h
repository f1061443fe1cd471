/*
 * The idle connections: last in, first out, in stripes.
 *
 * One shared stack would bounce its top between the CPUs. So there are more stripes than CPUs, and each CPU (or thread:
 * home_number.h) has a home stripe: a cell for one slot, and a stack behind it. Putting back exchanges the cell's
 * content, and what was in it goes to the stack; taking exchanges the cell's content for nothing. A thread that leases
 * and returns touches its home cell only, and no cache line that another CPU writes. When home is empty the others are
 * searched, stacks before cells, so that a neighbour keeps the connection it is working with.
 *
 * One more stack holds what a sweep has looked at already, so that the sweep gets down to the cold ones at the bottom
 * with one connection in hand at a time. Whoever finds the stripes' stacks empty takes from it as from any of them.
 *
 * All operations are lock-free; a thread stopped anywhere in here holds back the one slot it has in hand.
 */
#ifndef BP_IDLE_STACK_H
#define BP_IDLE_STACK_H

#include "slot.h"

#ifndef BP_HOME_NUMBER
#include "home_number.h"
#define BP_HOME_NUMBER() bp_home_number()
#endif

typedef struct {
    _Alignas(128) bp_atomic64 cell; /* A slot's address, or 0. */
    bp_stack stack;
} bp_stripe;

typedef struct {
    bp_stripe *stripes; /* And one behind the last: its stack is the swept one, its cell the count of cells swept. */
    uint32_t mask;      /* Number of stripes - 1; that number is a power of two. */
} bp_idle_stack;

/* stripes: how many, rounded up to a power of two; 0 for twice the number of CPUs. */
bool bp_idle_stack_create(bp_idle_stack *idle, uint32_t stripes);
void bp_idle_stack_destroy(bp_idle_stack *idle);

/* Bytes that it has of the system. */
size_t bp_idle_stack_memory(const bp_idle_stack *idle);

/* The part of bp_idle_take behind the home cell. Looks there, too, in the end. */
bp_slot *bp_idle_take_elsewhere(bp_idle_stack *idle, uint32_t home);

/*
 * Takes a slot for somebody who waits, or NULL when two looks found none. One is not enough beside a thread that is
 * stopped: it may have put one slot where this look had been, have seen the waiter, and have taken another one, for it,
 * from where this look had not been yet. Both would be withheld. Whoever finds that second place empty sees, from then
 * on, what was put before it was emptied; so the second look finds the first slot.
 */
bp_slot *bp_idle_take_thoroughly(bp_idle_stack *idle);

/*
 * Takes a slot that this sweep has not come by, or NULL: first from each cell, then from the stacks, from the top down.
 *
 * The warmest first, for what is put on the swept stack first comes back last, and so on top again. From each cell
 * once: who works with a connection loses it once in a sweep, to the next warm one, and what comes back to the cell
 * afterwards has just been used. To take it again and again would make its user go through all the cold ones, and so
 * keep them from ever being idle for long.
 */
bp_slot *bp_idle_take_unswept(bp_idle_stack *idle);

/* Where a sweep puts what it has looked at. The push is a full barrier, as the exchange in bp_idle_put is. */
void bp_idle_put_swept(bp_idle_stack *idle, bp_slot *slot);

/*
 * Ends a sweep, one slot at a time, the coldest first: moves it from the swept stack to the one behind the home cell.
 * Not into the cell: what is there now is warm, and would sink to the bottom. False when there was none. One at a time,
 * for who searches while a slot moves may miss it: so the caller looks for waiters after each. The push is a full
 * barrier.
 */
bool bp_idle_return_swept(bp_idle_stack *idle);

static inline uint32_t bp_idle_home(const bp_idle_stack *idle) {
    return BP_HOME_NUMBER() & idle->mask;
}

/*
 * Puts a slot back. The exchange is a full barrier: the word of the slot and what its owner wrote to the connection
 * are visible to whoever takes it out, and what the caller reads next (is anybody waiting?) is read after it.
 */
static inline void bp_idle_put(bp_idle_stack *idle, bp_slot *slot) {
    bp_stripe *stripe = &idle->stripes[bp_idle_home(idle)];
    uint64_t before = bp_exchange(&stripe->cell, (uint64_t)(uintptr_t)slot);
    if (__builtin_expect(before != 0, 0)) {
        bp_stack_push(&stripe->stack, &((bp_slot *)(uintptr_t)before)->entry);
    }
}

/*
 * Takes a slot, or NULL when a look through all stripes found none. The look is not one instant: a slot that another
 * thread puts back behind it is missed, which is why whoever puts back looks for waiters afterwards.
 */
static inline bp_slot *bp_idle_take(bp_idle_stack *idle) {
    uint32_t home = bp_idle_home(idle);
    bp_stripe *stripe = &idle->stripes[home];
    if (__builtin_expect(bp_load_relaxed(&stripe->cell) != 0, 1)) {
        /* Pairs with the exchange in bp_idle_put that brought the slot here. */
        uint64_t taken = bp_exchange(&stripe->cell, 0);
        if (__builtin_expect(taken != 0, 1)) {
            return (bp_slot *)(uintptr_t)taken;
        }
    }
    return bp_idle_take_elsewhere(idle, home);
}

#endif
