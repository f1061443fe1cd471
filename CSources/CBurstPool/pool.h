/* SPDX-License-Identifier: Apache-2.0 */

/* The pool's structure, and the helpers that the files of the core share. */
#ifndef BP_POOL_INTERNAL_H
#define BP_POOL_INTERNAL_H

#include "idle_stack.h"
#include "thread_record.h"
#include "waiter_queue.h"

struct bp_pool {
    /*
     * One cache line that the fast path reads and that only slow paths write. Each word holds two counts of at most 30
     * bits, one from bit 0 and one from bit 32, and flags.
     *
     *   waiting   low: the number of waiters in the queue. High: the number of waiters without a permit. Bit 62: the
     *             pool is paused. Bit 63: the pool is shut down. Bit 31: this process was forked after the pool was
     *             created. Bit 30: every release reconciles. A waiter is counted before another thread can find it in
     *             the queue, and until after it has left. So the counts may be too high for a moment, but are never too
     *             low.
     *   total     low: idle + in use + opening + closing. High: closing.
     *   limits    low: the number of connections that are kept, which is max_size, or hard_limit in a pool that keeps
     *             excess connections. High: the other limit. Bit 62: the pool keeps excess connections. Bit 63: the
     *             pool is shut down.
     */
    _Alignas(64) bp_atomic64 waiting;
    bp_atomic64 total;
    bp_atomic64 limits;
    bp_idle_stack idle;
    size_t element_offset;

    _Alignas(64) bp_stack vacant; /* The slots that were used before and have no connection now. */
    bp_table slots;
    bp_table observations; /* Parallel to slots: see observation.c. */
    bp_atomic64 observed_at;
    void *owner;
    void (*release_owner)(void *owner);
    uint64_t full; /* The value of waiting from which on the queue may be full: see bp__is_full. */
    bool is_forked;
    bp_pool *next, *previous; /* In the list of fork.c. */

    /* The number of threads inside slow paths of bp_blocking.h. Lowering it is a thread's last access to the pool. */
    _Alignas(64) bp_atomic64 inside;
    bp_atomic64 is_being_destroyed;
    bp_waiter_queue queue;

    bp_table drivers;         /* See driver.h. */
    bp_atomic64 open_drivers; /* The number of open drivers. Lowering it is a loop's last access to the pool. */
};

#define BP_HIGH_ONE (UINT64_C(1) << 32)
#define BP_COUNT_MASK 0x3fffffffu
#define BP_LOW(word) ((uint32_t)(word))
#define BP_HIGH(word) ((uint32_t)((word) >> 32) & BP_COUNT_MASK)
#define BP_KEEP_EXCESS (UINT64_C(1) << 62)
#define BP_FORKED_BIT (UINT64_C(1) << 31)
#define BP_ALWAYS_RECONCILE (UINT64_C(1) << 30)
#define BP_PAUSED (UINT64_C(1) << 62)
#define BP_SHUT (UINT64_C(1) << 63)
_Static_assert(BP_MAX_SIZE <= BP_COUNT_MASK && BP_MAX_WAITERS < BP_COUNT_MASK / 2, "counts stay clear of the flags");

static const bp_lease bp__no_lease = {NULL, 0};

static inline bool bp__limits_are_valid(uint32_t max_size, uint32_t hard_limit) {
    return max_size >= 1 && max_size <= hard_limit && hard_limit <= BP_MAX_SIZE;
}

/* keep_excess: BP_KEEP_EXCESS or 0. */
static inline uint64_t bp__limits_word(uint32_t max_size, uint32_t hard_limit, uint64_t keep_excess) {
    uint32_t kept = keep_excess == 0 ? max_size : hard_limit, other = keep_excess == 0 ? hard_limit : max_size;
    return ((uint64_t)other << 32) | keep_excess | kept;
}

static inline uint32_t bp__max_size(uint64_t limits) {
    return (limits & BP_KEEP_EXCESS) == 0 ? BP_LOW(limits) : BP_HIGH(limits);
}

static inline uint32_t bp__hard_limit(uint64_t limits) {
    return (limits & BP_KEEP_EXCESS) == 0 ? BP_HIGH(limits) : BP_LOW(limits);
}

/*
 * Returns whether there are more connections than this limit, those closing not counted. It adds and does not subtract:
 * while a call with a lease that has ended is being refused, more connections than exist may count as closing.
 */
static inline bool bp__exceeds(uint64_t total, uint32_t limit) {
    return BP_LOW(total) > limit + BP_HIGH(total);
}

