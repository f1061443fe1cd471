/* SPDX-License-Identifier: Apache-2.0 */

/* Waiting for a connection: the calls of bp_pool.h on the wait queue. The queue itself is in waiter_queue.c. */
#include "waiting.h"

#include "pool.h"

bool bp_has_waiters(bp_pool *pool) {
    /* Acquire: pairs with the addition in bp__wait_join. The caller's full barrier came before: see bp_release. */
    uint64_t waiting = pool == NULL ? 0 : bp__load(&pool->waiting);
    return (waiting & BP_PAUSED) == 0 && bp__waiting_count(waiting) != 0 &&
           bp__waiter_exists(&pool->queue, (1u << BP_WAITER_WAITING) | (1u << BP_WAITER_OPENING));
}

bool bp_has_permit_for_waiter(bp_pool *pool) {
    /* Acquire: pairs with the additions in bp__wait_join and bp_wait_requeue, bp__free_slot, and bp_resize. */
    return pool != NULL && bp__permits_are_due(bp__load(&pool->waiting)) &&
           BP_LOW(bp__load(&pool->total)) < bp__hard_limit(bp__load(&pool->limits)) &&
           bp__waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING);
}

/*
 * Lowers the counts after a waiter with this status has left the queue. Returns how many waiters remain. The addition
 * pairs with the load in bp__is_quiet_beside_drivers.
 */
static uint64_t bp__count_departure(bp_pool *pool, bp_waiter_status before) {
    uint64_t delta = (uint64_t)0 - 1 - (before == BP_WAITER_WAITING ? BP_HIGH_ONE : 0);
    return bp__waiting_count(bp__add(&pool->waiting, delta)) - 1;
}

bp_status bp_wait_prepare(bp_pool *pool, bp_ticket *ticket) {
    bp_status status = ticket == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    return bp_is_shut_down(pool) ? BP_SHUT_DOWN : bp__waiter_prepare(&pool->queue, ticket);
}

/*
 * Returns whether the queue is full. waiting: the waiting word before the caller was counted. It has reached the value
 * of a full queue, perhaps only because of a flag. As many waiters as there are free slots do not count, because the
 * next reconcile gives them a permit. After a shutdown the queue is never full, so that the caller learns of the
 * shutdown. Acquire: pairs with bp_resize, bp_shutdown and bp__free_slot.
 */
static __attribute__((noinline)) bool bp__is_full(const bp_pool *pool, uint64_t waiting) {
    uint64_t limits = bp__load(&pool->limits);
    uint32_t total = BP_LOW(bp__load(&pool->total)), hard_limit = bp__hard_limit(limits);
    uint32_t free_slots = hard_limit > total ? hard_limit - total : 0;
    return (limits & BP_SHUT) == 0 && BP_HIGH(waiting) >= BP_HIGH(pool->full) + free_slots;
}

/* Ends the wait of a caller that was counted but does not join, because the queue is full. */
static __attribute__((noinline)) bp_status bp__reject_waiter(bp_pool *pool, bp_ticket ticket) {
    bp_status status = bp__waiter_withdraw(&pool->queue, ticket);
    bp__count_departure(pool, BP_WAITER_WAITING);
    return status == BP_OK ? BP_TOO_MANY_WAITERS : status;
}

