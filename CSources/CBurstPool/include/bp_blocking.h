/*
 * The pool for programs of plain threads: waiting with a timeout, and settling done by the library.
 *
 *     bp_lease lease;
 *     bp_status status = bp_acquire(pool, 1000000000, &lease);       // a second at most
 *     if (status == BP_OPEN) {                                       // none was idle, and one more may be opened
 *         int *fd = bp_element(pool, lease);
 *         *fd = connect_somewhere();
 *         status = *fd >= 0 ? bp_finish_open(pool, lease) : bp_give_up_open(pool, lease, close_fd, NULL);
 *     }
 *     if (status == BP_OK) {
 *         use(*(int *)bp_element(pool, lease));
 *         bp_give_back(pool, lease, close_fd, NULL);
 *     }
 *
 * A pool is used either from here or by a user's own way of waiting, not by both: the contexts of waiters differ. The
 * calls of bp_pool.h that do not wait can be used beside these. May run at the same time as each other and as those.
 */
#ifndef BP_BLOCKING_H
#define BP_BLOCKING_H

#include "bp_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Closes what is in the element. Called on the thread that settles, with the lease in closing. */
typedef void (*bp_close_function)(void *element, void *context);

/*
 * Leases a connection: an idle one at once; else a permit to open one, if the hard limit allows; else it waits, first
 * come first served, until one of both is free. timeout: in nanoseconds; 0: do not wait; BP_NO_DEADLINE: wait for ever.
 * BP_OK: a connection. BP_OPEN: a permit. BP_TIMED_OUT; BP_SHUT_DOWN; BP_TOO_MANY_WAITERS; BP_OUT_OF_MEMORY;
 * BP_INVALID_ARGUMENT: *lease is none.
 */
bp_status bp_acquire(bp_pool *pool, uint64_t timeout, bp_lease *lease);

/* bp_release and bp_settle. BP_OK or misuse. */
bp_status bp_give_back(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

/* bp_cancel_open and bp_settle. Answers BP_EMPTY, for nothing was opened; or misuse. */
bp_status bp_give_up_open(bp_pool *pool, bp_lease permit, bp_close_function close, void *context);

/* Closes the connection of this lease, which is of no more use, frees its place, and settles. BP_OK or misuse. */
bp_status bp_discard(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

/*
 * Serves waiters while there is something to serve them with, and closes surplus connections; with close NULL these are
 * left idle. To be called after bp_resize. BP_OK; BP_INVALID_ARGUMENT.
 */
bp_status bp_settle(bp_pool *pool, bp_close_function close, void *context);

/*
 * bp_shutdown; then wakes all waiters with BP_SHUT_DOWN and closes the idle connections. Leases that are out are closed
 * by bp_give_back; when bp_total is 0 the pool can be destroyed. A bp_acquire that is shut down may call close too.
 * BP_OK; BP_INVALID_ARGUMENT.
 */
bp_status bp_shutdown_and_settle(bp_pool *pool, bp_close_function close, void *context);

#ifdef __cplusplus
}
#endif

#endif
