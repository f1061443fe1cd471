/* What the files of bp_blocking.h share: waiting threads, and reconciling. */
#ifndef BP_RECONCILE_H
#define BP_RECONCILE_H

#include "include/bp_blocking.h"
#include "parking.h"

/*
 * A thread that waits in bp_acquire. It is on the stack of that thread, which leaves bp_acquire only after another
 * thread has posted to it, or after it has claimed its own wait.
 */
typedef struct {
    bp_parking parking; /* Posting to it also publishes the other fields. */
    bp_status status;
    bp_lease lease;
    bp_close_function close; /* With BP_SHUT_DOWN: the function that closes connections. */
    void *close_context;
} bp_sleeper;

/* The part of bp_acquire after no connection was idle. */
bp_status bp__acquire_slowly(bp_pool *pool, uint64_t timeout, bp_lease *lease);

/* bp_release. If it returns BP_RECONCILE, the thread has entered the pool. */
bp_status bp__release_and_enter(bp_pool *pool, bp_lease lease);

/* The part of bp_release_and_reconcile after a waiter or an excess was found, for a thread that is inside the pool. */
bp_status bp__reconcile_and_leave(bp_pool *pool, bp_close_function close, void *context);

/*
 * bp_reconcile for a caller that is inside the pool (bp__enter). If close is NULL, excess connections stay idle. With
 * cancellation of the thread disabled, because a close function may contain a cancellation point.
 */
void bp__reconcile(bp_pool *pool, bp_close_function close, void *context);

/* Calls the close function, with cancellation of the thread disabled. */
void bp__close(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

#endif