bp_status bp__wait_join(bp_pool *pool, bp_ticket ticket, void *context, bp_atomic64 *home, uint64_t deadline,
                        bool *arm_timer) {
    bool is_earliest = false;
    if (arm_timer != NULL) {
        *arm_timer = false;
    }
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /*
     * Counts the waiter before other threads can find it in the queue, so that the count is never too low. Full
     * barrier: pairs with the full barrier in bp_release. A thread that releases after this addition reads the count
     * and reconciles. A thread that has released before it has left a connection that the caller's reconcile finds.
     */
    uint64_t before = bp__add(&pool->waiting, 1 + BP_HIGH_ONE);
    if (__builtin_expect(before >= pool->full, 0) && bp__is_full(pool, before)) {
        return bp__reject_waiter(pool, ticket);
    }
    status = bp__waiter_join(&pool->queue, ticket, context, home, deadline, &is_earliest);
    if (status != BP_OK) {
        bp__count_departure(pool, BP_WAITER_WAITING);
        return status;
    }
    if (arm_timer != NULL) {
        *arm_timer = is_earliest;
    }
    /*
     * Appending the waiter was a full barrier: pairs with the exchange in bp_shutdown. Either this thread sees the
     * shutdown here, or the thread that shuts the pool down finds the waiter in the queue.
     */
    void *its_context;
    if (bp_is_shut_down(pool) && bp_wait_claim(pool, ticket, &its_context) == BP_OK) {
        return BP_SHUT_DOWN;
    }
    return BP_OK;
}

bp_status bp_wait_join(bp_pool *pool, bp_ticket ticket, void *context, uint64_t deadline, bool *arm_timer) {
    return bp__wait_join(pool, ticket, context, NULL, deadline, arm_timer);
}

bp_status bp_wait_claim(bp_pool *pool, bp_ticket ticket, void **context) {
    bp_status status = context == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    *context = NULL;
    bp_waiter_status before = bp__waiter_leave(&pool->queue, ticket, context);
    if (before == BP_WAITER_FREE) {
        return BP_STALE_TICKET;
    }
    if (before != BP_WAITER_PREPARED) {
        bp__waiter_purge(&pool->queue, bp__count_departure(pool, before));
    }
    return BP_OK;
}

bp_status bp_wait_requeue(bp_pool *pool, bp_ticket ticket) {
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    /*
     * Counts the waiter as a waiter without a permit before other threads can find it in that state, as bp_wait_join
     * does: a thread that gives it a permit lowers this count again. Full barrier, also in the undoing addition: pairs
     * with the loads of the waiting word in bp_has_permit_for_waiter and bp__begin_open.
     */
    bp__add(&pool->waiting, BP_HIGH_ONE);
    if (!bp__waiter_requeue(&pool->queue, ticket)) {
        bp__add(&pool->waiting, (uint64_t)0 - BP_HIGH_ONE);
        return BP_STALE_TICKET;
    }
    /*
     * There is no need to check for a shutdown: the waiter was in the queue all the time, and bp_hand_off removes it
     * with or without a permit.
     */
    return BP_OK;
}

bp_waiter_expiry bp__expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity) {
    bp_waiter_expiry expiry = bp__waiter_expire(&pool->queue, now, contexts, capacity);
    if (expiry.expired > 0) {
        /* Lowers the counts, as bp__count_departure does. */
        uint64_t delta = (uint64_t)expiry.expired + (uint64_t)expiry.expired_without_permit * BP_HIGH_ONE;
        uint64_t before = bp__add(&pool->waiting, (uint64_t)0 - delta);
        bp__waiter_purge(&pool->queue, bp__waiting_count(before) - expiry.expired);
    }
    return expiry;
}

size_t bp_expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity, uint64_t *next) {
    if (next != NULL) {
        *next = BP_NO_DEADLINE;
    }
    if (contexts == NULL || next == NULL || bp__check(pool) != BP_OK) {
        return 0;
    }
    /* A wait without a deadline never expires. */
    bp_waiter_expiry expiry = bp__expire(pool, now == BP_NO_DEADLINE ? now - 1 : now, contexts, capacity);
    *next = expiry.is_earliest ? expiry.next : BP_NO_DEADLINE;
    return expiry.expired;
}

uint64_t bp_next_deadline(const bp_pool *pool) {
    return pool == NULL ? BP_NO_DEADLINE : bp__waiter_next_deadline(&pool->queue);
}

bp_status bp_hand_off(bp_pool *pool, void **context) {
    bp_status status = context == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    bp_waiter_status before = bp__waiter_hand_off(&pool->queue, context);
    if (before == BP_WAITER_FREE) {
        return BP_EMPTY;
    }
    bp__count_departure(pool, before);
    return BP_OK;
}
