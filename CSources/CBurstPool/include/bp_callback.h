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
 *   open    begins to open a connection, and returns at once. When the attempt has ended, on any thread, also before
 *           open returns, the program calls bp_driver_finish_open. The attempt is on behalf of a request of this
 *           driver. If another connection is released first, the request gets that one, and the connection that is
 *           being opened serves the next waiter or becomes idle.
 *
 *   close   begins to close a connection, and returns at once. When the connection is closed, also before close
 *           returns, the program calls bp_driver_finish_close. Until then the connection counts against the limits.
 *
 *   post    makes the loop call bp_driver_run soon, also if bp_driver_run is running at the moment. Several posts may
 *           lead to one run. uv_async_send, or a write to an eventfd, is all that is needed. Called on any thread, and
 *           inside every call that has a driver or a request as an argument; also inside such calls for other drivers,
 *           and inside the calls of bp_blocking.h. So post must not call the pool, a driver or a request, and must not
 *           take a lock that the program holds during such a call. It runs with cancellation of its thread disabled,
 *           and errno is restored after it.
 *
 *   arm     sets the one timer of this driver, instead of its earlier setting: bp_driver_run is to be called after so
 *           many nanoseconds, once. BP_NO_DEADLINE: no timer is needed. Rounding up is permitted; a timer that fires
 *           early does no harm. All deadlines of all requests share this timer.
 *
 * Examples for libuv and for epoll are in Examples/C.
 *
 * Which connections can be shared
 *
 *   A connection that was opened on one loop is given to a request of another loop, or to a thread, if that one waits
 *   longest. So with more than one driver, or with threads, let the element be something that does not belong to a
 *   loop, such as a file descriptor. With one driver and no threads, it can be a handle of the loop, such as the
 *   address of a uv_tcp_t.
 *
 * The end
 *
 *     bp_driver_shutdown(driver, ended);                             // on the loop
 *     static void ended(void *data) { bp_pool_destroy(pool); }      // later, on the loop, if this was the only driver
 *
 *   With several drivers, each loop shuts down or closes its own one. bp_pool_destroy returns BP_BUSY while a driver is
 *   open, and bp_shutdown_and_wait waits for it.
 *
 * Thread safety
 *
 *   call                                             thread                       complexity
 *   bp_driver_create                                 any                          O(drivers)
 *   bp_driver_run                                    the loop's                   O(work); O(waiters / 64) when a
 *                                                                                 deadline has passed
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
 *     - a request is used by one thread at a time, from the program's point of view: see bp_request;
 *     - no thread begins a call on a driver after the program has called bp_driver_close for it.
 *
 *   No call takes a lock, waits for another thread, or allocates memory beyond what bp_pool.h says. A thread or a loop
 *   that is stopped keeps from the others at most what was given to its own requests, and what a stopped call of
 *   bp_pool.h keeps from them; a thread that is stopped after it has ended waits whose deadline has passed, up to 16
 *   waiters more.
 *
 * Re-entrance
 *
 *   open, close, arm, the callbacks of requests and that of the end are called inside bp_driver_run only, one after the
 *   other, and never inside the call that asked for them. So a program can hold its own locks while it calls anything
 *   but bp_driver_run. Inside these callbacks, all calls are permitted except bp_driver_run for the same driver, which
 *   returns BP_BUSY, and waiting for the end of the pool. Nothing nests, however many requests there are. What the
 *   callbacks ask for is done in a later run, so that a loop also gets to its other work.
 *
 *   No function of a driver and no callback may throw an exception, call longjmp, or end its thread. In C++, declare
 *   them noexcept.
 *
 * Signals, cancellation
 *
 *   No call is safe in a signal handler; let the handler wake the loop. No call is a cancellation point, unless the
 *   program's functions contain one: do not cancel a thread that runs a driver.
 *
 * Fork
 *
 *   In a child process that was forked after the pool was created, all calls that return a status return BP_FORKED, and
 *   no callback is called. The requests belong to the program as if they had never been submitted.
 *
 * Clock
 *
 *   Timeouts are in nanoseconds on the system's monotonic clock. The library reads it when a request begins to wait,
 *   and in runs while requests with a deadline wait.
 */
#ifndef BP_CALLBACK_H
#define BP_CALLBACK_H

#include "bp_pool.h"

BP_BEGIN_DECLARATIONS

typedef struct bp_driver bp_driver;
typedef struct bp_request bp_request;

/* What a program does for its driver: see above. All four are required. */
typedef struct bp_driver_functions {
    size_t size BP_DEFAULT(0); /* Set by bp_driver_create. */
    /* permit: for bp_driver_finish_open. element: that of the permit, where the connection is to be stored. */
    void (*open)(bp_driver *driver, bp_lease permit, void *element) BP_DEFAULT(NULL);
    /* lease: for bp_driver_finish_close. */
    void (*close)(bp_driver *driver, bp_lease lease, void *element) BP_DEFAULT(NULL);
    void (*post)(bp_driver *driver) BP_DEFAULT(NULL);
    void (*arm)(bp_driver *driver, uint64_t nanoseconds) BP_DEFAULT(NULL);
} bp_driver_functions;

/* Called once, on the loop, when a driver has ended. data: that of the driver. */
typedef void (*bp_driver_ended)(void *data);

/* Called once, on the loop of the request's driver. The request belongs to the program again: it can be freed or
 * submitted again inside the function. */
typedef void (*bp_request_done)(bp_request *request);

