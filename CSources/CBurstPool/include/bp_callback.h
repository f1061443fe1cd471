/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pool for programs with event loops: requests that are completed by a callback.
 *
 * A driver connects a pool to one event loop. The program tells the driver how to open and to close a connection, how
 * to wake the loop, and how to set a timer. In return it calls bp_driver_run whenever the loop was woken or the timer
 * has fired. Everything that the library calls back, except post, is called inside bp_driver_run.
 *
 *     static void got(bp_request *request) {                        // on the loop
 *         if (request->status == BP_OK) {
 *             use(*(int *)bp_element(pool, request->lease));        // later: bp_driver_release(driver, lease)
 *         } else if (request->status == BP_CONNECT_FAILED) {
 *             complain(strerror(request->error));
 *         }
 *     }
 *
 *     bp_lease lease = bp_try_acquire(pool);                         // an idle connection needs no callback
 *     if (lease.slot == NULL) {
 *         bp_request_init(&job->request, got, job);
 *         bp_request_submit(&job->request, driver, 1000000000);      // at most one second
 *     }
 *
 * Several drivers, one for each loop, and threads that use bp_blocking.h can share a pool. All waiters are in one
 * queue, first come first served. Each request is completed on the loop of its own driver.
 *
 * The four functions of a driver
 *
 *   open    begins to open a connection, and returns at once. When the attempt has ended, the program calls
 *           bp_driver_finish_open, on any thread. This may be before open returns. The attempt is made on behalf of a
 *           request of this driver. If another connection is released first, the request gets the released connection,
 *           and the connection that is being opened serves the next waiter or becomes idle.
 *
 *   close   begins to close a connection, and returns at once. When the connection is closed, the program calls
 *           bp_driver_finish_close, on any thread. This may be before close returns. Until then the connection counts
 *           against the limits.
 *
 *           Only these two calls end what open and close have begun. If the program called bp_cancel_open,
 *           bp_finish_open or bp_finish_close of bp_pool.h instead, the driver would never end.
 *
 *   post    makes the loop call bp_driver_run soon, and once more if bp_driver_run is running at the moment. Several
 *           posts may lead to one run. uv_async_send, or a write to an eventfd, is all that is needed. The library
 *           calls post on any thread: inside every call that takes a driver or a request, even that of another driver,
 *           and inside the calls of bp_blocking.h. So post must not call the pool, a driver or a request, and must not
 *           take a lock that the program holds during such a call. It runs with cancellation of its thread disabled,
 *           and errno is restored after it.
 *
 *   arm     sets the only timer of this driver and replaces its earlier setting. After this number of nanoseconds the
 *           loop must call bp_driver_run, once. 0: as soon as possible, but after arm has returned. For a timerfd, the
 *           time is then 1, because 0 would stop it. BP_NO_DEADLINE: no timer is needed. The program may round the time
 *           up; a timer that fires early does no harm. All deadlines of the driver's requests share this timer.
 *
 * Examples for libuv and for epoll are in Examples/C.
 *
 * Which connections can be shared
 *
 *   A connection that was opened on one loop is given to a request of another loop, or to a thread, if that request or
 *   thread has waited longest. So if more than one driver, or a driver and threads, use the pool, the element must not
 *   belong to a loop; use a file descriptor, for example. If one driver and no threads use the pool, the element can be
 *   a handle of the loop, such as the address of a uv_tcp_t.
 *
 * The end
 *
 *     bp_driver_shutdown(driver, ended);                             // on the loop
 *     static void ended(void *data) { bp_pool_destroy(pool); }      // later, on the loop, if this was the only driver
 *
 *   If there are several drivers, each loop shuts down or closes its own driver. bp_pool_destroy returns BP_BUSY while
 *   a driver is open, and bp_shutdown_and_wait waits for it.
 *
 * Thread safety
 *
 *   call                                             thread                       complexity
 *   bp_driver_create                                 any                          O(drivers)
 *   bp_driver_run                                    the loop's                   O(work), and the cost of bp_expire
 *                                                                                 when a deadline has passed
 *   bp_driver_close, bp_driver_shutdown              the loop's                   O(1)
 *   bp_request_init                                  any                          O(1)
 *   bp_request_submit                                any                          O(1), and reconciling
 *   bp_request_cancel                                any: see there               O(1) amortised
 *   bp_driver_release                                any                          O(1), and sometimes reconciling
 *   bp_driver_discard                                any                          O(1)
 *   bp_driver_finish_open, bp_driver_finish_close    any                          O(1), and reconciling
 *   bp_driver_reconcile                              any                          O(waiters that are served)
 *   bp_driver_data, bp_driver_pool                   any                          O(1)
 *
 *   All of them can run at the same time as each other and as those of the other headers, except that
 *
 *     - the program uses a request on one thread at a time: see bp_request;
 *     - after bp_driver_close or bp_driver_shutdown, no thread but the loop's begins a call for that driver. Any thread
 *       may still call bp_request_cancel, and bp_driver_finish_open and bp_driver_finish_close for what open and close
 *       have begun. A thread that still has a lease releases it with another driver, or with bp_release_and_reconcile.
 *
 *   No call waits for a request or for another loop. bp_pool.h says in "Locks" and "Memory" which locks there are, and
 *   which calls allocate. A loop that is stopped withholds from the other loops and threads at most what was given to
 *   its own requests. A thread that is stopped in a call withholds what "Thread safety by call" in bp_pool.h says, and
 *   up to 16 waiters more while it ends waits whose deadline has passed.
 *
 * Re-entrance
 *
 *   open, close, arm, the callbacks of requests and the callback for the end of a driver are called inside
 *   bp_driver_run only, one after the other, and never inside the call that asked for them. So a program can hold its
 *   own locks during all calls except bp_driver_run. Inside these callbacks, all calls are permitted except two:
 *   bp_shutdown_and_wait, and bp_driver_run for the same driver. Such a run returns BP_BUSY, except inside
 *   the callback for the end of the driver, which no longer exists by then. Callbacks do not nest, however many
 * requests there are. Work that a callback asks for is done in a later run, so that the loop can do its other work in
 * between.
 *
 *   No function of a driver and no callback may throw an exception, call longjmp, or end its thread. In C++, declare
 *   them noexcept.
 *
 * Signals, cancellation
 *
 *   No call is safe in a signal handler; let the handler wake the loop. No call is a cancellation point, unless a
 *   function of the program contains one. So do not cancel a thread that runs a driver.
 *
 * Fork
 *
 *   In a child process that was forked after the pool was created, all calls that return a status return BP_FORKED, and
 *   no callback is called. A pointer that is NULL is BP_INVALID_ARGUMENT there, too. The requests that were submitted
 *   belong to the program: it may free them, or initialise them again with bp_request_init and use them with a new
 *   pool.
 *
 * Clock
 *
 *   Timeouts are in nanoseconds on the system's monotonic clock. The library reads the clock when a request begins to
 *   wait, and in runs while requests with a deadline wait.
 */
