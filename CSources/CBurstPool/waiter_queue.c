/* SPDX-License-Identifier: Apache-2.0 */

/* The life of a waiter in the wait queue. See waiter_queue.h. */
#include "waiter_node.h"

bool bp__waiter_queue_create(bp_waiter_queue *queue) {
    /* Most pools have few waiters or none, and a process can have very many pools. So the first chunks are small. */
    bp__table_create(&queue->nodes, BP_WAITER_STRIDE, BP_FIRST_WAITERS);
    bp__table_create(&queue->earliest, sizeof(bp_atomic64), 1);
    /* Relaxed: the program passes the pool to other threads only after its creation. */
    bp__store_relaxed(&queue->earliest_of_all, BP_NO_DEADLINE);
    /* The memory is zeroed: the head's link leads to no node, and the tail leads to the head. */
    return bp__table_extend(&queue->nodes, 1) == BP_HEAD;
}

void bp__waiter_queue_destroy(bp_waiter_queue *queue) {
    bp__table_destroy(&queue->nodes);
    bp__table_destroy(&queue->earliest);
}

size_t bp__waiter_queue_memory(const bp_waiter_queue *queue) {
    return bp__table_memory(&queue->nodes) + bp__table_memory(&queue->earliest);
}

bp_status bp__waiter_prepare(bp_waiter_queue *queue, bp_ticket *ticket) {
    bp_waiter *node = (bp_waiter *)bp__stack_pop(&queue->free);
    if (node == NULL) {
        uint32_t index = bp__table_extend(&queue->nodes, BP_MAX_WAITERS + 1);
        if (index == BP_TABLE_NONE) {
            return bp__table_used(&queue->nodes) > BP_MAX_WAITERS ? BP_TOO_MANY_WAITERS : BP_OUT_OF_MEMORY;
        }
        node = bp__waiter_at(queue, index);
        node->index = index;
    }
    if (!bp__table_reserve(&queue->earliest, node->index / BP_GROUP_SIZE)) {
        bp__stack_push(&queue->free, &node->entry);
        return BP_OUT_OF_MEMORY;
    }
    /* Relaxed: the node was popped from the free stack or created by this thread, so no other thread writes its state.
     */
    uint64_t generation = ((bp__load_relaxed(&node->state) >> BP_STATUS_BITS) + 1) & BP_GENERATION_MASK;
    /* Release: pairs with the loads of the state in bp__waiter_join and bp__waiter_end by another thread. */
    bp__store(&node->state, (generation << BP_STATUS_BITS) | BP_WAITER_PREPARED);
    *ticket = (bp_ticket){(generation << BP_INDEX_BITS) | node->index};
    return BP_OK;
}

/*
 * Frees the node of a waiter that was never in the list, if it has this status. Returns false if it has another one.
 * The compare-and-swap decides which thread frees the node. The push orders what comes before the next use of the node.
 * Seldom called.
 */
static __attribute__((noinline)) bool bp__waiter_free(bp_waiter_queue *queue, bp_ticket ticket,
                                                      bp_waiter_status status) {
    bp_waiter *node = bp__ticket_node(queue, ticket);
    uint64_t state = bp__ticket_state(ticket, status);
    if (node == NULL || !bp__cas(&node->state, &state, bp__ticket_state(ticket, BP_WAITER_FREE))) {
        return false;
    }
    bp__stack_push(&queue->free, &node->entry);
    return true;
}

bool bp__waiter_is_prepared(const bp_waiter_queue *queue) {
    uint32_t used = bp__table_used(&queue->nodes);
    /* Acquire: pairs with the store in bp__waiter_prepare and with the operations that end a prepared wait. */
    for (uint32_t index = BP_HEAD + 1; index < used; index++) {
        bp_waiter_status status = bp__state_status(bp__load(&bp__waiter_at(queue, index)->state));
        if (status == BP_WAITER_PREPARED || status == BP_WAITER_CANCELLED) {
            return true;
        }
    }
    return false;
}

bp_status bp__waiter_withdraw(bp_waiter_queue *queue, bp_ticket ticket) {
    if (bp__waiter_free(queue, ticket, BP_WAITER_PREPARED)) {
        return BP_OK;
    }
    return bp__waiter_free(queue, ticket, BP_WAITER_CANCELLED) ? BP_CANCELLED : BP_STALE_TICKET;
}

bp_status bp__waiter_join(bp_waiter_queue *queue, bp_ticket ticket, void *context, bp_atomic64 *home, uint64_t deadline,
                          bool *is_earliest) {
    *is_earliest = false;
    bp_waiter *node = bp__ticket_node(queue, ticket);
    if (node == NULL) {
        return BP_STALE_TICKET;
    }
    /* Acquire: pairs with the store in bp__waiter_prepare. The relaxed stores below are published together. */
    uint64_t state = bp__load(&node->state);
    if (state == bp__ticket_state(ticket, BP_WAITER_PREPARED)) {
        bp__store_relaxed(&node->context, (uint64_t)(uintptr_t)context);
        bp__store_relaxed(&node->home, (uint64_t)(uintptr_t)home);
        bp__store_relaxed(&node->deadline, deadline);
        /*
         * From this compare-and-swap on, other threads can end the wait. It publishes the context and the deadline:
         * pairs with the loads of the state in bp__waiter_end, bp__waiter_walk and bp__waiter_expire.
         */
        if (bp__cas(&node->state, &state, bp__ticket_state(ticket, BP_WAITER_WAITING))) {
            bp__waiter_append(queue, node);
            if (deadline != BP_NO_DEADLINE) {
                *is_earliest = bp__waiter_add_deadline(queue, node, deadline);
            }
            return BP_OK;
        }
    }
    /* The waiter was cancelled before it joined. Or an earlier join with this ticket has succeeded or was cancelled. */
    return bp__waiter_free(queue, ticket, BP_WAITER_CANCELLED) ? BP_CANCELLED : BP_STALE_TICKET;
}

