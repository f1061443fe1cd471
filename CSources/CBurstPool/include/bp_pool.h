/*
 * The pool: slots for connections, the idle ones among them, and the callers that wait for one.
 *
 * The pool does not open, check or close connections, and it does not put anybody to sleep: it keeps the books, and
 * says what is to be done. For programs of plain threads bp_blocking.h does the rest. What follows here is for those
 * who bring their own way of waiting, as the Swift library does.
 *
 * Words
 *
 *   slot     a place for one connection, with room for an element (a pointer, a file descriptor, any struct)
 *   lease    the right to a slot, with a serial number; once it has ended, every call with it answers BP_STALE_LEASE
 *   permit   a lease whose slot has no connection yet: the right to open one
 *   total    idle + leased + opening + closing
 *   surplus  total without those closing is above max_size
 *
 * Settling
 *
 *   Whatever makes a connection or a permit free (a return, a close, a failed opening, a higher limit) may be what
 *   somebody waits for. So after bp_release, bp_release_exclusive, bp_put_swept or bp_return_swept answered BP_SETTLE,
 *   and after bp_finish_close, bp_cancel_open, bp_detach, bp_wait_join, bp_wait_requeue, bp_resize, bp_resume and
 *   bp_shutdown, the caller settles:
 *
 *     for ever:
 *         if bp_somebody_waits(pool):
 *             if bp_take_idle(pool, &lease) is BP_OK:
 *                 if bp_hand_over(pool, &context) is BP_OK: resume that waiter with the lease
 *                 else bp_put_back(pool, lease)
 *             else if bp_begin_open(pool, &ticket, &lease) is BP_OK:
 *                 open a connection for that waiter; then bp_finish_open, and if bp_wait_claim(pool, ticket, &context)
 *                 is BP_OK resume it with the lease, else bp_release, and settle. If it does not open: bp_cancel_open,
 *                 and either bp_wait_claim and resume it with the error, or bp_wait_requeue; and settle
 *             else stop
 *         else if bp_has_surplus(pool):
 *             if bp_take_idle(pool, &lease) is BP_OK:
 *                 if bp_begin_close_surplus(pool, lease) is BP_OK: close the connection, bp_finish_close, and settle
 *                 else bp_put_back(pool, lease)
 *             else stop
 *         else stop
 *
 *   Whoever has put something back looks again, so that nobody is left waiting beside a free connection. bp_settle in
 *   bp_blocking.h is this loop for threads.
 *
 * Sweeping
 *
 *   Maintenance (closing what is too old, or has died unnoticed) must look at all idle connections, also at the cold
 *   ones at the bottom of the stacks, and must not take them away from everybody meanwhile. A sweep is:
 *
 *     as often as connections were idle at the start, while bp_take_unswept(pool, &lease) is BP_OK:
 *         look at the connection
 *         if it may stay: bp_put_swept, and settle if that answers BP_SETTLE
 *         else bp_begin_close, close the connection, bp_finish_close, and settle
 *     until bp_return_swept answers BP_EMPTY: settle if it answers BP_SETTLE
 *
 *   No more than one connection is in the sweeper's hands at a time. What it has put back is idle: bp_try_acquire and
 *   bp_take_idle find it when they find nothing warmer. bp_return_swept puts it back among the others, in the order
 *   in which it was, so that what is seldom used does not come to be used for being looked at. What has just been used
 *   when the sweep comes by may be passed over.
 *
 *   One sweeper at a time. Two do no harm, but what the one has put back as swept, the other returns to those that are
 *   not: some are looked at twice, and some not until the next sweep. A sweeper that is stopped for ever withholds the
 *   one connection in its hands; what it has put back stays in use, and comes back to its place with the next sweep.
 *
 * Synchronization: which calls may run at the same time on one pool
 *
 *   all but these two                               with each other, from any thread, without limits
 *   bp_pool_create, bp_pool_destroy                 with nothing
 *
 *   No call takes a lock or waits for another thread. A thread stopped for ever anywhere inside a call keeps the others
 *   from nothing but the one slot or waiter that it has in hand. Memory is asked of the system only when more slots or
 *   waiters exist at once than ever before. A lease or a ticket is a plain value: passing it to another thread needs
 * the same care as passing a pointer.
 *
 *   bp_release and all else that gives a slot away happens before the call that takes it next, so that what one owner
 *   wrote to the element and to the connection is there for the next one.
 *
 * Misuse
 *
 *   NULL, a lease of another pool, a lease that has ended, a second release (also at the same instant): a status, and
 * the pool is untouched. A pool that was destroyed, a bp_lease that no call ever gave out, a ticket of another pool,
 * or one that two threads join with at the same instant, cannot be told from a good one. Settle also after
 * bp_begin_close has answered BP_STALE_LEASE: for a moment it has hidden a surplus.
 */