#ifndef BP_CALLBACK_H
#define BP_CALLBACK_H

#include "bp_pool.h"

BP_BEGIN_DECLARATIONS

typedef struct bp_driver bp_driver;
typedef struct bp_request bp_request;

/* What a program does for its driver: see above. All four functions are required. */
typedef struct bp_driver_functions {
    size_t size BP_DEFAULT(0); /* Set by bp_driver_create. */
    /*
     * permit: for bp_driver_finish_open. element: the element of the permit's slot, in which the program stores the
     * connection.
     */
    void (*open)(bp_driver *driver, bp_lease permit, void *element) BP_DEFAULT(NULL);
    /* lease: for bp_driver_finish_close. */
    void (*close)(bp_driver *driver, bp_lease lease, void *element) BP_DEFAULT(NULL);
    void (*post)(bp_driver *driver) BP_DEFAULT(NULL);
    void (*arm)(bp_driver *driver, uint64_t nanoseconds) BP_DEFAULT(NULL);
} bp_driver_functions;

/* Called once, on the loop, when a driver has ended. data: what was passed to bp_driver_create. */
typedef void (*bp_driver_ended)(void *data);

/* Called once, on the loop of the request's driver. The request belongs to the program again: it can be freed or
 * submitted again inside the function. */
typedef void (*bp_request_done)(bp_request *request);

