/* SPDX-License-Identifier: Apache-2.0 */

/* The limits of the pool, pausing, shutting down, and the counts that are compared with the limits. */
#include "pool.h"

bp_status bp_resize(bp_pool *pool, uint32_t max_size, uint32_t hard_limit) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    if (!bp__limits_are_valid(max_size, hard_limit)) {
        return BP_INVALID_CONFIGURATION;
    }
    uint64_t limits = bp__load(&pool->limits);
    do {
        if ((limits & BP_SHUT) != 0) {
            return BP_SHUT_DOWN;
        }
        /*
         * Full barrier: the limits are changed before the caller's reconcile looks for waiters and idle connections.
         * Pairs with the full barriers before bp_needs_reconcile in bp_release and before bp__claim_slot after
         * bp_wait_join: either the other thread sees the new limits, or the reconcile sees its connection or waiter.
         */
    } while (!bp__cas(&pool->limits, &limits, bp__limits_word(max_size, hard_limit, limits & BP_KEEP_EXCESS)));
    return BP_OK;
}

bp_status bp_limits(const bp_pool *pool, uint32_t *max_size, uint32_t *hard_limit) {
    bp_status status = max_size == NULL || hard_limit == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /* Acquire, and both limits in one word: they belong to the same bp_resize. */
    uint64_t limits = bp__load(&pool->limits);
    *max_size = bp__max_size(limits);
    *hard_limit = bp__hard_limit(limits);
    return (limits & BP_SHUT) != 0 ? BP_SHUT_DOWN : BP_OK;
}

bp_status bp_shutdown(bp_pool *pool) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /*
     * With limits of 0 no permit is given out and every idle connection is an excess connection. Full barrier: pairs
     * with the full barriers in bp_wait_join and bp_release, after which those calls read the limits. Either they see
     * the shutdown, or the caller's reconcile sees their waiter or connection. The compare-and-swap on the waiting word
     * stops bp_try_acquire, which does not read the limits.
     */
    bp__exchange(&pool->limits, BP_SHUT);
    uint64_t waiting = bp__load(&pool->waiting);
    while ((waiting & BP_SHUT) == 0 && !bp__cas(&pool->waiting, &waiting, (waiting | BP_SHUT) & ~BP_PAUSED)) {
    }
    return BP_OK;
}

/* In this query and in the queries below, acquire: a caller that sees the effect of a call sees what came before it. */

bool bp_is_shut_down(const bp_pool *pool) {
    return pool != NULL && (bp__load(&pool->limits) & BP_SHUT) != 0;
}

bp_status bp_pause(bp_pool *pool) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /* No other operation relies on the order: a call that does not see the pause yet began at the same time. */
    uint64_t waiting = bp__load(&pool->waiting);
    do {
        if ((waiting & BP_SHUT) != 0) {
            return BP_SHUT_DOWN;
        }
    } while (!bp__cas(&pool->waiting, &waiting, waiting | BP_PAUSED));
    return BP_OK;
}

bp_status bp_resume(bp_pool *pool) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /*
     * Full barrier: pairs with the full barriers in bp_release, bp__free_slot and bp_wait_join. A thread that still
     * reads the pause while it reconciles has released, freed a slot or joined before that, so the caller's reconcile
     * finds its connection, slot or waiter.
     */
    uint64_t waiting = bp__load(&pool->waiting);
    while (!bp__cas(&pool->waiting, &waiting, waiting & ~BP_PAUSED)) {
    }
    return BP_OK;
}

bool bp_is_paused(const bp_pool *pool) {
    return pool != NULL && (bp__load(&pool->waiting) & BP_PAUSED) != 0;
}

bp_status bp_always_reconcile(bp_pool *pool, bool always) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /*
     * Full barrier: pairs with the full barriers in bp_release, bp_sweep_keep and bp_sweep_end, after which those calls
     * read the word. Either the other thread reads the flag and reconciles, or the caller finds its connection idle.
     */
    uint64_t waiting = bp__load(&pool->waiting);
    uint64_t wanted;
    do {
        wanted = always ? waiting | BP_ALWAYS_RECONCILE : waiting & ~BP_ALWAYS_RECONCILE;
    } while (!bp__cas(&pool->waiting, &waiting, wanted));
    return BP_OK;
}

uint32_t bp_total(const bp_pool *pool) {
    return pool == NULL ? 0 : BP_LOW(bp__load(&pool->total));
}

uint32_t bp_waiting(const bp_pool *pool) {
    return pool == NULL ? 0 : bp__waiting_count(bp__load(&pool->waiting));
}

uint32_t bp_queued(const bp_pool *pool) {
    return pool == NULL ? 0 : BP_HIGH(bp__load(&pool->waiting));
}

bool bp_has_excess(const bp_pool *pool) {
    return pool != NULL && bp__is_excess(bp__load(&pool->total), bp__load(&pool->limits));
}
