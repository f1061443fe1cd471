/* The pool's own structure, for the files of the core. */
#ifndef BP_POOL_INTERNAL_H
#define BP_POOL_INTERNAL_H

#include "idle_stack.h"
#include "waiter_queue.h"

struct bp_pool {
    /*
     * One line that the hot path reads and only slow paths write.
     *
     * waiting: those in the queue, and of these (from bit 32) those without a permit; bit 62: paused; bit 63: shut
     * down. Raised before a waiter can be found in the queue, lowered after it has gone: never too low. places: total,
     * and of these (from bit 32) those closing. limits: the soft limit, and (from bit 32) the hard limit; bit 63: shut
     * down.
     */
    _Alignas(64) bp_atomic64 waiting;
    bp_atomic64 places;
    bp_atomic64 limits;
    bp_idle_stack idle;
    size_t element_offset;

    _Alignas(64) bp_stack vacant;
    bp_table slots;
    bp_table observations; /* Parallel to slots. */
    bp_atomic64 observed_at;
    void *owner;
    void (*release_owner)(void *owner);
    uint64_t full; /* What waiting is when as many wait without a permit as may: see bp_is_full. */

    bp_waiter_queue queue;
};

#endif
