/* SPDX-License-Identifier: Apache-2.0 */

/* The list of the wait queue: appending a node, walking the list, and taking dead nodes out. See waiter_queue.h. */
#include "waiter_node.h"

/*
 * A purge begins when there are more dead nodes than the slack plus half of the live waiters. When there are more than
 * the limit plus twice the live waiters, it begins even while another thread purges. Tests define smaller numbers, so
 * that purges are frequent.
 */
#ifndef BP_PURGE_SLACK
#define BP_PURGE_SLACK 64
#define BP_PURGE_LIMIT 1024
#endif

void bp__waiter_append(bp_waiter_queue *queue, bp_waiter *node) {
    /* Relaxed: the node is not in the list, so only this thread writes its link. The tag goes on from its last value.
     */
    bp__store_relaxed(&node->link, bp__link_to(bp__load_relaxed(&node->link), 0));
    for (;;) {
        /* Acquire: pairs with the compare-and-swaps that move the tail, so that the node it leads to is visible. */
        uint64_t tail = bp__load(&queue->tail);
        bp_waiter *last = bp__waiter_at(queue, bp__link_index(tail));
        /* Acquire: the tail is read again after the link. Also pairs with the compare-and-swap that appended a node. */
        uint64_t link = bp__load(&last->link);
        /* If the tail is the same after the link was read, the node was in the list when its link was read. */
        if (bp__load(&queue->tail) != tail) {
            continue;
        }
        if (bp__link_index(link) != 0) {
            /* Another thread has appended a node and not yet moved the tail: this thread moves it. */
            bp__cas(&queue->tail, &tail, bp__link_to(tail, bp__link_index(link)));
        } else if (bp__cas(&last->link, &link, bp__link_to(link, node->index))) {
            /* The compare-and-swap in the condition published the node and its fields: pairs with the loads of links in
             * the walk. */
            bp__cas(&queue->tail, &tail, bp__link_to(tail, node->index));
            return;
        }
    }
}

bp_found bp__waiter_walk(bp_waiter_queue *queue, unsigned statuses, unsigned restarts) {
restart:;
    bp_waiter *before = bp__waiter_at(queue, BP_HEAD);
    /* Acquire, here and below: pairs with the compare-and-swap in bp__waiter_append that linked the next node. */
    uint64_t to_node = bp__load(&before->link);
    for (;;) {
        uint64_t index = bp__link_index(to_node);
        if (index == 0) {
            return (bp_found){0, 0};
        }
        bp_waiter *node = bp__waiter_at(queue, index);
        uint64_t link = bp__load(&node->link);
        uint64_t state = bp__load(&node->state);
        /*
         * The two loads above are acquire, so the link before is read after them. If it is unchanged, the node was in
         * the list, behind a node without the deleted bit, when its link and state were read.
         */
        if (bp__load(&before->link) != to_node) {
            goto interference;
        }
        if ((statuses & (1u << bp__state_status(state))) != 0) {
            return (bp_found){index, state};
        }
        uint64_t next = bp__link_index(link);
        if (next == 0) {
            /* The link was read before the state. A waiter may have joined behind the node in between, so the link is
             * read again. */
            if (bp__load(&node->link) != link) {
                continue;
            }
            return (bp_found){0, 0}; /* The last node stays even when it is dead, so that others can append to it. */
        }
        if (bp__state_status(state) < BP_WAITER_HANDED_OFF) {
            before = node;
            to_node = link;
            continue;
        }
        if (!bp__link_is_deleted(link)) {
            /* From this compare-and-swap on, no thread changes the link, so `next` stays the node's successor. */
            uint64_t deleted = (link + BP_TAG_ONE) | BP_DELETED;
            if (!bp__cas(&node->link, &link, deleted)) {
                continue; /* Another walk took the successor out or set the deleted bit: look at the node again. */
            }
        }
        /*
         * The node has a successor, so the tail has reached the node. Before the node is taken out, the tail must have
         * passed it, because a tail that leads to a reused node would lead out of the list. A tail that has passed the
         * node does not lead to it again before the node is reused. Acquire: pairs with the compare-and-swaps that move
         * the tail.
         */
        uint64_t tail = bp__load(&queue->tail);
        if (bp__link_index(tail) == index) {
            /* The node must still be in the list. If it was taken out and appended again, the tail that was read
             * belongs to its new life. */
            if (bp__load(&before->link) != to_node) {
                goto interference;
            }
            bp__cas(&queue->tail, &tail, bp__link_to(tail, next));
        }
        uint64_t past_node = bp__link_to(to_node, next);
        /* Takes the node out. Pairs with the loads of this link in other walks, which then reach the successor. */
        if (!bp__cas(&before->link, &to_node, past_node)) {
            goto interference;
        }
        /*
         * The thread whose compare-and-swap has taken the node out frees it. Because of the tag, the compare-and-swap
         * of no other thread can have succeeded. Lowering the count of dead nodes orders nothing.
         */
        if (bp__state_status(state) == BP_WAITER_LEFT) {
            bp__add(&queue->dead, (uint64_t)-1);
        }
        bp__stack_push(&queue->free, &node->entry);
        to_node = past_node;
    }
interference:
    if (restarts == 0) {
        return (bp_found){0, 0};
    }
    if (restarts != BP_KEEP_GOING) {
        restarts--;
    }
    goto restart;
}

void bp__waiter_purge(bp_waiter_queue *queue, uint64_t alive) {
    /* Relaxed: the count only decides whether a purge is worth its time. */
    uint64_t dead = bp__load_relaxed(&queue->dead);
    if (dead <= alive / 2 + BP_PURGE_SLACK) {
        return;
    }
    /*
     * Two purges at the same time would disturb each other, so a second thread leaves the purge to the first one. This
     * is advice and not a lock: no thread waits for the first one. If the first thread is stopped and dead nodes pile
     * up beyond the limit, other threads purge as well. So the exchange and the store below order nothing.
     */
    if (bp__exchange(&queue->purging, 1) == 1 && dead <= 2 * alive + BP_PURGE_LIMIT) {
        return;
    }
    bp__waiter_walk(queue, 0, 3);
    bp__store(&queue->purging, 0);
}
