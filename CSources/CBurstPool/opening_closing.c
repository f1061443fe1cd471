/* SPDX-License-Identifier: Apache-2.0 */

/* Permits to open a connection, and closing connections. */
#include "pool.h"
#include "waiting.h"

/* Counts one more connection and takes a vacant slot for it. BP_OK; BP_LIMIT_REACHED; BP_OUT_OF_MEMORY. */
static bp_status bp__claim_slot(bp_pool *pool, bp_lease *permit) {
    /* Acquire, here and for the limits: pairs with bp__free_slot and bp_resize. */
    uint64_t total = bp__load(&pool->total);
    do {
        if (BP_LOW(total) >= bp__hard_limit(bp__load(&pool->limits))) {
            return BP_LIMIT_REACHED;
        }
        /*
         * Of several threads that claim the last slot, the compare-and-swap lets one succeed. It pairs with the
         * addition in bp__free_slot, so that the pop below finds the slot that was freed.
         */
    } while (!bp__cas(&pool->total, &total, total + 1));
    bp_slot *slot = (bp_slot *)bp__stack_pop(&pool->vacant);
    if (slot == NULL) {
        uint32_t index = bp__table_extend(&pool->slots, BP_TABLE_CAPACITY);
        if (index == BP_TABLE_NONE) {
            bp__add(&pool->total, (uint64_t)-1); /* Undoes the compare-and-swap. No slot has become free. */
            return BP_OUT_OF_MEMORY;
        }
        slot = bp__table_at(&pool->slots, index);
        slot->pool = pool;
    }
    *permit = bp__slot_take_to_open(slot);
    return BP_OK;
}

/*
 * Returns a vacant slot and lowers the total. closing: 1 if the connection was counted as closing, else 0.
 *
 * The slot goes back first, so that a thread that finds the lower total also finds a vacant slot. The addition is a
 * full barrier: the caller looks for waiters after it. Pairs with bp_wait_join, which counts the waiter before its
 * caller reads the total, and with the load of the total in bp__is_quiet_beside_drivers.
 */
static void bp__free_slot(bp_pool *pool, bp_slot *slot, uint64_t closing) {
    bp__stack_push(&pool->vacant, &slot->entry);
    bp__add(&pool->total, (uint64_t)0 - 1 - closing * BP_HIGH_ONE);
}

/* Moves the slot of a lease from one state to another, except in a forked process. */
static bp_status bp__slow_lease_move(const bp_pool *pool, bp_lease lease, bp_slot_state from, bp_slot_state to) {
    bp_status status = bp__check(pool);
    return status != BP_OK ? status : bp__lease_move(pool, lease, from, to);
}

/* Opening. */

bp_status bp__begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit, bp_atomic64 **home) {
    bp_status status = ticket == NULL || permit == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (permit != NULL) {
        *permit = bp__no_lease;
    }
    if (status != BP_OK) {
        return status;
    }
    /* Acquire: pairs with the addition in bp__wait_join. The caller's full barrier came before: see bp_release. */
    if (!bp__permits_are_due(bp__load(&pool->waiting))) {
        return BP_EMPTY;
    }
    do {
        bp_lease claimed;
        status = bp__claim_slot(pool, &claimed);
        if (status != BP_OK) {
            return status;
        }
        if (bp__waiter_begin_opening(&pool->queue, ticket, home)) {
            /* Lowered after the waiter has its permit, so that the count is never too low. */
            bp__add(&pool->waiting, (uint64_t)0 - BP_HIGH_ONE);
            *permit = claimed;
            return BP_OK;
        }
        bp_cancel_open(pool, claimed);
        /* No waiter needed the permit. But a waiter may have joined, and found the limit reached, while this thread
         * held the slot. So the queue is searched once more. */
    } while (bp__waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING));
    return BP_EMPTY;
}

bp_status bp_begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit) {
    return bp__begin_open(pool, ticket, permit, NULL);
}