bool bp__waiter_exists(bp_waiter_queue *queue, unsigned statuses) {
    return bp__waiter_walk(queue, statuses, BP_KEEP_GOING).index != 0;
}

bp_waiter_status bp__waiter_hand_off(bp_waiter_queue *queue, void **context) {
    for (;;) {
        bp_found found = bp__waiter_walk(queue, BP_IN_QUEUE, BP_KEEP_GOING);
        if (found.index == 0) {
            *context = NULL;
            return BP_WAITER_FREE;
        }
        bp_waiter *node = bp__waiter_at(queue, found.index);
        /*
         * Read before the compare-and-swap, because after it the node can be reused. Relaxed: the acquire load of the
         * state in the walk came before.
         */
        uint64_t its_context = bp__load_relaxed(&node->context);
        if (bp__cas(&node->state, &found.state, bp__state_with(found.state, BP_WAITER_HANDED_OFF))) {
            *context = (void *)(uintptr_t)its_context;
            return bp__state_status(found.state);
        }
    }
}

/*
 * Raises the counter that is the home of this node's waiter. The load is relaxed, because the acquire load of the state
 * in the walk came before. The addition is a full barrier: pairs with the load of the holds in bp__driver_may_end.
 */
static bp_atomic64 *bp__raise_home(const bp_waiter *node) {
    bp_atomic64 *home = (bp_atomic64 *)(uintptr_t)bp__load_relaxed(&node->home);
    if (home != NULL) {
        bp__add(home, 1);
    }
    return home;
}

bool bp__waiter_begin_opening(bp_waiter_queue *queue, bp_ticket *ticket, bp_atomic64 **home) {
    for (;;) {
        bp_found found = bp__waiter_walk(queue, 1u << BP_WAITER_WAITING, BP_KEEP_GOING);
        if (found.index == 0) {
            return false;
        }
        bp_waiter *node = bp__waiter_at(queue, found.index);
        uint64_t generation = found.state >> BP_STATUS_BITS;
        /*
         * Raised before the compare-and-swap, because after it another thread can end the wait, and then the driver to
         * which the home belongs could end. If the compare-and-swap fails, the home may be that of a waiter whose wait
         * has ended, so it is lowered again.
         */
        bp_atomic64 *its_home = home == NULL ? NULL : bp__raise_home(node);
        if (bp__cas(&node->state, &found.state, bp__state_with(found.state, BP_WAITER_OPENING))) {
            *ticket = (bp_ticket){(generation << BP_INDEX_BITS) | found.index};
            if (home != NULL) {
                *home = its_home;
            }
            return true;
        }
        if (its_home != NULL) {
            bp__add(its_home, (uint64_t)-1);
        }
    }
}

bool bp__waiter_requeue(bp_waiter_queue *queue, bp_ticket ticket) {
    bp_waiter *node = bp__ticket_node(queue, ticket);
    /* The compare-and-swap pairs with the loads of the state in the walk. */
    uint64_t opening = bp__ticket_state(ticket, BP_WAITER_OPENING);
    return node != NULL && bp__cas(&node->state, &opening, bp__ticket_state(ticket, BP_WAITER_WAITING));
}

bp_waiter_status bp__waiter_end(bp_waiter_queue *queue, bp_waiter *node, uint64_t generation, void **context) {
    /* Acquire: pairs with the compare-and-swap in bp__waiter_join, after which the context is there. */
    uint64_t state = bp__load(&node->state);
    while ((state >> BP_STATUS_BITS) == generation) {
        bp_waiter_status before = bp__state_status(state);
        if (before == BP_WAITER_PREPARED) {
            if (bp__cas(&node->state, &state, bp__state_with(state, BP_WAITER_CANCELLED))) {
                *context = NULL;
                return before;
            }
        } else if (before == BP_WAITER_WAITING || before == BP_WAITER_OPENING) {
            /* Relaxed: the acquire load of the state, or a compare-and-swap that failed, came before. */
            uint64_t its_context = bp__load_relaxed(&node->context);
            /* Counted before the node is dead. Otherwise a walk that takes the node out could lower the count below 0.
             */
            bp__add(&queue->dead, 1);
            if (bp__cas(&node->state, &state, bp__state_with(state, BP_WAITER_LEFT))) {
                *context = (void *)(uintptr_t)its_context;
                return before;
            }
            bp__add(&queue->dead, (uint64_t)-1);
        } else {
            break;
        }
    }
    return BP_WAITER_FREE;
}

bp_waiter_status bp__waiter_leave(bp_waiter_queue *queue, bp_ticket ticket, void **context) {
    bp_waiter *node = bp__ticket_node(queue, ticket);
    return node == NULL ? BP_WAITER_FREE : bp__waiter_end(queue, node, ticket.value >> BP_INDEX_BITS, context);
}