/* Returns whether there are more connections than are kept. The word of the limits is so that this is one comparison.
 */
static inline bool bp__is_excess(uint64_t total, uint64_t limits) {
    return bp__exceeds(total, BP_LOW(limits));
}

/* Returns the number of waiters. waiting: the waiting word. */
static inline uint32_t bp__waiting_count(uint64_t waiting) {
    return BP_LOW(waiting) & BP_COUNT_MASK;
}

/* Checks the pool at the beginning of a slow call. */
static inline bp_status bp__check(const bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    return pool->is_forked ? BP_FORKED : BP_OK;
}

/*
 * Between these two calls a thread is inside the pool. Both are full barriers, and pair with the loads in bp__is_quiet.
 * bp__enter comes before the thread gives up its lease, its permit or its position in the queue. So a thread that has
 * seen the total and the number of waiters become 0 sees this addition, too. bp__leave is the thread's last access to
 * the pool.
 */
static inline void bp__enter(bp_pool *pool) {
    bp__add(&pool->inside, 1);
}

static inline void bp__leave(bp_pool *pool) {
    bp__add(&pool->inside, (uint64_t)-1);
}

/*
 * Returns whether no connection exists, no caller waits, and no thread is inside a call of bp_blocking.h. If no driver
 * is open either, a pool that was shut down can be freed.
 *
 * The order of the loads matters, and they are acquire loads to keep it. A thread that releases its connection has the
 * pool in its record before the total can become 0, and it enters the pool before it removes the pool from its record.
 * The loads of the total and of the number of waiters pair with the additions in bp__free_slot and bp__count_departure.
 * A thread that releases to a driver keeps the driver open instead.
 */
static inline bool bp__is_quiet_beside_drivers(const bp_pool *pool) {
    return BP_LOW(bp__load(&pool->total)) == 0 && bp__waiting_count(bp__load(&pool->waiting)) == 0 &&
           !bp__thread_is_releasing_to(pool) && bp__load(&pool->inside) == 0;
}

/* Returns whether a pool that was shut down can be freed. Acquire: pairs with the addition in bp__driver_end. */
static inline bool bp__is_quiet(const bp_pool *pool) {
    return bp__is_quiet_beside_drivers(pool) && bp__load(&pool->open_drivers) == 0;
}

/* Returns whether a waiter exists that should get a permit if the hard limit allows. waiting: the waiting word. */
static inline bool bp__permits_are_due(uint64_t waiting) {
    return (waiting & BP_PAUSED) == 0 && BP_HIGH(waiting) != 0;
}

/* Checks that the lease is of this pool. */
static inline bp_status bp__lease_belongs(const bp_pool *pool, bp_lease lease) {
    if (__builtin_expect(pool == NULL || lease.slot == NULL, 0)) {
        return BP_INVALID_ARGUMENT;
    }
    return __builtin_expect(lease.slot->pool != pool, 0) ? BP_FOREIGN_SLOT : BP_OK;
}

/*
 * Checks that the lease has not ended and that its slot is in this state. Detects every misuse except a call with the
 * same lease at the same instant. Relaxed: the holder of the lease, or the thread from which it got the lease, has
 * stored the word itself.
 */
static inline bp_status bp__lease_check(const bp_pool *pool, bp_lease lease, bp_slot_state state) {
    bp_status status = bp__lease_belongs(pool, lease);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    if (__builtin_expect(bp__load_relaxed(&lease.slot->word) != bp__slot_word(state, lease.serial), 0)) {
        return BP_STALE_LEASE;
    }
    return BP_OK;
}

/*
 * Moves the slot of the lease from one state to another. Detects every misuse: of two calls with the same lease at the
 * same instant, one succeeds, because the compare-and-swap checks state and serial number together. If the slot becomes
 * idle or vacant, the caller puts it into a stack next, and that operation orders what came before. A move to closing
 * pairs with the load in bp__look_at_slot.
 */
static inline bp_status bp__lease_move(const bp_pool *pool, bp_lease lease, bp_slot_state from, bp_slot_state to) {
    bp_status status = bp__lease_belongs(pool, lease);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    uint64_t expected = bp__slot_word(from, lease.serial);
    if (__builtin_expect(!bp__cas(&lease.slot->word, &expected, bp__slot_word(to, lease.serial)), 0)) {
        return BP_STALE_LEASE;
    }
    return BP_OK;
}

#endif
