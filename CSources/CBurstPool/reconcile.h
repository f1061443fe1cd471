/* SPDX-License-Identifier: Apache-2.0 */

/* What the files that implement bp_blocking.h and bp_callback.h share: waiting threads, and reconciling. */
#ifndef BP_RECONCILE_H
#define BP_RECONCILE_H

#include "driver.h"
#include "include/bp_blocking.h"
#include "parking.h"

/* How a thread closes connections: with a function, on the loop of a driver, or not at all. */
typedef struct {
    bp_close_function close;
    void *context;
    bp_driver *driver;
} bp_closer;

static const bp_closer bp__no_closer = {NULL, NULL, NULL};

/*
 * A thread that waits in bp_acquire. The structure is on the stack of that thread, which leaves bp_acquire only after
 * another thread has posted to the structure, or after it has claimed its own wait.
 */
typedef struct {
    bp_parking parking; /* Posting to it also publishes the other fields. */
    bp_status status;
    bp_lease lease;
    bp_closer closer; /* With BP_SHUT_DOWN: how to close connections. The thread calls bp__closer_end. */
} bp_sleeper;

/* The part of bp_acquire that runs if no connection is idle. */
bp_status bp__acquire_slowly(bp_pool *pool, uint64_t timeout, bp_lease *lease);

/*
 * Does the same as bp_release with the driver's pool. The driver does not end during this call. If the call returns
 * BP_RECONCILE, it has taken a hold, which the caller must give up.
 */
bp_status bp__release_and_hold(bp_driver *driver, bp_lease lease);

/*
 * The part of bp_release_and_reconcile that runs if callers wait or excess connections exist. The calling thread is
 * inside the pool, and leaves it.
 */
bp_status bp__reconcile_and_leave(bp_pool *pool, bp_close_function close, void *context);

/* Ends the use of a closer that another thread has passed on with BP_SHUT_DOWN. */
static inline void bp__closer_end(const bp_closer *closer) {
    if (closer->driver != NULL) {
        bp__driver_unhold(closer->driver);
    }
}

/*
 * Does the same as bp_reconcile, for a caller that is inside the pool (bp__enter) or holds a driver. If the closer has
 * neither a close function nor a driver, excess connections stay idle. If it has a close function, the caller has
 * disabled cancellation of its thread, because the function may contain a cancellation point.
 */
void bp__reconcile(bp_pool *pool, const bp_closer *closer);

/* Calls bp__reconcile for a caller that holds this driver. */
static inline void bp__reconcile_for(bp_driver *driver) {
    bp__reconcile(driver->pool, &(bp_closer){.driver = driver});
}

/* Calls the close function, with cancellation of the thread disabled. */
void bp__close(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

#endif
