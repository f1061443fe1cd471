/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The wait queue: first in, first out, and a waiter can leave from anywhere.
 *
 * The queue is a linked list of type-stable nodes. A node is appended as in Michael and Scott's queue. It is removed as
 * in Harris's list, in the form that Michael gave it for nodes that are reused: first the waiter's status says that the
 * waiter has left, then the deleted bit is set in the node's link, and then a compare-and-swap on the link of the
 * previous node takes the node out. Once the deleted bit is set, nothing can be appended to the node and the node after
 * it cannot be taken out. Each change of a link raises the link's tag, so that a link read before a node was reused is
 * never mistaken for the present link. The last node is never taken out, even when its waiter has left, so the tail
 * always leads into the list.
 *
 *   M. M. Michael, M. L. Scott, Simple, fast, and practical non-blocking and blocking concurrent queue algorithms,
 *     PODC 1996.
 *   T. L. Harris, A pragmatic implementation of non-blocking linked lists, DISC 2001.
 *   M. M. Michael, High performance dynamic lock-free hash tables and list-based sets, SPAA 2002.
 *
 * One compare-and-swap on a waiter's state decides how its wait ends. The thread whose compare-and-swap sets the status
 * to handed off or to left must resume the waiter, and no other thread does. All that follows (setting the deleted bit,
 * taking the node out, reusing it) is housekeeping that any thread may do.
 *
 *   status before       status after   set by
 *   free                prepared       bp__waiter_prepare
 *   prepared            waiting        bp__waiter_join
 *   prepared            cancelled      bp__waiter_leave
 *   prepared            free           bp__waiter_withdraw
 *   cancelled           free           bp__waiter_join, bp__waiter_withdraw
 *   waiting             opening        bp__waiter_begin_opening
 *   opening             waiting        bp__waiter_requeue
 *   waiting, opening    handed off     bp__waiter_hand_off
 *   waiting, opening    left           bp__waiter_leave, bp__waiter_expire
 *   handed off, left    prepared       bp__waiter_prepare, after the node was taken out of the list
 *
 * A node in the list is dead when its waiter was handed off or has left. Every search for the oldest waiter takes out
 * the dead nodes at the front; all nodes whose waiters were handed off are at the front. Nodes whose waiters have left
 * may be anywhere. These are counted, and when there are more than half as many of them as live waiters (plus a
 * constant), a purge takes them out. So leaving costs O(1) amortised, and the memory of the queue stays proportional to
 * the number of live waiters.
 *
 * The code is in three files: waiter_list.c has the list and the purge, waiter_deadlines.c the deadlines, and
 * waiter_queue.c the life of a waiter. waiter_node.h has what the three files share.
 */
#ifndef BP_WAITER_QUEUE_H
#define BP_WAITER_QUEUE_H

#include "type_stable_table.h"

#include "include/bp_pool.h"

typedef enum {
    BP_WAITER_FREE = 0,
    BP_WAITER_PREPARED = 1,
    BP_WAITER_WAITING = 2, /* The waiter waits for a connection or a permit. */
    BP_WAITER_OPENING = 3, /* A connection is being opened for this waiter. It also accepts a released one. */
    /* A node in the list with one of the next two statuses is dead. */
    BP_WAITER_HANDED_OFF = 4, /* It was the oldest waiter, and bp__waiter_hand_off removed it. */
    BP_WAITER_LEFT = 5,       /* It was claimed or has expired. */
    BP_WAITER_CANCELLED = 6,  /* It was claimed before it joined. */
} bp_waiter_status;

typedef struct {
    bp_table nodes;    /* Node 0 is the head: always in the list, never a waiter. */
    bp_table earliest; /* For each group of 64 nodes, its earliest deadline: see waiter_deadlines.c. */
    /*
     * A join writes the next two members, which have cache lines of their own. It only reads the members before and
     * after them, unless its deadline is the earliest.
     */
    _Alignas(64) bp_stack free;
    _Alignas(64) bp_atomic64 tail;
    _Alignas(64) bp_atomic64 dead; /* The nodes in the list whose waiters have left. */
    bp_atomic64 purging;           /* 1 while a purge is under way. Advice, not a lock: see bp__waiter_purge. */
    bp_atomic64 scans;             /* The number of scan numbers that were given out. */
    bp_atomic64 earliest_of_all;   /* No later than the earliest deadline of all waiters; BP_NO_DEADLINE if none. */
} bp_waiter_queue;