/*
 * One wait for a connection. The program owns the memory, which must not move between bp_request_submit and the call of
 * done. Meanwhile the program must not read or write the request; it may only call bp_request_cancel,
 * after bp_request_submit has returned.
 */
struct bp_request {
    size_t size; /* Set by bp_request_init. */
    /* For the program. */
    void *data;
    /*
     * The result, when done is called. BP_OK: lease is a lease. BP_TIMED_OUT; BP_CANCELLED; BP_SHUT_DOWN;
     * BP_CONNECT_FAILED: the connection that was being opened for this request did not open.
     */
    bp_status status;
    /* With BP_CONNECT_FAILED, what was passed to bp_driver_finish_open, for example ECONNREFUSED; else 0. */
    int error;
    bp_lease lease;

    /* For the library. */
    bp_driver *driver;
    bp_request_done done;
    bp_ticket ticket;
    uint64_t next;
    bool is_submitted;
};

/* Drivers. */

/*
 * Creates a driver for a pool. The functions are copied. data: for the program. The driver's memory is part of the
 * pool. BP_OK; BP_INVALID_ARGUMENT, also if a function is missing; BP_OUT_OF_MEMORY; BP_FORKED. *driver is NULL unless
 * BP_OK.
 */
static inline bp_status bp_driver_create(bp_pool *pool, const bp_driver_functions *functions, void *data,
                                         bp_driver **driver);

/*
 * Does the same for a caller that has set functions->size. Also returns BP_INVALID_ARGUMENT if the size is less than
 * that of version 0.1, or if a function is set that this version of the library does not know.
 */
bp_status bp_driver_create_sized(bp_pool *pool, const bp_driver_functions *functions, void *data, bp_driver **driver);

/* Returns what was passed to bp_driver_create. NULL for NULL. */
void *bp_driver_data(const bp_driver *driver);

/* Returns the pool of a driver. NULL for NULL. */
bp_pool *bp_driver_pool(const bp_driver *driver);

/*
 * Does what has become due for this driver: calls open and close, completes requests, ends waits whose deadline has
 * passed, and sets the timer. To be called on the loop after post and when the timer has fired. A call without a reason
 * does nothing. Requests are completed in the order in which their waits have ended. A run does not do the work that
 * its own callbacks have asked for; post was called for that work.
 * BP_OK; BP_BUSY: called inside a callback of this driver; BP_FORKED; BP_INVALID_ARGUMENT.
 */
bp_status bp_driver_run(bp_driver *driver);

/* Requests. */

/* Prepares a request. To be called before its first submission, and not while it is submitted. */
static inline void bp_request_init(bp_request *request, bp_request_done done, void *data);

/*
 * Does the same for a caller that has set request->size. If the size is less than that of version 0.1, this call does
 * nothing, and a submission returns BP_INVALID_ARGUMENT.
 */
void bp_request_init_sized(bp_request *request, bp_request_done done, void *data);

/*
 * Asks for a connection. If none is idle, the request waits in the queue for one that is released, and a new one is
 * opened for it if the hard limit allows. timeout: in nanoseconds. 0: only an idle connection. BP_NO_DEADLINE: without
 * limit.
 *
 * BP_OK: done will be called, once. If this call is made on the loop's thread, done is called after it has returned. If
 * it is made on another thread, done can be called at any moment, and can free the request before this call returns.
 * BP_BUSY: the request is submitted already. BP_SHUT_DOWN, also if the driver is being closed; BP_TOO_MANY_WAITERS;
 * BP_OUT_OF_MEMORY; BP_FORKED; BP_INVALID_ARGUMENT: done will not be called.
 */
bp_status bp_request_submit(bp_request *request, bp_driver *driver, uint64_t timeout);

/*
 * Ends the wait of a submitted request, whose done is called with BP_CANCELLED in a later run. An attempt to open a
 * connection for it goes on, for the next waiter. The request and its pool must exist during this call. On a thread
 * other than the loop's, the program must see to that itself, because done may be called at the same time.
 * BP_OK; BP_STALE_TICKET: the wait has ended in another way, and done will be called, or was called, with that other
 * result. If the result has a lease, the program must release it; BP_INVALID_ARGUMENT, also if the request was never
 * submitted; BP_FORKED.
 */