/*
 * One wait for a connection. The program owns the memory, which must stay where it is from bp_request_submit to the
 * call of done. Meanwhile the program does not read or write the request, except by bp_request_cancel.
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
 * Does the same for a caller that has set functions->size. BP_INVALID_ARGUMENT, too: the size is less than that of the
 * first version, or a function is set that this version of the library does not know.
 */
bp_status bp_driver_create_sized(bp_pool *pool, const bp_driver_functions *functions, void *data, bp_driver **driver);

/* Returns what was passed to bp_driver_create. NULL for NULL. */
void *bp_driver_data(const bp_driver *driver);

/* Returns the pool of a driver. NULL for NULL. */
bp_pool *bp_driver_pool(const bp_driver *driver);

/*
 * Does what has become due for this driver: calls open and close, completes requests, ends waits whose deadline has
 * passed, and sets the timer. To be called on the loop after post and when the timer has fired. A call without a reason
 * does nothing. A run does not do what its own callbacks have asked for: post has been called for that.
 * BP_OK; BP_BUSY: called inside a callback of this driver; BP_FORKED; BP_INVALID_ARGUMENT.
 */
bp_status bp_driver_run(bp_driver *driver);

/* Requests. */

/* Prepares a request. To be called before its first submission, and not while it is submitted. */
static inline void bp_request_init(bp_request *request, bp_request_done done, void *data);

/*
 * Does the same for a caller that has set request->size. If it is less than that of the first version, a submission
 * returns BP_INVALID_ARGUMENT.
 */
void bp_request_init_sized(bp_request *request, bp_request_done done, void *data);

/*
 * Asks for a connection: an idle one; else the request waits in the queue for one that is released, and a new one is
 * opened for it if the hard limit allows. timeout: in nanoseconds. 0: only an idle connection. BP_NO_DEADLINE: without
 * limit.
 *
 * BP_OK: done will be called, once, never before this call returns if it is made on the loop's thread. On another
 * thread, done can be called at any moment, and free the request before this call returns.
 * BP_BUSY: it is submitted already. BP_SHUT_DOWN, also if the driver is being closed; BP_TOO_MANY_WAITERS;
 * BP_OUT_OF_MEMORY; BP_FORKED; BP_INVALID_ARGUMENT: done will not be called.
 */
bp_status bp_request_submit(bp_request *request, bp_driver *driver, uint64_t timeout);

/*
 * Ends the wait of a submitted request, whose done is called with BP_CANCELLED in a later run. An attempt to open a
 * connection for it goes on, for the next waiter. On a thread other than the loop's, the program must see to it that
 * the request stays submitted, or at least in memory, during this call.
 * BP_OK; BP_STALE_TICKET: the wait has ended in another way, and done will be called, or was called, with that result:
 * a lease in it must be released; BP_INVALID_ARGUMENT; BP_FORKED.
 */
bp_status bp_request_cancel(bp_request *request);

/* Connections. */

/* Releases a connection, and reconciles if needed. The usual case costs what bp_release costs. BP_OK or misuse. */
bp_status bp_driver_release(bp_driver *driver, bp_lease lease);

/* Gives up a connection that is not to be used again. close is called for it in a later run. BP_OK or misuse. */
bp_status bp_driver_discard(bp_driver *driver, bp_lease lease);

/*
 * Ends an attempt that open began. error: 0 if the connection is open and in the element. Otherwise the reason, such as
 * a value of errno, which the request gets on whose behalf the connection was being opened, if it still waits; and the
 * permit goes to the next waiter. Also for a permit from bp_begin_open_unrequested: then the connection becomes idle,
 * or serves a waiter. BP_OK or misuse.
 */
bp_status bp_driver_finish_open(bp_driver *driver, bp_lease permit, int error);

/* Ends what close began, or bp_begin_close: frees the slot, and reconciles. BP_OK or misuse. */
bp_status bp_driver_finish_close(bp_driver *driver, bp_lease lease);

/*
 * Matches free connections and permits with waiters, and has excess connections closed in a later run. After
 * bp_shutdown, completes all waiting requests with BP_SHUT_DOWN instead. To be called after the calls of bp_pool.h that
 * ask to reconcile, such as bp_resize and bp_resume. BP_OK; BP_INVALID_ARGUMENT; BP_FORKED.
 */
bp_status bp_driver_reconcile(bp_driver *driver);

/* The end. */

/*
 * Closes a driver and leaves the pool to others: ended is called in a later run, when the last request of this driver
 * has been completed, the last open and close have been finished, and no other thread is inside a call for this driver.
 * Requests that wait are not cancelled. ended is the last callback, and the driver must not be used any more when it is
 * called. From this call on, requests are refused. While it waits, the driver looks again every 10 ms at the latest.
 * BP_OK; BP_BUSY: it is being closed already; BP_INVALID_ARGUMENT; BP_FORKED.
 */
bp_status bp_driver_close(bp_driver *driver, bp_driver_ended ended);

/*
 * Shuts the pool down, as bp_shutdown does, and closes the driver: all waiting requests and threads get BP_SHUT_DOWN,
 * idle connections are closed, and those in use are closed when they are released. ended is called when all this has
 * happened: no connection exists, nobody waits, and no thread is inside the pool, except on behalf of other drivers. If
 * this was the last driver, bp_pool_destroy succeeds then, also inside ended.
 *
 * The same rules as for bp_shutdown_and_wait say for whom it waits. There is no timeout: a program that will not wait
 * for connections in use ends itself. BP_OK; BP_BUSY: the driver is being closed already; BP_INVALID_ARGUMENT;
 * BP_FORKED.
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