bp_status bp_begin_open_unrequested(bp_pool *pool, bp_lease *permit) {
    bp_status status = permit == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (permit != NULL) {
        *permit = bp__no_lease;
    }
    if (status != BP_OK) {
        return status;
    }
    /* Acquire: pairs with the read-modify-writes of bp_shutdown, bp_pause and bp__wait_join. A waiter, pause or
     * shutdown that this load does not see yet began at the same time as this call. */
    uint64_t waiting = bp__load(&pool->waiting);
    if ((waiting & BP_SHUT) != 0) {
        return BP_SHUT_DOWN;
    }
    if ((waiting & BP_PAUSED) != 0 ||
        (BP_HIGH(waiting) != 0 && bp__waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING))) {
        return BP_EMPTY;
    }
    return bp__claim_slot(pool, permit);
}

bp_status bp_finish_open(bp_pool *pool, bp_lease permit) {
    return bp__slow_lease_move(pool, permit, BP_SLOT_OPENING, BP_SLOT_IN_USE);
}

bp_status bp_cancel_open(bp_pool *pool, bp_lease permit) {
    bp_status status = bp__slow_lease_move(pool, permit, BP_SLOT_OPENING, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp__free_slot(pool, permit.slot, 0);
    }
    return status;
}

/* Closing. */

/*
 * Moves the slot of a lease to closing, after the caller has counted it as closing. The order matters: as soon as the
 * slot is closing, another thread with a copy of the lease can finish the close. So the slot becomes closing only after
 * it was counted, and when it is certain that the connection will be closed. If the move fails, the count is lowered
 * again.
 */
static bp_status bp__begin_counted_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__lease_move(pool, lease, BP_SLOT_IN_USE, BP_SLOT_CLOSING);
    if (status != BP_OK) {
        bp__add(&pool->total, (uint64_t)0 - BP_HIGH_ONE);
    }
    return status;
}

bp_status bp_begin_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__check(pool);
    if (status == BP_OK) {
        status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    }
    if (status != BP_OK) {
        return status;
    }
    bp__add(&pool->total, BP_HIGH_ONE); /* Before the move of the slot: see bp__begin_counted_close. */
    return bp__begin_counted_close(pool, lease);
}

/* Begins to close the connection of this lease if more connections than this limit exist. */
static inline bp_status bp__begin_close_above(bp_pool *pool, bp_lease lease, uint32_t (*limit)(uint64_t limits)) {
    bp_status status = bp__check(pool);
    if (status == BP_OK) {
        status = bp__lease_check(pool, lease, BP_SLOT_IN_USE);
    }
    if (status != BP_OK) {
        return status;
    }
    /* Acquire, here and for the limits: pairs with bp__claim_slot and bp_resize. */
    uint64_t total = bp__load(&pool->total);
    while (bp__exceeds(total, limit(bp__load(&pool->limits)))) {
        /* Of several threads that close the last connection above the limit, the compare-and-swap lets one succeed. */
        if (bp__cas(&pool->total, &total, total + BP_HIGH_ONE)) {
            return bp__begin_counted_close(pool, lease);
        }
    }
    return BP_EMPTY;
}

bp_status bp_begin_close_excess(bp_pool *pool, bp_lease lease) {
    return bp__begin_close_above(pool, lease, bp__max_size);
}

bp_status bp_begin_close_above_hard_limit(bp_pool *pool, bp_lease lease) {
    return bp__begin_close_above(pool, lease, bp__hard_limit);
}

bp_status bp_finish_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__slow_lease_move(pool, lease, BP_SLOT_CLOSING, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp__free_slot(pool, lease.slot, 1);
    }
    return status;
}

bp_status bp_detach(bp_pool *pool, bp_lease lease) {
    bp_status status = bp__slow_lease_move(pool, lease, BP_SLOT_IN_USE, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp__free_slot(pool, lease.slot, 0);
    }
    return status;
}
