/* SPDX-License-Identifier: Apache-2.0 */

/* Acquiring and releasing connections, and the sweep over the idle ones. The whole fast path is in this file, so that
 * the compiler can inline all of it. */
#include "posix.h"

#include "pool.h"
#include "reconcile.h"

/* The fast path of bp_pool.h is inlined into the calls of bp_blocking.h. */
#define BP_ON_FAST_PATH inline __attribute__((always_inline))

bool bp_needs_reconcile(const bp_pool *pool) {
    /*
     * Any flag of the waiting word counts, too: in a pool that is paused or shut down, every release reconciles.
     * Relaxed: the calls of the core come here directly after a full barrier, and say with what it pairs.
     */
    return pool != NULL && (bp__load_relaxed(&pool->waiting) != 0 ||
                            bp__is_excess(bp__load_relaxed(&pool->total), bp__load_relaxed(&pool->limits)));
}

/*
 * Returns whether a caller may acquire although the waiting word is not 0: the pool is neither shut down nor paused,
 * and no caller waits, because the count is too high for a moment or another flag is set. Acquire: pairs with the
 * compare-and-swaps in bp_shutdown and bp_pause.
 */
static __attribute__((noinline)) bool bp__may_acquire(bp_pool *pool) {
    return (bp__load(&pool->waiting) & (BP_SHUT | BP_PAUSED)) == 0 && !bp_has_waiters(pool);
}

static BP_ON_FAST_PATH bp_lease bp__try_acquire(bp_pool *pool) {
    /* Relaxed: a waiter, pause or shutdown that this load does not see yet began at the same time as this call. */
    if (__builtin_expect(bp__load_relaxed(&pool->waiting) != 0, 0) && !bp__may_acquire(pool)) {
        return bp__no_lease;
    }
    bp_slot *slot = bp__idle_take(&pool->idle);
    return slot == NULL ? bp__no_lease : bp__slot_take(slot, BP_SLOT_IN_USE);
}

bp_lease bp_try_acquire(bp_pool *pool) {
    return __builtin_expect(pool == NULL, 0) ? bp__no_lease : bp__try_acquire(pool);
}

static inline bp_status bp__return_idle(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__lease_move(pool, lease, BP_SLOT_IN_USE, BP_SLOT_IDLE);
    if (__builtin_expect(status == BP_OK, 1)) {
        bp__idle_put(&pool->idle, lease.slot);
    }
    return status;
}

bp_status bp_return_idle(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__check(pool);
    return status != BP_OK ? status : bp__return_idle(pool, lease);
}

/* Returns the status of a release after which there is something to reconcile. */
static inline bp_status bp__needs_attention(const bp_pool *pool) {
    return pool->is_forked ? BP_FORKED : BP_RECONCILE;
}

/* Returns the status of a release that was refused. The fast path does not check before whether the process is forked.
 */
static inline bp_status bp__refused(const bp_pool *pool, bp_status status) {
    return pool != NULL && pool->is_forked ? BP_FORKED : status;
}

/* Does the same as bp_release_exclusive, for a lease that was checked. */
static BP_ON_FAST_PATH bp_status bp__release_checked(bp_pool *pool, bp_lease lease) {
    /* Relaxed: the full barrier in bp__idle_put makes this store visible to the thread that takes the slot next. */
    bp__store_relaxed(&lease.slot->word, bp__slot_word(BP_SLOT_IDLE, lease.serial));
    bp__idle_put(&pool->idle, lease.slot);
    /* The same pairing as in bp_release. */
    return __builtin_expect(bp_needs_reconcile(pool), 0) ? bp__needs_attention(pool) : BP_OK;
}

bp_status bp_release_exclusive(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    return __builtin_expect(status != BP_OK, 0) ? bp__refused(pool, status) : bp__release_checked(pool, lease);
}

/* Returns whether a connection can be passed on to a waiter. waiting: the waiting word. */
static bool bp__is_awaited(uint64_t waiting) {
    return (waiting & (BP_SHUT | BP_PAUSED)) == 0 && bp__waiting_count(waiting) != 0;
}