bool bp__waiter_queue_create(bp_waiter_queue *queue);
void bp__waiter_queue_destroy(bp_waiter_queue *queue);

/* Returns the number of bytes that the queue has allocated. */
size_t bp__waiter_queue_memory(const bp_waiter_queue *queue);

/* Takes a node for a waiter that will join. BP_OK, BP_TOO_MANY_WAITERS or BP_OUT_OF_MEMORY. */
bp_status bp__waiter_prepare(bp_waiter_queue *queue, bp_ticket *ticket);

/*
 * Appends the waiter to the queue. BP_OK; BP_CANCELLED if it left before it joined; BP_STALE_TICKET.
 * home: NULL, or a counter that bp__waiter_begin_opening raises. Its memory must live as long as the queue.
 * *is_earliest: the waiter's deadline is now the earliest of all, so that the caller must set the timer again.
 */
bp_status bp__waiter_join(bp_waiter_queue *queue, bp_ticket ticket, void *context, bp_atomic64 *home, uint64_t deadline,
                          bool *is_earliest);

/*
 * Frees the node of a waiter that has not joined and will not join. BP_OK; BP_CANCELLED if the waiter was cancelled
 * before; BP_STALE_TICKET.
 */
bp_status bp__waiter_withdraw(bp_waiter_queue *queue, bp_ticket ticket);

/* Returns whether a ticket exists that was prepared and has not joined. Exact only while no other call runs. O(nodes).
 */
bool bp__waiter_is_prepared(const bp_waiter_queue *queue);

/* Returns whether a waiter has one of these statuses (bits: 1 << status). */
bool bp__waiter_exists(bp_waiter_queue *queue, unsigned statuses);

/* Removes the oldest waiter. Returns its status before, or BP_WAITER_FREE if the queue is empty. */
bp_waiter_status bp__waiter_hand_off(bp_waiter_queue *queue, void **context);

/*
 * Moves the oldest waiter that has no permit to opening. Returns false if there is none. home (may be NULL): *home
 * becomes the waiter's home, or NULL if the waiter has none. The call has raised this counter by 1 while the waiter was
 * still waiting, so that the driver to which the counter belongs does not end before the caller lowers it.
 */
bool bp__waiter_begin_opening(bp_waiter_queue *queue, bp_ticket *ticket, bp_atomic64 **home);

/* Moves this waiter from opening back to waiting, at its position in the queue. Returns false if it is not opening. */
bool bp__waiter_requeue(bp_waiter_queue *queue, bp_ticket ticket);

/*
 * Removes this waiter, wherever it is in the queue. Returns its status before, or BP_WAITER_FREE if its wait has ended
 * already. A waiter that was only prepared has no context yet: *context is NULL.
 */
bp_waiter_status bp__waiter_leave(bp_waiter_queue *queue, bp_ticket ticket, void **context);

typedef struct {
    uint32_t expired;
    uint32_t expired_without_permit; /* Of these, the waiters whose status was waiting. */
    uint64_t next;                   /* The earliest deadline that is left, or an earlier time. */
    bool is_earliest;                /* No other caller was told a time that is as early as next. */
} bp_waiter_expiry;

/* Removes up to capacity waiters whose deadline is not after now, and stores their contexts. */
bp_waiter_expiry bp__waiter_expire(bp_waiter_queue *queue, uint64_t now, void **contexts, size_t capacity);

/* Returns a time no later than the earliest deadline of the waiters, or BP_NO_DEADLINE if none has a deadline. */
uint64_t bp__waiter_next_deadline(const bp_waiter_queue *queue);

/*
 * Takes dead nodes out of the list if the list has many. To be called after a waiter has left. alive: the number of
 * waiters that are still in the queue.
 */
void bp__waiter_purge(bp_waiter_queue *queue, uint64_t alive);

#endif
