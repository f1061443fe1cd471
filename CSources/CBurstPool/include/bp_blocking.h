/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pool for programs that use plain threads: waiting with a timeout, and reconciling inside the library.
 *
 *     bp_lease lease;
 *     bp_status status = bp_acquire(pool, 1000000000, &lease);       // waits at most one second
 *     if (status == BP_OPEN) {                                       // no connection was idle, but one may be opened
 *         int *fd = bp_element(pool, lease);
 *         *fd = connect_somewhere();
 *         status = *fd >= 0 ? bp_finish_open(pool, lease) : bp_cancel_open_and_reconcile(pool, lease, close_fd, NULL);
 *     }
 *     if (status == BP_OK) {
 *         use(*(int *)bp_element(pool, lease));
 *         bp_release_and_reconcile(pool, lease, close_fd, NULL);
 *     }
 *
 * A pool's waiters are either the threads inside bp_acquire and the requests of bp_callback.h, or the contexts of a
 * program that calls bp_wait_join itself; never both in one pool. The calls of bp_pool.h that do not concern waiters
 * can be used together with the calls of this header. Where they ask to reconcile, call bp_reconcile. This includes
 * bp_shutdown, after which bp_reconcile wakes the waiting threads. All calls may run at the same time as each other and
 * as the calls of bp_pool.h.
 *
 * Close functions
 *
 *   A close function must return. It must not throw an exception, call longjmp, or end its thread: the slot would stay
 *   closing for ever, bp_shutdown_and_wait would time out, and bp_pool_destroy would return BP_BUSY. It must return on
 *   the thread on which it was called, which matters to programs with fibers. In C++, declare it noexcept, so that an
 *   exception ends the program where it is thrown. A close function runs with cancellation of its thread disabled, and
 *   errno is restored after it.
 *
 *   After a shutdown, a thread that is woken in bp_acquire may call the close function with the context of the call
 *   that has woken it, also when that call has already returned. So the context must outlive all calls of bp_acquire
 *   that were waiting. When bp_shutdown_and_wait returns BP_OK, no thread uses a context any more.
 *
 *   A close function may use the pool, except that bp_shutdown_and_wait cannot succeed inside it, because the thread is
 *   inside the pool. If bp_acquire waits inside a close function, it may wait for the very slot that this function is
 *   closing. A nested bp_reconcile does nothing, because the call that runs the close function goes on reconciling.
 *   This holds for nested close functions of up to 8 pools. Close functions of further pools work, but nested calls of
 *   bp_reconcile on those pools are not recognised.
 *
 * Cancellation
 *
 *   bp_acquire is a cancellation point while it waits, except on macOS. A thread that is cancelled leaves the queue. If
 *   it was given a connection or a permit at the same instant, it passes the connection or permit on to the next
 *   waiter. If no caller waits, the connection becomes idle, and if it is an excess connection, the next call that
 *   reconciles closes it. bp_shutdown_and_wait is a cancellation point while it waits. If its thread is cancelled, the
 *   pool stays shut down. The other calls of this header are not cancellation points. Asynchronous cancelability is not
 *   supported.
 *
 * The end of a pool
 *
 *     bp_shutdown_and_wait(pool, 5000000000, close_fd, NULL);       // waits at most five seconds
 *     bp_pool_destroy(pool);                                         // BP_BUSY if connections were still in use
 */
#ifndef BP_BLOCKING_H
#define BP_BLOCKING_H

#include "bp_pool.h"

BP_BEGIN_DECLARATIONS

/* Threads that wait. */

/* Closes the connection in the element. Called on the thread that reconciles. The slot is closing meanwhile. All calls
 * that take a close function require it, and return BP_INVALID_ARGUMENT for NULL. */
typedef void (*bp_close_function)(void *element, void *context);

/*
 * Acquires an idle connection. If no connection is idle, it takes a permit to open one, if the hard limit allows.
 * Otherwise it waits, first come first served, until a connection or a permit is free. While a caller without a permit
 * waits, and while the pool is paused, it waits, too. A thread that holds leases itself may wait for a connection that
 * only it can release. timeout: the longest wait in nanoseconds. 0: do not wait, but return BP_TIMED_OUT.
 * BP_NO_DEADLINE: wait without limit.
 * BP_OK: *lease is a lease. BP_OPEN: *lease is a permit. BP_TIMED_OUT; BP_SHUT_DOWN; BP_TOO_MANY_WAITERS;
 * BP_OUT_OF_MEMORY; BP_FORKED; BP_INVALID_ARGUMENT: *lease is no lease.
 */
bp_status bp_acquire(bp_pool *pool, uint64_t timeout, bp_lease *lease);

/* Calls bp_release, and reconciles if needed. BP_OK or misuse. */
bp_status bp_release_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

/* Calls bp_cancel_open, and reconciles. errno is unchanged. Returns BP_CONNECT_FAILED, so that the caller can return
 * this status; or misuse. */
bp_status bp_cancel_open_and_reconcile(bp_pool *pool, bp_lease permit, bp_close_function close, void *context);

/* Closes the connection of this lease, for example because it is broken, frees its slot, and reconciles. BP_OK or
 * misuse. */
bp_status bp_discard_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context);

/*
 * Matches free connections and permits with waiters, and then closes excess connections. After bp_shutdown, wakes all
 * waiters with BP_SHUT_DOWN instead, and closes the idle connections. To be called after the calls of bp_pool.h that
 * ask to reconcile, such as bp_resize, bp_resume and bp_shutdown.
 * BP_OK; BP_INVALID_ARGUMENT, also if close is NULL.
 */
bp_status bp_reconcile(bp_pool *pool, bp_close_function close, void *context);

/*
 * Calls bp_shutdown, wakes all waiters with BP_SHUT_DOWN and closes the idle connections. Connections in use are closed
 * by bp_release_and_reconcile. A bp_acquire that returns BP_SHUT_DOWN may call close with this context, too: see "Close
 * functions".
 * BP_OK; BP_INVALID_ARGUMENT.
 */
bp_status bp_shutdown_and_reconcile(bp_pool *pool, bp_close_function close, void *context);

/*
 * Calls bp_shutdown_and_reconcile, and waits until no connection exists and no thread is inside the pool any more. Then
 * bp_pool_destroy succeeds. timeout: in nanoseconds; BP_NO_DEADLINE: wait without limit.
 *
 * It waits for the threads that hold a lease or a permit, for the callers that wait in bp_acquire, for each call by
 * which one of these threads ends its lease, permit or wait, and for all drivers of bp_callback.h to be closed. So a
 * thread that holds a lease, or that runs the loop of an open driver, waits in vain. The program must see to it that no
 * other call begins or runs while the pool is destroyed.
 *
 * The thread pauses for at most 10 ms, checks, and closes the connections that have become idle. When the timeout has
 * passed, it begins no other pause. But the timeout does not interrupt a close function that this thread runs.
 * BP_OK; BP_TIMED_OUT: connections are still in use, calls still run, or a driver is open; BP_INVALID_ARGUMENT;
 * BP_FORKED.
 */
bp_status bp_shutdown_and_wait(bp_pool *pool, uint64_t timeout, bp_close_function close, void *context);

BP_END_DECLARATIONS

#endif
