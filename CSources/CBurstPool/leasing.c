/* Acquiring and releasing connections, and the sweep over the idle ones. */
#include "pool.h"

bool bp_needs_reconcile(const bp_pool *pool) {
    /* Any flag of the waiting word counts, too: in a pool that is paused or shut down, every release reconciles. */
    return pool != NULL && (bp__load_relaxed(&pool->waiting) != 0 ||
                            bp__is_excess(bp__load_relaxed(&pool->total), bp__load_relaxed(&pool->limits)));
}

/*
 * The word of the waiters is not 0. Returns whether the caller may acquire all the same, because the pool is neither
 * shut down nor paused, and the count is too high for a moment while nobody waits.
 */
static __attribute__((noinline)) bool bp__may_acquire(bp_pool *pool) {
    return (bp__load(&pool->waiting) & (BP_SHUT | BP_PAUSED)) == 0 && !bp_has_waiters(pool);
}

bp_lease bp_try_acquire(bp_pool *pool) {
    if (__builtin_expect(pool == NULL, 0)) {
        return bp__no_lease;
    }
    if (__builtin_expect(bp__load_relaxed(&pool->waiting) != 0, 0) && !bp__may_acquire(pool)) {
        return bp__no_lease;
    }
    bp_slot *slot = bp__idle_take(&pool->idle);
    return slot == NULL ? bp__no_lease : bp__slot_take(slot, BP_SLOT_IN_USE);
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

/* What a release returns that has found something to do. */
static __attribute__((noinline)) bp_status bp__needs_attention(const bp_pool *pool) {
    return pool->is_forked ? BP_FORKED : BP_RECONCILE;
}

bp_status bp_release_exclusive(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    /* The full barrier in bp__idle_put makes this store visible to the thread that takes the slot next. */
    bp__store_relaxed(&lease.slot->word, bp__slot_word(BP_SLOT_IDLE, lease.serial));
    bp__idle_put(&pool->idle, lease.slot);
    /* The same pairing as in bp_release. */
    return __builtin_expect(bp_needs_reconcile(pool), 0) ? bp__needs_attention(pool) : BP_OK;
}

bp_status bp_release(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__return_idle(pool, lease);
    /*
     * bp__idle_put is a full barrier, so the counts and limits are read after the connection became idle. Pairs with
     * bp_wait_join, which counts and appends the waiter before its caller looks for idle connections, and with
     * bp_resize and bp_shutdown, which lower the limits before their caller looks for idle connections: at least one of
     * the two threads sees what the other has done.
     */
    return status == BP_OK && __builtin_expect(bp_needs_reconcile(pool), 0) ? bp__needs_attention(pool) : status;
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
    /* The same pairing as in bp_sweep_keep: the slot was in no stack for a moment. */
    return bp_needs_reconcile(pool) ? BP_RECONCILE : BP_OK;
}