bp_status bp_release_unless_awaited(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    if (__builtin_expect(status != BP_OK, 0)) {
        return bp__refused(pool, status);
    }
    /* Relaxed: a caller that joins the queue now is noticed after the connection has become idle, as in bp_release. */
    uint64_t waiting = bp__load_relaxed(&pool->waiting);
    if (__builtin_expect(waiting != 0, 0) && bp__is_awaited(waiting) && !pool->is_forked) {
        return BP_AWAITED;
    }
    return bp__release_checked(pool, lease);
}

bp_status bp_release_to_waiter(bp_pool *pool, bp_lease lease, bp_lease *next, void **context) {
    bp_status status = next == NULL || context == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status == BP_OK) {
        status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    }
    if (status != BP_OK) {
        return status;
    }
    /*
     * Acquire: the loads pair with the read-modify-writes in bp_pause, bp_shutdown and bp_resize. A pause, shutdown or
     * resize that these loads do not see yet began at the same time as this call, so this call may take effect before
     * it.
     */
    if (!bp__is_awaited(bp__load(&pool->waiting)) ||
        bp__exceeds(bp__load(&pool->total), bp__hard_limit(bp__load(&pool->limits)))) {
        return BP_EMPTY;
    }
    status = bp_hand_off(pool, context);
    if (status == BP_OK) {
        /* The slot was in no stack, so this thread still owns it. The caller passes the new lease to the waiter, and
         * thereby orders this store and the element. */
        *next = bp__slot_take(lease.slot, BP_SLOT_IN_USE);
    }
    return status;
}

static BP_ON_FAST_PATH bp_status bp__release(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__return_idle(pool, lease);
    if (__builtin_expect(status != BP_OK, 0)) {
        return bp__refused(pool, status);
    }
    /*
     * bp__idle_put is a full barrier, so the counts and limits are read after the connection became idle. Pairs with
     * bp_wait_join, which counts and appends the waiter before its caller looks for idle connections, and with
     * bp_resize and bp_shutdown, which lower the limits before their caller looks for idle connections: at least one of
     * the two threads sees what the other has done.
     */
    return __builtin_expect(bp_needs_reconcile(pool), 0) ? bp__needs_attention(pool) : BP_OK;
}

bp_status bp_release(bp_pool *pool, bp_lease lease) {
    return bp__release(pool, lease);
}

bp_status bp_acquire(bp_pool *pool, uint64_t timeout, bp_lease *lease) {
    if (pool == NULL || lease == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *lease = bp__try_acquire(pool);
    return __builtin_expect(lease->slot != NULL, 1) ? BP_OK : bp__acquire_slowly(pool, timeout, lease);
}

/*
 * What a thread is inside while it releases a connection: the pool, or the driver to which it releases. Neither ends
 * while a thread is inside.
 */
typedef struct {
    const void *address;
    bp_atomic64 *count; /* The threads inside. */
} bp_place;

static inline bp_place bp__in_pool(bp_pool *pool) {
    return (bp_place){pool, &pool->inside};
}

/*
 * Does the same as bp_release, for a thread with a record. If it returns BP_RECONCILE, the thread has raised the count
 * of the place.
 */
static BP_ON_FAST_PATH bp_status bp__release_with_record(bp_pool *pool, bp_lease lease, bp_place place,
                                                         bp_thread_record *thread) {
    /*
     * Relaxed: the full barrier in bp_release comes before another thread can take the connection. So this store is
     * visible to bp__is_quiet of a thread that has seen the connection closed, and to bp__driver_may_end of a loop that
     * has got the connection.
     */
    bp__store_relaxed(&thread->inside, (uint64_t)(uintptr_t)place.address);
    bp_status status = bp__release(pool, lease);
    if (__builtin_expect(status == BP_RECONCILE, 0)) {
        /* Before the store below: pairs with the load of the count after bp__thread_is_releasing_to. */
        bp__add(place.count, 1);
    }
    /* Release: pairs with the acquire load in bp__thread_is_releasing_to. After BP_OK, the thread does not access the
     * pool any more. */
    bp__store(&thread->inside, 0);
    return status;
}

/* Does the same for a thread that may have no record yet, or for whose record there is no memory. */
static bp_status bp__release_in(bp_pool *pool, bp_lease lease, bp_place place) {
    bp_thread_record *thread = bp__thread_record();
    if (thread != NULL) {
        return bp__release_with_record(pool, lease, place, thread);
    }
    /* Full barrier before the connection is released, as in bp__enter. */
    bp__add(place.count, 1);
    bp_status status = bp__release(pool, lease);
    if (status != BP_RECONCILE) {
        bp__add(place.count, (uint64_t)-1);
    }
    return status;
}

bp_status bp__release_and_hold(bp_driver *driver, bp_lease lease) {
    return bp__release_in(driver->pool, lease, (bp_place){driver, &driver->holds});
}

/* Does the same as bp_release_and_reconcile, for a thread that has no record yet. */
static __attribute__((noinline)) bp_status bp__release_first(bp_pool *pool, bp_lease lease, bp_close_function close,
                                                             void *context) {
    bp_status status = bp__release_in(pool, lease, bp__in_pool(pool));
    return status == BP_RECONCILE ? bp__reconcile_and_leave(pool, close, context) : status;
}

bp_status bp_release_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context) {
    if (__builtin_expect(pool == NULL || close == NULL, 0)) {
        return BP_INVALID_ARGUMENT;
    }
    bp_thread_record *thread = bp__known_thread_record();
    if (__builtin_expect(thread == NULL, 0)) {
        return bp__release_first(pool, lease, close, context);
    }
    bp_status status = bp__release_with_record(pool, lease, bp__in_pool(pool), thread);
    if (__builtin_expect(status != BP_RECONCILE, 1)) {
        return status;
    }
    return bp__reconcile_and_leave(pool, close, context);
}

static bp_status bp__take_idle_with(bp_pool *pool, bp_lease *lease, bp_slot *(*take)(bp_idle_stack *)) {
    bp_status status = lease == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    bp_slot *slot = take(&pool->idle);
    *lease = slot == NULL ? bp__no_lease : bp__slot_take(slot, BP_SLOT_IN_USE);
    return slot == NULL ? BP_EMPTY : BP_OK;
}

bp_status bp_take_idle(bp_pool *pool, bp_lease *lease) {
    return bp__take_idle_with(pool, lease, bp__idle_take_thoroughly);
}

void *bp_element(const bp_pool *pool, bp_lease lease) {
    return bp_lease_is_current(pool, lease) ? (char *)lease.slot + pool->element_offset : NULL;
}

size_t bp_element_offset(const bp_pool *pool) {
    return pool == NULL ? 0 : pool->element_offset;
}

bool bp_lease_is_current(const bp_pool *pool, bp_lease lease) {
    if (pool == NULL || lease.slot == NULL || lease.slot->pool != pool) {
        return false;
    }
    /* Acquire: as in bp__look_at_slot, for a caller that has the lease from bp_slot_at. */
    uint64_t word = bp__load(&lease.slot->word);
    bp_slot_state state = bp__slot_word_state(word);
    return bp__slot_word_serial(word) == lease.serial && state != BP_SLOT_VACANT && state != BP_SLOT_IDLE;
}

/* Sweeping. */

bp_status bp_sweep_next(bp_pool *pool, bp_lease *lease) {
    return bp__take_idle_with(pool, lease, bp__idle_sweep_next);
}

bp_status bp_sweep_keep(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__check(pool);
    if (status == BP_OK) {
        status = bp__lease_move(pool, lease, BP_SLOT_IN_USE, BP_SLOT_IDLE);
    }
    if (status != BP_OK) {
        return status;
    }
    bp__idle_sweep_keep(&pool->idle, lease.slot);
    /* The same pairing as in bp_release: a waiter that joined meanwhile may have searched without finding this slot. */
    return bp_needs_reconcile(pool) ? BP_RECONCILE : BP_OK;
}

bp_status bp_sweep_end(bp_pool *pool) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    if (!bp__idle_sweep_end(&pool->idle)) {
        return BP_EMPTY;
    }
    /* The same pairing as in bp_release: the slot was in no stack for a moment, so a waiter may have missed it. */
    return bp_needs_reconcile(pool) ? BP_RECONCILE : BP_OK;
}