#ifndef BP_POOL_H
#define BP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bp_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_pool bp_pool;
typedef struct bp_slot bp_slot;

/* Tells Swift's compiler that a value may be passed between threads. Other compilers see nothing. */
#if defined(__has_attribute)
#if __has_attribute(swift_attr)
#define BP_SENDABLE __attribute__((swift_attr("@Sendable")))
#endif
#endif
#ifndef BP_SENDABLE
#define BP_SENDABLE
#endif

/* A lease. {NULL, 0} is none. */
typedef struct BP_SENDABLE bp_lease {
    bp_slot *slot;
    uint64_t serial;
} bp_lease;

/* One wait of one caller. Never used twice. */
typedef struct bp_ticket {
    uint64_t value;
} bp_ticket;

/* What a slot is, at one moment. */
typedef enum bp_slot_state {
    BP_SLOT_VACANT = 0,  /* No connection, and nobody opens one. */
    BP_SLOT_OPENING = 1, /* Somebody has the permit. */
    BP_SLOT_IDLE = 2,    /* Or just taken. */
    BP_SLOT_LEASED = 3,
    BP_SLOT_CLOSING = 4,
} bp_slot_state;

/* A look at a slot. */
typedef struct bp_slot_view {
    bp_slot_state state;
    bp_lease lease; /* The slot, and its present serial number, which is another one each time it changes hands. */
} bp_slot_view;

/* The greatest max_size and hard_limit. */
#define BP_MAX_SIZE 1073741823u
/* How many can wait at the same time. */
#define BP_MAX_WAITERS 67108862u
/* A deadline that never comes. */
#define BP_NO_DEADLINE UINT64_MAX

typedef struct bp_pool_configuration {
    /* The soft limit: above it, connections that come back are surplus. 1 to BP_MAX_SIZE. */
    uint32_t max_size;
    /* The hard limit: no permit is given out beyond it. max_size to BP_MAX_SIZE. */
    uint32_t hard_limit;
    /* How many callers may wait at the same time who have no permit: see bp_wait_join. 0 means BP_MAX_WAITERS. */
    uint32_t max_waiters;
    /* Bytes for the element in each slot: 0 to 2^30. */
    size_t element_size;
    /* Alignment of the element, a power of two, at most 64; 0 means that of a pointer. */
    size_t element_alignment;
    /* Stripes of the idle stack, rounded up to a power of two, at most 1024; 0 means twice the number of CPUs. */
    uint32_t stripes;
    /* Kept for the user: see bp_pool_owner. */
    void *owner;
    /* Called with owner, if it is not NULL, when the pool is destroyed or could not be created. */
    void (*release_owner)(void *owner);
} bp_pool_configuration;

/* Counts at one moment. Exact when nothing else is under way; else each slot is counted where it was when looked at. */
typedef struct bp_pool_statistics {
    uint32_t idle;
    uint32_t leased;
    uint32_t opening;
    uint32_t closing;
    uint32_t waiting; /* Callers that wait, those for whom a connection is being opened included. */
    uint32_t max_size;
    uint32_t hard_limit;
    bool is_shut_down;
} bp_pool_statistics;

/* The pool. */

/*
 * Creates a pool without connections.
 * BP_OK; BP_INVALID_ARGUMENT (a NULL); BP_INVALID_CONFIGURATION; BP_OUT_OF_MEMORY. Unless BP_OK, *pool is NULL.
 */
bp_status bp_pool_create(const bp_pool_configuration *configuration, bp_pool **pool);

/*
 * Frees the pool. Its connections must have been closed (or detached) before, and nobody may be in a call.
 * BP_OK; BP_INVALID_ARGUMENT; BP_BUSY: connections exist or callers wait, and nothing has happened.
 */
bp_status bp_pool_destroy(bp_pool *pool);

/* What the configuration named as the owner. NULL for NULL. */
void *bp_pool_owner(const bp_pool *pool);

