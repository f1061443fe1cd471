/*
 * The waiter queue: first in, first out, with removal anywhere.
 *
 * A linked list of type-stable nodes. Appending is Michael and Scott's queue; removing is Harris's list as Michael made
 * it fit for reused nodes: a node is dead once its status says so, its link is then marked so that nothing can be
 * appended to it or removed behind it, and a compare-and-swap on its predecessor's link takes it out. Links have tags,
 * raised at each change, so that a link seen before a node was reused cannot be mistaken for the present one.
 * The last node is never taken out, even when dead, so that appending always finds the tail in the list.
 *
 *   M. M. Michael, M. L. Scott, Simple, fast, and practical non-blocking and blocking concurrent queue algorithms,
 *     PODC 1996.
 *   T. L. Harris, A pragmatic implementation of non-blocking linked lists, DISC 2001.
 *   M. M. Michael, High performance dynamic lock-free hash tables and list-based sets, SPAA 2002.
 *
 * What becomes of a waiter is decided by one compare-and-swap on its state: whoever moves it to served or gone owns the
 * right, and the duty, to resume it. All else (marking, taking out, reuse) is housekeeping that any thread may do.
 *
 *   free     -> prepared   bp_waiter_prepare        waiting -> opening   bp_waiter_begin_opening
 *   prepared -> waiting    bp_waiter_join           opening -> waiting   bp_waiter_requeue
 *   prepared -> cancelled  bp_waiter_leave          waiting, opening -> served   bp_waiter_serve_oldest
 *   cancelled -> free      bp_waiter_join,          waiting, opening -> gone     bp_waiter_leave, bp_waiter_expire
 *                          bp_waiter_withdraw       served, gone -> prepared     bp_waiter_prepare, once the node has
 *   prepared -> free       bp_waiter_withdraw                                    been taken out of the list
 *
 * Dead nodes at the front are taken out by whoever next looks for the oldest waiter, and those that were served are all
 * there: only those that have gone, which may be anywhere, are counted. They are taken out by a sweep once they
 * outnumber the living by a constant share, so leaving is O(1) amortised and the memory of the queue stays proportional
 * to the waiters alive.
 */
#ifndef BP_WAITER_QUEUE_H
#define BP_WAITER_QUEUE_H

#include "type_stable_table.h"

#include "include/bp_pool.h"

typedef enum {
    BP_WAITER_FREE = 0,
    BP_WAITER_PREPARED = 1,
    BP_WAITER_WAITING = 2, /* For a connection or a permit. */
    BP_WAITER_OPENING = 3, /* A connection is being opened on its behalf; one that is returned will do as well. */
    BP_WAITER_SERVED = 4, /* From here on, a node in the list is dead. */
    BP_WAITER_GONE = 5,
    BP_WAITER_CANCELLED = 6, /* Before it joined. */
} bp_waiter_status;

typedef struct {
    bp_table nodes;    /* Node 0 is the head: always in the list, never a waiter. */
    bp_table earliest; /* For each 64 nodes, no later than the earliest deadline of those that wait, or a mark. */
    /* Lines of their own: joining writes the first two, and reads what is before them and behind. */
    _Alignas(64) bp_stack free;
    _Alignas(64) bp_atomic64 tail;
    _Alignas(64) bp_atomic64 dead; /* Nodes in the list whose waiter is gone. */
    bp_atomic64 sweeping;          /* Advice: somebody is at it. */
    bp_atomic64 marks;             /* How many marks were made. */
    bp_atomic64 earliest_of_all;   /* No later than the earliest deadline of all; BP_NO_DEADLINE if none. */
} bp_waiter_queue;

bool bp_waiter_queue_create(bp_waiter_queue *queue);
void bp_waiter_queue_destroy(bp_waiter_queue *queue);

/* Bytes that the queue has of the system. */
size_t bp_waiter_queue_memory(const bp_waiter_queue *queue);

/* Takes a node for a waiter that will join. BP_OK, BP_TOO_MANY_WAITERS or BP_OUT_OF_MEMORY. */
bp_status bp_waiter_prepare(bp_waiter_queue *queue, bp_ticket *ticket);

/*
 * Appends the waiter. BP_OK; BP_CANCELLED if it left before it joined; BP_STALE_TICKET.
 * *is_earliest: whether its deadline is now the earliest of all, so that the timer must be set anew.
 */
bp_status bp_waiter_join(bp_waiter_queue *queue, bp_ticket ticket, void *context, uint64_t deadline, bool *is_earliest);

/*
 * Gives the node back of a waiter that has not joined, and will not. BP_OK; BP_CANCELLED if it left before;
 * BP_STALE_TICKET.
 */
bp_status bp_waiter_withdraw(bp_waiter_queue *queue, bp_ticket ticket);

/* Whether somebody waits whose status is one of these (bits: 1 << status). */
bool bp_waiter_exists(bp_waiter_queue *queue, unsigned statuses);

/* Makes the oldest waiter go. Returns its status before, or BP_WAITER_FREE when nobody waits. */
bp_waiter_status bp_waiter_serve_oldest(bp_waiter_queue *queue, void **context);

/* Moves the oldest waiter that waits for a permit to opening. */
bool bp_waiter_begin_opening(bp_waiter_queue *queue, bp_ticket *ticket);

/* Moves this waiter from opening back to waiting, where it stands. False if it has gone, or was not opening. */
bool bp_waiter_requeue(bp_waiter_queue *queue, bp_ticket ticket);

/*
 * Makes this waiter go, if it has not gone already. Returns its status before, or BP_WAITER_FREE if it was too late.
 * A waiter that was only prepared has no context yet: *context is NULL.
 */
bp_waiter_status bp_waiter_leave(bp_waiter_queue *queue, bp_ticket ticket, void **context);

typedef struct {
    uint32_t gone;
    uint32_t gone_without_permit; /* Of these, those whose status was waiting. */
    uint64_t next; /* When to call again; BP_NO_DEADLINE if somebody else sees to that, or nobody need. */
} bp_waiter_expiry;

/* Makes waiters go whose deadline is not after now: up to capacity of them, whose contexts it stores. */
bp_waiter_expiry bp_waiter_expire(bp_waiter_queue *queue, uint64_t now, void **contexts, size_t capacity);

/* No later than the earliest deadline of those who wait; BP_NO_DEADLINE if there is none. */
uint64_t bp_waiter_next_deadline(const bp_waiter_queue *queue);

/* To be called by whoever made a waiter go that need not have been the oldest. alive: how many still wait. */
void bp_waiter_tidy(bp_waiter_queue *queue, uint64_t alive);

#endif