bp_status bp_request_cancel(bp_request *request);

/* Connections. */

/* Releases a connection, and reconciles if needed. The usual case costs what bp_release costs. BP_OK or misuse. */
bp_status bp_driver_release(bp_driver *driver, bp_lease lease);

/*
 * Closes a connection that is not to be used again. The driver's close is called for it in a later run. BP_OK or
 * misuse.
 */
bp_status bp_driver_discard(bp_driver *driver, bp_lease lease);

/*
 * Ends an attempt that open began. error: 0 if the connection is open and in the element; otherwise the reason, such as
 * a value of errno. If the connection did not open, the request on whose behalf it was being opened gets the reason, if
 * it still waits, and the permit goes to the next waiter. This call also ends a permit from bp_begin_open_unrequested;
 * the connection then becomes idle, or serves a waiter. BP_OK or misuse.
 */
bp_status bp_driver_finish_open(bp_driver *driver, bp_lease permit, int error);

/* Ends a close that the driver's close or bp_begin_close began: frees the slot, and reconciles. Must not be called
 * before the driver's close was called, with a lease from bp_slot_at. BP_OK or misuse. */
bp_status bp_driver_finish_close(bp_driver *driver, bp_lease lease);

/*
 * Matches free connections and permits with waiters, and has excess connections closed in a later run. After
 * bp_shutdown, completes all waiting requests with BP_SHUT_DOWN instead. To be called after the calls of bp_pool.h that
 * ask to reconcile, such as bp_resize and bp_resume. BP_OK; BP_INVALID_ARGUMENT; BP_FORKED.
 */
bp_status bp_driver_reconcile(bp_driver *driver);

/* The end. */

/*
 * Closes a driver and leaves the pool to others: ended is called at the end of a run, when the last request of this
 * driver has been completed, the last open and close have been finished, and no other thread is inside a call for this
 * driver. This can be the present run, if bp_driver_close is called inside a callback. Requests that wait are not
 * cancelled. ended is the last callback, and the driver must not be used any more when it is called: if the loop was
 * woken for the driver meanwhile, it must not call bp_driver_run. After this call, bp_request_submit returns
 * BP_SHUT_DOWN for this driver. While the driver waits for its end, it sets its timer, and checks at least every 10 ms.
 * BP_OK; BP_BUSY: the driver is being closed already; BP_INVALID_ARGUMENT, also if ended is NULL; BP_FORKED.
 */
bp_status bp_driver_close(bp_driver *driver, bp_driver_ended ended);

/*
 * Shuts the pool down, as bp_shutdown does, and closes the driver: all waiting requests and threads get BP_SHUT_DOWN,
 * idle connections are closed, and connections in use are closed when they are released. ended is called when all this
 * has happened: no connection exists, no caller waits, and no thread is inside the pool, except on behalf of other
 * drivers. If this was the last driver, bp_pool_destroy succeeds then, also inside ended.
 *
 * ended is called only when the same threads and calls have ended for which bp_shutdown_and_wait waits. There is no
 * timeout: a program that does not want to wait for connections in use must exit. BP_OK; BP_BUSY: the driver is being
 * closed already, and this call has not shut the pool down; BP_INVALID_ARGUMENT, also if ended is NULL; BP_FORKED.
 */
bp_status bp_driver_shutdown(bp_driver *driver, bp_driver_ended ended);

/* The calls that tell the library the size of a structure in this header: see "Versions" in bp_pool.h. */

static inline bp_status bp_driver_create(bp_pool *pool, const bp_driver_functions *functions, void *data,
                                         bp_driver **driver) {
    if (functions == NULL) {
        return bp_driver_create_sized(pool, NULL, data, driver);
    }
    bp_driver_functions sized = *functions;
    sized.size = sizeof sized;
    return bp_driver_create_sized(pool, &sized, data, driver);
}

static inline void bp_request_init(bp_request *request, bp_request_done done, void *data) {
    if (request != NULL) {
        request->size = sizeof *request;
    }
    bp_request_init_sized(request, done, data);
}

BP_END_DECLARATIONS

#endif