/* Changes the limits; leased connections stay. Settle afterwards. BP_OK; BP_INVALID_...; BP_SHUT_DOWN. */
bp_status bp_resize(bp_pool *pool, uint32_t max_size, uint32_t hard_limit);

/*
 * Pauses the pool: until bp_resume nothing is leased by bp_try_acquire and no permit is given out, so that settling
 * serves nobody. All else goes on: callers join the queue, leave it and time out, connections come back, and what is
 * surplus is closed. A call that had begun before may still serve somebody. Idempotent; pauses do not add up.
 * BP_OK; BP_SHUT_DOWN: nothing has happened, for a shutdown ends a pause and lets none begin; BP_INVALID_ARGUMENT.
 */
bp_status bp_pause(bp_pool *pool);

/* Ends the pause, if there is one. Settle afterwards. BP_OK; BP_INVALID_ARGUMENT. */
bp_status bp_resume(bp_pool *pool);

/* Whether the pool is paused. Not after bp_shutdown. */
bool bp_is_paused(const bp_pool *pool);

/*
 * Shuts the pool down: nothing is leased, opened or waited for from now on, and all idle connections are surplus.
 * Idempotent. Afterwards make the waiters go with bp_hand_over until BP_EMPTY (without a lease to give them), and
 * settle. BP_OK; BP_INVALID_ARGUMENT.
 */
bp_status bp_shutdown(bp_pool *pool);

/* Whether bp_shutdown was called. */
bool bp_is_shut_down(const bp_pool *pool);

/* idle + leased + opening + closing, in O(1). */
uint32_t bp_total(const bp_pool *pool);

/* How many callers wait, those for whom a connection is being opened included, in O(1). */
uint32_t bp_waiting(const bp_pool *pool);

/* Of these, those for whom no connection is being opened. O(1). 0 for NULL. */
uint32_t bp_queued(const bp_pool *pool);

/*
 * Looks at the slot with this index, from 0. What it says may be outdated when it is read: other threads go on. The
 * lease is somebody else's, if it is anybody's: good to recognise it, and for who has agreed on it with its owner, as
 * with the one who closes the connection of a slot in BP_SLOT_CLOSING. What was done before a close began is visible to
 * who sees the slot closing.
 * BP_OK; BP_EMPTY: so many slots were never used, and no later one was either; BP_INVALID_ARGUMENT. O(1).
 */
bp_status bp_slot_at(const bp_pool *pool, uint32_t index, bp_slot_view *view);

/* Counts all. O(slots). BP_OK; BP_INVALID_ARGUMENT. */
bp_status bp_pool_statistics_get(const bp_pool *pool, bp_pool_statistics *statistics);

/* Bytes that the pool has of the system, those not yet touched included. O(log slots). */
size_t bp_pool_memory(const bp_pool *pool);

/* Leases. */

/*
 * Takes an idle connection: the hot path. None ({NULL, 0}) if none is idle, somebody waits (nobody overtakes a
 * waiter), the pool is paused or has been shut down, or pool is NULL. Two atomic exchanges on lines that the calling
 * thread owns.
 */
bp_lease bp_try_acquire(bp_pool *pool);

/*
 * Returns a connection: the hot path. It is idle when this returns.
 * BP_OK: nothing else to do. BP_SETTLE: done; now settle. BP_INVALID_ARGUMENT; BP_FOREIGN_SLOT; BP_STALE_LEASE.
 */
bp_status bp_release(bp_pool *pool, bp_lease lease);

/*
 * bp_release for a caller that knows that nobody else can end this lease at the same instant, as a language can
 * guarantee where a lease cannot be copied. Saves an atomic operation, which is a third of the cost of a lease and its
 * return. A lease that has ended before is found all the same; two of these at the same instant with one lease are not.
 */
bp_status bp_release_exclusive(bp_pool *pool, bp_lease lease);

/* The element of a slot, for whoever holds the lease. NULL for none. Its address is the same for each lease of a slot.
 */
void *bp_element(const bp_pool *pool, bp_lease lease);

/* From the slot's address to its element's: bp_element without a check, for those who ask often. */
size_t bp_element_offset(const bp_pool *pool);

/* Whether the lease has not ended. For assertions: another thread may end it meanwhile. */
bool bp_lease_is_current(const bp_pool *pool, bp_lease lease);

/* Opening. */

/*
 * Takes a permit for the oldest waiter that has none: it goes on waiting, and is served by whichever comes first, this
 * connection or one that is returned.
 * BP_OK; BP_EMPTY: no such waiter, or the pool is paused; BP_LIMIT_REACHED; BP_OUT_OF_MEMORY; BP_INVALID_ARGUMENT.
 */
bp_status bp_begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit);

/*
 * Takes a permit for the caller itself, if nobody waits for one.
 * BP_OK; BP_EMPTY: somebody waits, or the pool is paused; BP_LIMIT_REACHED; BP_SHUT_DOWN; BP_OUT_OF_MEMORY;
 * BP_INVALID_ARGUMENT.
 */
bp_status bp_begin_open_unasked(bp_pool *pool, bp_lease *permit);

/* The connection is open, its element written: the permit is a lease now, the caller's. BP_OK or misuse. */
bp_status bp_finish_open(bp_pool *pool, bp_lease permit);

/* The connection did not open: the place is free, and the permit has ended. Settle afterwards. BP_OK or misuse. */
bp_status bp_cancel_open(bp_pool *pool, bp_lease permit);

/*
 * Turns a lease into a permit for the same place, for a caller that found its connection dead, has disposed of it and
 * opens another: it need not queue again. *permit is the new lease; the old one has ended. BP_OK or misuse.
 */
bp_status bp_reopen(bp_pool *pool, bp_lease lease, bp_lease *permit);

/* Closing. A connection that is being closed keeps its place until the close has ended. */

/* The connection of this lease is going to be closed. The lease stays good for bp_finish_close. BP_OK or misuse. */
bp_status bp_begin_close(bp_pool *pool, bp_lease lease);

/* The same, only if there is a surplus. BP_OK; BP_EMPTY: none, and the lease stays a lease; misuse. */
bp_status bp_begin_close_surplus(bp_pool *pool, bp_lease lease);

/*
 * The connection is closed, or its close is given up: its place is free. Settle afterwards. Two may try, the one who
 * closes, and one who finds that this takes too long; exactly one of them frees the place. Where that can happen the
 * closer takes all that it needs out of the element before, for the slot may be used anew.
 * BP_OK; BP_STALE_LEASE: the close had ended already, or never began; misuse.
 */
bp_status bp_finish_close(bp_pool *pool, bp_lease lease);

/* Takes the connection out of the pool: its place is free, the connection the caller's. Settle. BP_OK or misuse. */
bp_status bp_detach(bp_pool *pool, bp_lease lease);

/* Waiting. */

/*
 * Takes a place among those that may wait, without joining the queue yet: so that the wait can be cancelled from
 * elsewhere, at any time from now on. BP_OK; BP_TOO_MANY_WAITERS; BP_OUT_OF_MEMORY; BP_SHUT_DOWN; BP_INVALID_ARGUMENT.
 * After BP_OK, bp_wait_join must be called.
 */
bp_status bp_wait_prepare(bp_pool *pool, bp_ticket *ticket);

/*
 * Joins the queue at its end. context comes back, once, from the call that makes the waiter go: whoever gets it resumes
 * the waiter. That can happen before this returns. deadline: on any clock that bp_expire is called with.
 * *arm_timer (may be NULL): whether bp_expire must be called by deadline, and nobody was told so of an earlier one.
 * BP_OK: settle. BP_CANCELLED, BP_SHUT_DOWN, BP_STALE_TICKET, BP_INVALID_ARGUMENT, BP_TOO_MANY_WAITERS: not waiting,
 * context never comes back, and the ticket has ended.
 *
 * BP_TOO_MANY_WAITERS: as many wait without a permit as max_waiters and the free places together allow; those for whom
 * a connection can be opened at once do not count. Who is just being turned away counts until that is done.
 */
bp_status bp_wait_join(bp_pool *pool, bp_ticket ticket, void *context, uint64_t deadline, bool *arm_timer);

/*
 * Makes this waiter go, wherever it stands in the queue: to cancel its wait, to give it the connection that was opened
 * on its behalf, or to tell it that the opening failed. BP_OK: *context is its context, and the caller resumes it; NULL
 * if it had not joined yet (bp_wait_join will answer BP_CANCELLED). BP_STALE_TICKET: too late, it has gone already, and
 * whoever made it go resumes it. BP_INVALID_ARGUMENT. O(1), amortised: now and then one call tidies up after many.
 */
bp_status bp_wait_claim(bp_pool *pool, bp_ticket ticket, void **context);

/*
 * The waiter that bp_begin_open named, and whose connection did not open, waits for a permit again, in its old place in
 * the queue. For the one who has, or had, its permit: once for each permit. Settle afterwards, when the permit has
 * ended. BP_OK; BP_STALE_TICKET: it has gone, and whoever made it go resumes it; BP_INVALID_ARGUMENT. O(1).
 */
bp_status bp_wait_requeue(bp_pool *pool, bp_ticket ticket);

/*
 * Makes up to capacity waiters go whose deadline is not after now, and stores their contexts. Returns how many.
 * *next: when it must be called again (not after now, if there may be more); BP_NO_DEADLINE if nobody waits with a
 * deadline, or if another call, of this or of bp_wait_join, has meanwhile been told an earlier one.
 * O(waiters / 64), and for each group of 64 that has somebody whose time has come, its members.
 */
size_t bp_expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity, uint64_t *next);

/*
 * No later than the earliest deadline of those who wait; BP_NO_DEADLINE if there is none. While a call of bp_expire is
 * under way, that of those who joined since: the call answers with the rest. O(1).
 */
uint64_t bp_next_deadline(const bp_pool *pool);

/*
 * Makes the oldest waiter go, to be given the caller's lease, or to be told that there is none. BP_OK: *context;
 * BP_EMPTY: nobody waits; BP_INVALID_ARGUMENT.
 */
bp_status bp_hand_over(bp_pool *pool, void **context);

/* Settling by hand: see above. */

/* Somebody waits, or there are surplus connections. O(1); now and then true without need. */
bool bp_needs_settling(const bp_pool *pool);

/* Somebody waits for a connection, and the pool is not paused. Exact. */
bool bp_somebody_waits(bp_pool *pool);

/*
 * Somebody waits who has no permit, there is room for one more connection, and the pool is not paused. Exact. For users
 * who open fewer connections at a time than there is room for: whoever has turned bp_begin_open down for want of a
 * turn, and then gives its turn back, asks this and settles if it is so.
 */
bool bp_permit_is_wanted(bp_pool *pool);

/* More connections exist, those closing not counted, than max_size. */
bool bp_has_surplus(const bp_pool *pool);

/* Takes an idle connection though somebody may wait: to hand it over or to close it. BP_OK; BP_EMPTY;
 * BP_INVALID_ARGUMENT. */
bp_status bp_take_idle(bp_pool *pool, bp_lease *lease);

/* Puts back what bp_take_idle took. bp_release without the word that settling is needed: go on settling. BP_OK or
 * misuse. */
bp_status bp_put_back(bp_pool *pool, bp_lease lease);

/* Sweeping: see above. */

/* Takes an idle connection that the sweep has not come by, though somebody may wait. BP_OK; BP_EMPTY;
 * BP_INVALID_ARGUMENT. */
bp_status bp_take_unswept(bp_pool *pool, bp_lease *lease);

/*
 * Returns a connection, as bp_release does, to those that a sweep has looked at.
 * BP_OK: nothing else to do. BP_SETTLE: done; now settle. BP_INVALID_ARGUMENT; BP_FOREIGN_SLOT; BP_STALE_LEASE.
 */
bp_status bp_put_swept(bp_pool *pool, bp_lease lease);

/*
 * Ends a sweep, call by call: puts one connection that it has put aside, and that is idle still, back among the others,
 * the coldest first, behind what the calling thread has used last. BP_OK: nothing else to do but to call again.
 * BP_SETTLE: done; now settle, and call again. BP_EMPTY: none is left. BP_INVALID_ARGUMENT. O(1).
 */
bp_status bp_return_swept(bp_pool *pool);

/* Ages of leases. */

/*
 * Looks at all leases; bp_oldest_lease_age then knows how long each has been out at the least. Costs O(slots), so that
 * leasing costs nothing; at most once in interval. now and interval on the clock of the deadlines.
 */
void bp_observe_leases(bp_pool *pool, uint64_t now, uint64_t interval);

/* For how long the lease observed longest ago has been out at the least; 0 if none of those observed is out. O(slots).
 */
uint64_t bp_oldest_lease_age(const bp_pool *pool, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif
