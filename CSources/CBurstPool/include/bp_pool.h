/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pool: slots for connections, the idle connections among them, and a wait queue.
 *
 * The pool does not open, check or close connections, and it never blocks a thread. It counts, it decides which waiter
 * is next, and it tells the caller what to do. bp_blocking.h does the rest for programs that use plain threads, and
 * bp_callback.h for programs with event loops. This header is for programs that bring their own way of waiting, such as
 * the Swift library.
 *
 * Words
 *
 *   slot      a place for one connection, with room for an element: a pointer, a file descriptor, any struct
 *   lease     one caller's temporary right to a slot. A lease has a serial number; after the lease has ended, each call
 *             with it returns BP_STALE_LEASE
 *   permit    permission to open one more connection: a lease of a slot that has no connection yet
 *   total     idle + in use + opening + closing
 *   excess    the connections above max_size. Closing connections do not count
 *   waiter    a caller in the wait queue
 *
 * Reconcile
 *
 *   A connection or a permit becomes free when a connection is released or closed, when an attempt to open one fails,
 *   and when a limit is raised. A waiter may need it. The pool does not act by itself, so the caller must reconcile:
 *   match free connections and permits with waiters, and then close excess connections. The caller must do this
 *
 *     - when bp_release, bp_release_exclusive, bp_release_unless_awaited, bp_sweep_keep or bp_sweep_end returns
 *       BP_RECONCILE;
 *     - after bp_finish_close, bp_cancel_open, bp_detach, bp_wait_join, bp_wait_requeue, bp_resize, bp_resume and
 *       bp_shutdown.
 *
 *   Reconciling is the following loop. bp_reconcile in bp_blocking.h is the same loop for threads, and
 *   bp_driver_reconcile in bp_callback.h for event loops.
 *
 *     if this thread is in this loop for this pool already: stop, since the outer loop goes on
 *     loop:
 *         if bp_has_waiters(pool):
 *             if bp_take_idle(pool, &lease) is BP_OK:
 *                 if bp_begin_close_above_hard_limit(pool, lease) is BP_OK: close the connection, bp_finish_close, and
 *                     reconcile
 *                 else if bp_hand_off(pool, &context) is BP_OK: resume that waiter with the lease
 *                 else bp_return_idle(pool, lease)
 *             else if bp_begin_open(pool, &ticket, &lease) is BP_OK:
 *                 open a connection for that waiter
 *                 if it opens: bp_finish_open. If bp_wait_claim(pool, ticket, &context) is BP_OK, resume the waiter
 *                     with the lease; else bp_release, and reconcile
 *                 if it fails: bp_cancel_open. Either bp_wait_claim, and resume the waiter with the error; or
 *                     bp_wait_requeue. Then reconcile
 *             else stop
 *         else if bp_has_excess(pool):
 *             if bp_take_idle(pool, &lease) is BP_OK:
 *                 if bp_begin_close_excess(pool, lease) is BP_OK: close the connection, bp_finish_close, and reconcile
 *                 else bp_return_idle(pool, lease)
 *             else stop
 *         else stop
 *
 *   With keep_excess, the loop calls bp_begin_close_above_hard_limit instead of bp_begin_close_excess.
 *
 *   After bp_return_idle the loop goes on, because a waiter may have joined while this thread held the connection.
 *
 *   A waiter that is resumed inside the loop may release its connection at once, and so call the loop again. Without
 *   the first line, the calls would nest once for each waiter and overflow the stack. Instead of the first line, a
 *   program can resume waiters later, for example from its event loop.
 *
 * Sweep
 *
 *   Maintenance looks at all idle connections, for example to close old ones. It must also reach the connections that
 *   are seldom used, and must not make all connections unavailable at the same time. A sweep is this loop:
 *
 *     for as many connections as were idle at the start, while bp_sweep_next(pool, &lease) is BP_OK:
 *         look at the connection
 *         to keep it: bp_sweep_keep, and reconcile if that returns BP_RECONCILE
 *         to close it: bp_begin_close, close the connection, bp_finish_close, and reconcile
 *     call bp_sweep_end until it returns BP_EMPTY, and reconcile each time it returns BP_RECONCILE
 *
 *   The sweep holds one connection at a time. bp_sweep_keep sets the connection aside. The connection is idle again:
 *   bp_try_acquire and bp_take_idle can take it, and usually take other idle connections first. bp_sweep_end puts the
 *   connections back in their old order, so that a connection is not used more often because a sweep looked at it. A
 *   sweep may miss a connection that was in use when the sweep came to it.
 *
 *   Run one sweep at a time. Two sweeps at once do no harm, but they may look at some connections twice and miss others
 *   until the next sweep. If the thread that sweeps is stopped, the connection that it holds is unavailable. The
 *   connections that it has set aside stay available, and the next sweep puts them back.
 *
 * Thread safety by call
 *
 *   bp_pool_create, bp_pool_destroy           not at the same time as any other call on the pool
 *   bp_release_exclusive, bp_release_unless_awaited, bp_release_to_waiter
 *                                             not at the same time as another call that ends the same lease
 *   bp_wait_join                              not twice at the same time with the same ticket
 *   bp_status_..., bp_version...              at any time, also in a signal handler; they need no pool
 *   all other calls, also of bp_blocking.h    at the same time as each other, from any thread
 *
 *   The element of a slot belongs to the holder of the lease or permit. A lease or a ticket is a plain value; passing
 *   it to another thread needs the same care as passing a pointer. Each call that gives up a slot happens before the
 *   call that takes the slot next. So what one caller wrote to the element and to the connection is visible to the
 *   next caller.
 *
 *   Only bp_acquire and bp_shutdown_and_wait sleep. A thread that is stopped inside a call withholds from the other
 *   threads at most one slot and the waiter to which it is giving that slot, with three exceptions:
 *
 *     - a thread that is stopped inside bp_expire withholds all waiters that this call has removed;
 *     - a thread that is stopped inside a call of bp_blocking.h may also withhold the slot that it was given itself;
 *     - a thread that holds one of the following locks stops the threads that need this lock.
 *
 * Locks
 *
 *   The pool has no lock. The calls of this header take none, with two exceptions:
 *
 *     - bp_pool_create and bp_pool_destroy lock the list of all pools for a few instructions. fork() locks it, too. The
 *       first bp_pool_create in a process registers the handlers of fork(). Another thread that creates a pool at the
 *       same instant waits until they are registered.
 *     - A call that allocates memory calls the system's allocator, which may lock. "Memory" below lists these calls.
 *
 *   bp_blocking.h and bp_callback.h have two more:
 *
 *     - Each thread in bp_acquire that waits has a mutex of its own. The thread itself holds the mutex for a few
 *       instructions when it goes to sleep and when it wakes up. A thread that hands a connection or a permit off to
 *       this waiter, or ends its wait in another way, locks the mutex for a few instructions. On macOS, a semaphore
 *       takes the place of this mutex. Requests have no mutex.
 *     - A thread creates its record at its first call that needs one: see "Memory". The first of all these calls in a
 *       process also creates the key with which the system reports the end of a thread. Another thread that makes its
 *       own first call at the same instant waits until the key exists.
 *
 * Threads and signals
 *
 *   Any thread can call the library, also a thread that another library has created. The library creates no threads,
 *   and it changes no signal handlers and no signal masks. Some calls give the calling thread a record: see "Memory".
 *   The library releases the record when the thread ends. Therefore the shared library stays loaded until the process
 *   ends. If a program links the static library into a shared library of its own, it must not unload that library.
 *
 *   No call that takes a pool, a driver or a request is safe in a signal handler, and a signal handler must not leave a
 *   call of the library with longjmp. If a thread handles a signal while it waits in bp_acquire, the wait goes on and
 *   its timeout stays the same. So it is in bp_shutdown_and_wait.
 *
 * Cancellation
 *
 *   The calls of this header are not cancellation points. release_owner runs with cancellation of its thread disabled.
 *   bp_blocking.h says which of its calls are cancellation points.
 *
 * Fork
 *
 *   A pool cannot be used in a child process that was forked after the pool was created, because the connections
 *   belong to the parent and the waiting threads do not exist in the child. In the child, each call with this pool
 *   that returns a status returns BP_FORKED, whatever lease or ticket it is given, with these exceptions:
 *
 *     - A pointer that is NULL is BP_INVALID_ARGUMENT there, too.
 *     - bp_pool_destroy frees the memory, calls release_owner, and returns BP_OK. It does not close connections.
 *     - bp_pool_statistics_get and bp_slot_at describe what the child has inherited. The pool appears as shut down.
 *
 *   bp_try_acquire returns no lease, and bp_expire no context. bp_element and bp_lease_is_current work until the child
 *   has released the lease: bp_release, bp_release_exclusive, bp_release_unless_awaited, bp_release_and_reconcile and
 *   bp_driver_release end the lease in the child, although they return BP_FORKED. None of this changes anything in the
 *   parent. The child can create new pools.
 *
 *   The library learns of fork() from pthread_atfork. A child that was created by vfork, _Fork or clone, which do not
 *   run such handlers, must not call the library.
 *
 * Exceptions
 *
 *   The calls of this header call only one function of the program, release_owner. The calls of bp_blocking.h also call
 *   close functions, and post of the pool's drivers. All of these functions must return, on the thread on which they
 *   were called: they must not throw an exception, call longjmp, or end the thread. In C++, declare them noexcept.
 *   bp_pool.hpp does this, and passes on the exceptions of the function that opens a connection.
 *
 * Re-entrance
 *
 *   release_owner can call bp_pool_owner with its own pool, and every call with other pools. The calls of this header
 *   call nothing else, so they do not nest. The loop above would nest if a resumed waiter called it again, which its
 *   first line prevents. bp_blocking.h says what a close function may call.
 *
 * Clocks and units
 *
 *   bp_wait_join, bp_expire, bp_next_deadline, bp_observe_leases and bp_oldest_lease_age take and return times of one
 *   clock, which the program chooses, in any unit. The clock must not go backwards. BP_NO_DEADLINE is
 *   never reached, whatever the clock says. The timeouts of bp_blocking.h and bp_callback.h are nanoseconds on the
 *   system's monotonic clock. Sizes are bytes.
 *
 * Memory
 *
 *   The pool allocates slots in chunks, the first one when it is created. That chunk has 64 slots. If hard_limit, or a
 *   first_slots that is not 0, is less than 64, it has that number of slots, rounded down to a power of two. Each
 *   further chunk has twice as many slots as the chunk before. Waiters and drivers are allocated in chunks, too. So the
 *   pool allocates memory only when more slots, waiters or drivers exist at the same time than ever before. This
 *   happens in the following calls:
 *
 *     - for a slot: bp_begin_open, bp_begin_open_unrequested, bp_acquire, and each call that reconciles, because it may
 *       take a permit for a waiter. bp_observe_leases allocates for slots that it has not seen before;
 *     - for a waiter: bp_wait_prepare, bp_acquire and bp_request_submit;
 *     - for a driver: bp_driver_create.
 *
 *   Memory is freed only by bp_pool_destroy. bp_pool_memory returns the bytes of one pool.
 *
 *   A thread has a record of about 240 bytes. It is allocated at the thread's first call of bp_driver_release or of a
 *   call that takes a close function, or when a shutdown ends the thread's wait in bp_acquire. After the thread has
 *   ended, a new thread uses the record again. If there is no memory for a record, the call does its work without it,
 *   and a nested bp_reconcile is not recognised on this thread.
 *
 * Sanitizers
 *
 *   The library is compiled for production on Concurrency Kit, whose inline assembly ThreadSanitizer does not
 *   understand. With -DBP_ATOMICS_C11 it uses the atomic operations of C11, which all sanitizers understand. Only a
 *   build with a sanitizer should have this flag: the stack of that build has a tag of 22 bits against ABA, which
 *   suffices for tests. Without a sanitizer the flag causes a compiler warning.
 *
 * Versions
 *
 *   Later versions can add members at the end of bp_pool_configuration, bp_slot_view and bp_pool_statistics, and of the
 *   structures of bp_callback.h, which work in the same way. So that a program and a library of different versions can
 *   work together, each of these structures begins with its size. The calls bp_pool_create, bp_slot_at and
 *   bp_pool_statistics_get set the size, so that the program need not do it. They are inline functions, which are
 *   compiled into the program, and each calls the function whose name has _sized at the end. Programs that do not
 *   compile this header, for example in another language, call that function, and set the size themselves. bp_slot_at
 *   and bp_pool_statistics_get reduce the size to that of the members that the library knows, and set the members after
 *   these to 0. bp_lease and bp_ticket do not change. bp_version.h says between which versions all this holds.
 *
 * Misuse
 *
 *   These mistakes are detected. The call returns a status, and the pool is unchanged: a NULL pointer; a lease of
 *   another pool; a lease that has ended; a second release, even at the same instant, except with the calls that
 *   "Thread safety by call" names. A call that returns no status answers a NULL pointer with 0, false, NULL, or a lease
 *   {NULL, 0}; bp_next_deadline answers with BP_NO_DEADLINE.
 *
 *   Where a comment below says "misuse", it means the statuses of these mistakes: BP_INVALID_ARGUMENT, BP_FOREIGN_SLOT,
 *   BP_STALE_LEASE, and BP_FORKED in a child process. After a call whose name begins with bp_begin_close has returned
 *   BP_STALE_LEASE, reconcile, because the call may have hidden an excess connection for a moment.
 *
 *   These mistakes cannot be detected: a pool that was destroyed; a bp_lease that no call has returned; a ticket of
 *   another pool; one ticket with which two threads join at the same instant.
 */
#ifndef BP_POOL_H
#define BP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bp_status.h"
#include "bp_version.h"

BP_BEGIN_DECLARATIONS

typedef struct bp_pool bp_pool;
typedef struct bp_slot bp_slot;

/* Tells the Swift compiler that a value can be passed between threads. Empty for other compilers. */
#if defined(__has_attribute)
#if __has_attribute(swift_attr)
#define BP_SENDABLE __attribute__((swift_attr("@Sendable")))
#endif
#endif
#ifndef BP_SENDABLE
#define BP_SENDABLE
#endif

/* A lease or a permit. {NULL, 0} is no lease. */
typedef struct BP_SENDABLE bp_lease {
    bp_slot *slot;
    uint64_t serial;
} bp_lease;

/* One wait of one caller. A ticket is never used twice. */
typedef struct bp_ticket {
    uint64_t value;
} bp_ticket;

/* The state of a slot at one moment. */
typedef enum bp_slot_state {
    BP_SLOT_VACANT = 0,  /* The slot has no connection and no caller is opening one. */
    BP_SLOT_OPENING = 1, /* A caller holds the permit. */
    BP_SLOT_IDLE = 2,    /* The connection is idle, or a thread has taken it and not yet changed the state. */
    BP_SLOT_IN_USE = 3,
    BP_SLOT_CLOSING = 4,
} bp_slot_state;

/* What bp_slot_at tells about a slot. */
typedef struct bp_slot_view {
    size_t size; /* Set by bp_slot_at: see "Versions" above. */
    bp_slot_state state;
    bp_lease lease; /* The slot and its present serial number, which changes each time the slot is taken. */
} bp_slot_view;

/* The greatest max_size and hard_limit. */
#define BP_MAX_SIZE 1073741823u
/* The greatest number of waiters. */
#define BP_MAX_WAITERS 67108862u
/* A deadline that never passes: the greatest uint64_t, as a number that Swift can read. */
#define BP_NO_DEADLINE 0xffffffffffffffffULL

/* With these initializers, a C++ compiler does not warn of members that a program leaves out. In C they are 0. */
#ifdef __cplusplus
#define BP_DEFAULT(value) = value
#else
#define BP_DEFAULT(value)
#endif

/* How to create a pool. Members that a program leaves out are 0. */
typedef struct bp_pool_configuration {
    /* Set by bp_pool_create: see "Versions" above. */
    size_t size BP_DEFAULT(0);
    /* The soft limit. Connections above it are excess connections. 1 to BP_MAX_SIZE. */
    uint32_t max_size BP_DEFAULT(0);
    /* The hard limit. No permit is given out while the total has reached it. max_size to BP_MAX_SIZE. */
    uint32_t hard_limit BP_DEFAULT(0);
    /* The greatest number of waiters without a permit in the queue: see bp_wait_join. 0 means BP_MAX_WAITERS. */
    uint32_t max_waiters BP_DEFAULT(0);
    /* The size of the element of each slot in bytes. 0 to 2^30. */
    size_t element_size BP_DEFAULT(0);
    /* The alignment of the element: a power of two, at most 64. 0 means the alignment of a pointer. */
    size_t element_alignment BP_DEFAULT(0);
    /*
     * The number of stripes into which the pool divides the idle connections, so that CPUs do not share cache lines.
     * Rounded up to a power of two, at most 1024. 0 means twice the number of CPUs that the process can use. This is
     * the number of CPUs on which it may run, or the quota of its control group (a container's limit), if that is less.
     */
    uint32_t stripes BP_DEFAULT(0);
    /*
     * If true, excess connections that are released stay idle until the caller closes them, with bp_begin_close_excess
     * or in a sweep. There is one exception: if bp_resize lowers hard_limit below the number of connections, the
     * connections above hard_limit are closed as they are released. A shutdown ends this: all idle connections are
     * excess connections from then on. If false, reconciling closes an excess connection as soon as it is idle and no
     * caller waits.
     */
    bool keep_excess BP_DEFAULT(false);
    /* A pointer that the pool keeps for the program: see bp_pool_owner. */
    void *owner BP_DEFAULT(NULL);
    /* If not NULL, called with owner when the pool is destroyed and when it could not be created. */
    void (*release_owner)(void *owner) BP_DEFAULT(NULL);
    /*
     * The number of slots in the first chunk of memory, rounded down to a power of two, at most 64: see "Memory" above.
     * 0 means hard_limit, but at most 64. For programs with very many pools, most of which are unused.
     */
    uint32_t first_slots BP_DEFAULT(0);
} bp_pool_configuration;

/* Counts of slots and waiters. Exact while no other call runs. Otherwise each slot is counted in the state in which it
 * was seen, and different slots were seen at different moments. */
typedef struct bp_pool_statistics {
    size_t size; /* Set by bp_pool_statistics_get: see "Versions" above. */
    uint32_t idle;
    uint32_t in_use;
    uint32_t opening;
    uint32_t closing;
    uint32_t waiting; /* Including the waiters for whom a connection is being opened. */
    uint32_t max_size;
    uint32_t hard_limit;
    bool is_shut_down;
} bp_pool_statistics;

/* The pool. */

/*
 * Creates a pool without connections.
 * BP_OK; BP_INVALID_ARGUMENT (a pointer is NULL); BP_INVALID_CONFIGURATION; BP_OUT_OF_MEMORY. *pool is NULL unless
 * BP_OK.
 */
static inline bp_status bp_pool_create(const bp_pool_configuration *configuration, bp_pool **pool);

/* Does the same for a caller that has set configuration->size. Also returns BP_INVALID_CONFIGURATION if the size is
 * less than that of version 0.1, or if a member is set that this version of the library does not know. */
bp_status bp_pool_create_sized(const bp_pool_configuration *configuration, bp_pool **pool);

/*
 * Frees the pool. All connections must have been closed or detached, each ticket must have joined, and no thread may be
 * inside a call on the pool. Before the memory is freed, release_owner is called, which may call only bp_pool_owner
 * with this pool.
 *
 * BP_BUSY: connections exist, callers wait, a ticket has not joined, a driver of bp_callback.h is open, or a call of
 * bp_blocking.h by which a thread ends its lease, permit or wait is still running. The pool is unchanged. Other calls
 * cannot be detected: the program must see to it that none runs or begins. See bp_shutdown_and_wait. BP_OK;
 * BP_INVALID_ARGUMENT.
 */
bp_status bp_pool_destroy(bp_pool *pool);

/* Returns the owner from the configuration. NULL for NULL. */
void *bp_pool_owner(const bp_pool *pool);

/*
 * Changes the limits. Connections in use stay until they are released. Then the connections above hard_limit are
 * closed, also while callers wait. An attempt to open a connection that begins at the same time may still follow the
 * old limits. Reconcile afterwards. BP_OK; BP_INVALID_ARGUMENT; BP_INVALID_CONFIGURATION; BP_SHUT_DOWN.
 */
bp_status bp_resize(bp_pool *pool, uint32_t max_size, uint32_t hard_limit);

/*
 * Reads both limits as they are at one moment. After a shutdown both are 0. O(1).
 * BP_OK; BP_SHUT_DOWN; BP_INVALID_ARGUMENT: *max_size and *hard_limit are unchanged.
 */
bp_status bp_limits(const bp_pool *pool, uint32_t *max_size, uint32_t *hard_limit);

/*
 * Pauses the pool. Until bp_resume, bp_try_acquire returns no lease and no permit is given out, so reconciling serves
 * no waiter. Everything else goes on: callers join the queue, leave it and time out, connections are released, and
 * excess connections are closed. A call that began before the pause may still succeed. Idempotent: one bp_resume ends
 * any number of pauses.
 * BP_OK; BP_SHUT_DOWN: nothing has happened, because a shutdown ends a pause for good; BP_INVALID_ARGUMENT.
 */
bp_status bp_pause(bp_pool *pool);

/* Ends the pause, if there is one. Reconcile afterwards. BP_OK; BP_INVALID_ARGUMENT. */
bp_status bp_resume(bp_pool *pool);

/* Returns whether the pool is paused. False after bp_shutdown. */
bool bp_is_paused(const bp_pool *pool);

/*
 * With always = true, makes every bp_release, bp_release_exclusive, bp_release_unless_awaited and bp_sweep_keep return
 * BP_RECONCILE where it would return BP_OK, as if a caller waited, and bp_sweep_end after each connection that it puts
 * back. With always = false, ends that. For a program that must learn of every connection that becomes idle, for
 * example because several pools share a budget of connections, and another pool needs one. Callers still acquire idle
 * connections. A connection that is not idle when the call returns is reported when it becomes idle. Idempotent.
 * BP_OK; BP_INVALID_ARGUMENT; BP_FORKED.
 */
bp_status bp_always_reconcile(bp_pool *pool, bool always);

/*
 * Shuts the pool down: from now on no connection is acquired or opened, no caller joins the queue, and all idle
 * connections are excess connections. Idempotent. Afterwards call bp_hand_off until it returns BP_EMPTY, tell each
 * waiter that it removes that the pool is shut down, and then reconcile. BP_OK; BP_INVALID_ARGUMENT.
 */
bp_status bp_shutdown(bp_pool *pool);

/* Returns whether bp_shutdown was called. */
bool bp_is_shut_down(const bp_pool *pool);

/* Returns idle + in use + opening + closing. O(1). */
uint32_t bp_total(const bp_pool *pool);

/* Returns the number of waiters, including the waiters for whom a connection is being opened. O(1). */
uint32_t bp_waiting(const bp_pool *pool);

/* Returns the number of waiters for whom no connection is being opened. O(1). */
uint32_t bp_queued(const bp_pool *pool);

/*
 * Describes the slot with this index. The first slot has the index 0. The answer may be outdated when the caller reads
 * it, because other threads go on. The lease in the view may belong to another caller, or have ended. The program can
 * compare it with other leases, or use it by agreement with its holder, for example to finish a close that takes too
 * long. What a thread did before it began to close the connection is visible to a thread that sees BP_SLOT_CLOSING.
 * BP_OK; BP_EMPTY: neither this slot nor a later one was ever used; BP_INVALID_ARGUMENT. O(1).
 */
static inline bp_status bp_slot_at(const bp_pool *pool, uint32_t index, bp_slot_view *view);

/*
 * Does the same for a caller that has set view->size. Also returns BP_INVALID_ARGUMENT if the size is less than that of
 * version 0.1.
 */
bp_status bp_slot_at_sized(const bp_pool *pool, uint32_t index, bp_slot_view *view);

/* Counts the slots by state. O(slots). BP_OK; BP_INVALID_ARGUMENT. */
static inline bp_status bp_pool_statistics_get(const bp_pool *pool, bp_pool_statistics *statistics);

/* Does the same for a caller that has set statistics->size. Also returns BP_INVALID_ARGUMENT if the size is less than
 * that of version 0.1. */
bp_status bp_pool_statistics_get_sized(const bp_pool *pool, bp_pool_statistics *statistics);

/* Returns how many bytes the pool has allocated, including bytes that it has not touched yet. O(log slots). */
size_t bp_pool_memory(const bp_pool *pool);

/* Acquiring and releasing. */

/*
 * Takes an idle connection. This is the fast path: usually one atomic exchange on a cache line that no other CPU
 * writes. Returns {NULL, 0} if no connection is idle, if a caller waits (a waiter is never overtaken), if the pool is
 * paused or shut down, or if pool is NULL.
 */
bp_lease bp_try_acquire(bp_pool *pool);

/*
 * Releases a connection. This is the fast path. The connection is idle when the call returns.
 * BP_OK: nothing else to do. BP_RECONCILE: released; now reconcile. BP_INVALID_ARGUMENT; BP_FOREIGN_SLOT;
 * BP_STALE_LEASE.
 */
bp_status bp_release(bp_pool *pool, bp_lease lease);

/*
 * Does the same for a caller that knows that no other thread ends this lease at the same instant. For example, a
 * language in which a lease cannot be copied guarantees this. The call saves one atomic operation, which is about a
 * third of the cost of an acquire and a release. A lease that has ended is still detected. Two of these calls at the
 * same instant with one lease are not detected.
 */
bp_status bp_release_exclusive(bp_pool *pool, bp_lease lease);

/*
 * Does the same as bp_release_exclusive, unless a caller waits for a connection. If a caller joins the queue at the
 * same time, either this call notices the caller, or the reconciling of that caller finds the connection idle.
 * BP_AWAITED: a caller waits, nothing has happened, and the lease continues. Then call bp_release_to_waiter, which
 * hands the connection off to the waiter without a search through the idle connections. The other statuses are as those
 * of bp_release.
 */
bp_status bp_release_unless_awaited(bp_pool *pool, bp_lease lease);

/*
 * Removes the oldest waiter, and leases the connection to it: the lease ends, and the connection was never idle. As for
 * bp_release_exclusive, no other thread may end the lease at the same time. O(1), plus the time to remove the nodes of
 * waiters that have left. Only for a pool in which all waiters have joined with bp_wait_join, because threads in
 * bp_acquire and requests of bp_callback.h wait in the same queue with contexts of the library.
 * BP_OK: the caller must resume the waiter with *context, and give it *next, its lease. Nothing has become free, so
 * there is nothing to reconcile. BP_EMPTY: no caller waits, the pool is paused or shut down, or more connections exist
 * than hard_limit. The lease continues, so release the connection. BP_INVALID_ARGUMENT; BP_FOREIGN_SLOT;
 * BP_STALE_LEASE; BP_FORKED.
 */
bp_status bp_release_to_waiter(bp_pool *pool, bp_lease lease, bp_lease *next, void **context);

/*
 * Returns the element of a slot, for the holder of the lease or permit. The address is the same for each lease of the
 * slot. Returns NULL for a lease that has ended or belongs to another pool.
 */
void *bp_element(const bp_pool *pool, bp_lease lease);

/*
 * Returns the distance in bytes from the address of a slot to that of its element, for callers that want bp_element
 * without its checks.
 */
size_t bp_element_offset(const bp_pool *pool);

/* Returns whether the lease has not ended. For assertions, because another thread may end the lease at any moment. */
bool bp_lease_is_current(const bp_pool *pool, bp_lease lease);

/* Opening. */

/*
 * Takes a permit for the oldest waiter that has none. The waiter continues to wait, and gets the connection that is
 * available first: the connection of this permit, or a connection that is released.
 * BP_OK; BP_EMPTY: no such waiter exists, or the pool is paused; BP_LIMIT_REACHED, also after a shutdown if such a
 * waiter exists; BP_OUT_OF_MEMORY; BP_INVALID_ARGUMENT.
 */
bp_status bp_begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit);

/*
 * Takes a permit that no waiter has requested, for the caller itself.
 * BP_OK; BP_EMPTY: a waiter needs a permit, or the pool is paused; BP_LIMIT_REACHED; BP_SHUT_DOWN; BP_OUT_OF_MEMORY;
 * BP_INVALID_ARGUMENT.
 */
bp_status bp_begin_open_unrequested(bp_pool *pool, bp_lease *permit);

/* Turns the permit into a lease, after the connection was opened and the element written. BP_OK or misuse. */
bp_status bp_finish_open(bp_pool *pool, bp_lease permit);

/* Ends the permit and frees the slot, after the connection did not open. Reconcile afterwards. BP_OK or misuse. */
bp_status bp_cancel_open(bp_pool *pool, bp_lease permit);

/* Closing. */

/* Begins to close the connection of this lease. The connection counts in the total until bp_finish_close, and the lease
 * stays valid for that call. BP_OK or misuse. */
bp_status bp_begin_close(bp_pool *pool, bp_lease lease);

/* Does the same if more connections than max_size exist, not counting the closing ones. BP_OK; BP_EMPTY: there are no
 * more than max_size, and the lease continues; misuse. */
bp_status bp_begin_close_excess(bp_pool *pool, bp_lease lease);

/* Does the same if more connections than hard_limit exist, not counting the closing ones, because bp_resize has lowered
 * hard_limit. BP_OK; BP_EMPTY: there are no more than hard_limit, and the lease continues; misuse. */
bp_status bp_begin_close_above_hard_limit(bp_pool *pool, bp_lease lease);

/*
 * Frees the slot, after the connection was closed or the close was abandoned. Reconcile afterwards. Two threads may
 * call this for one close: the thread that closes the connection, and a thread that decides that the close takes too
 * long. The first of the two calls frees the slot. If a program does this, the closing thread must copy all that it
 * needs from the element before it begins to close, because the slot may be used again before the thread has finished.
 * BP_OK; BP_STALE_LEASE: the close has ended already, or never began; misuse.
 */
bp_status bp_finish_close(bp_pool *pool, bp_lease lease);

/* Takes the connection out of the pool and frees the slot. The caller owns the connection. Reconcile afterwards. BP_OK
 * or misuse. */
bp_status bp_detach(bp_pool *pool, bp_lease lease);

/* Waiting. */

/*
 * Creates a ticket without joining the queue yet, so that another thread can cancel the wait from now on.
 * BP_OK: bp_wait_join must follow. BP_TOO_MANY_WAITERS; BP_OUT_OF_MEMORY; BP_SHUT_DOWN; BP_INVALID_ARGUMENT.
 */
bp_status bp_wait_prepare(bp_pool *pool, bp_ticket *ticket);

/*
 * Joins the end of the queue. The call that ends the wait returns the context, exactly once, and its caller must resume
 * the waiter. This can happen before bp_wait_join returns. deadline: on the clock that bp_expire is called with.
 * *arm_timer (may be NULL): true if the caller must see to it that bp_expire is called at the deadline, because no
 * other caller of this function or of bp_expire was told a time that is as early.
 * BP_OK: now reconcile. BP_CANCELLED, BP_SHUT_DOWN, BP_STALE_TICKET, BP_INVALID_ARGUMENT, BP_TOO_MANY_WAITERS: the
 * caller does not wait, no call returns the context, and the ticket has ended.
 *
 * BP_TOO_MANY_WAITERS: the number of waiters without a permit has reached max_waiters plus the number of connections
 * that the hard limit still allows. That number is added because the next reconcile gives so many waiters a permit. A
 * caller that is being rejected counts until its call has rejected it.
 */
bp_status bp_wait_join(bp_pool *pool, bp_ticket ticket, void *context, uint64_t deadline, bool *arm_timer);

/*
 * Removes this waiter, wherever it is in the queue: to cancel its wait, to give it the connection that was opened for
 * it, or to tell it that the attempt to open one failed.
 * BP_OK: the caller must resume the waiter with this context. *context is NULL if it had not joined yet; bp_wait_join
 * then returns BP_CANCELLED. BP_STALE_TICKET: another call has ended the wait, and its caller resumes the waiter.
 * BP_INVALID_ARGUMENT. O(1) amortised: after many such calls, one call purges the queue.
 */
bp_status bp_wait_claim(bp_pool *pool, bp_ticket ticket, void **context);

/*
 * Makes the waiter that bp_begin_open named wait for a permit again, at its position in the queue, because its
 * connection did not open. To be called by the caller that has or had the permit, once for each permit. Reconcile when
 * both this call and the permit have ended.
 * BP_OK; BP_STALE_TICKET: another call has ended the wait, and its caller resumes the waiter; BP_INVALID_ARGUMENT.
 * O(1).
 */
bp_status bp_wait_requeue(bp_pool *pool, bp_ticket ticket);

/*
 * Removes up to capacity waiters whose deadline is not after now, and stores their contexts. Returns how many. The
 * caller must resume them.
 * *next: when the caller must call this again. It is not after now if more waiters may have expired. BP_NO_DEADLINE if
 * no waiter has a deadline, or if another caller of bp_expire or bp_wait_join was told a time that is as early.
 * O(n / 64), if n is the greatest number of waiters that the pool has had at the same time, and O(64) for each group of
 * 64 waiters in which a deadline has passed.
 */
size_t bp_expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity, uint64_t *next);

/*
 * Returns a time no later than the earliest deadline of the waiters; BP_NO_DEADLINE if no waiter has a deadline. While
 * a call of bp_expire runs, the answer is only about the waiters that have joined since that call began, because that
 * call returns the time for the others. O(1).
 */
uint64_t bp_next_deadline(const bp_pool *pool);

/*
 * Removes the oldest waiter, so that the caller can hand its lease off to the waiter, or tell the waiter that it gets
 * no connection. Also works while the pool is paused, and after a shutdown.
 * BP_OK: the caller must resume the waiter with *context. BP_EMPTY: no caller waits. BP_INVALID_ARGUMENT.
 */
bp_status bp_hand_off(bp_pool *pool, void **context);

/* Reconciling: see above. */

/*
 * Returns whether a caller waits or excess connections exist. O(1). It is sometimes true although there is nothing to
 * reconcile, and always while the pool is paused, after a shutdown, and with bp_always_reconcile.
 */
bool bp_needs_reconcile(const bp_pool *pool);

/* Returns whether a caller waits for a connection and the pool is not paused. Exact: unlike bp_needs_reconcile, it
 * searches the queue. */
bool bp_has_waiters(bp_pool *pool);

/*
 * Returns whether a waiter has no permit although one more connection can be opened and the pool is not paused. Exact.
 * For callers that limit how many connections they open at the same time. A caller that did not call bp_begin_open
 * because of its limit makes this call when an attempt has ended, and reconciles if it returns true.
 */
bool bp_has_permit_for_waiter(bp_pool *pool);

/* Returns whether more connections exist than the pool keeps, not counting the closing ones. The pool keeps max_size
 * connections, with keep_excess hard_limit, and none after a shutdown. */
bool bp_has_excess(const bp_pool *pool);

/* Takes an idle connection although a caller may wait: to hand it off or to close it. BP_OK; BP_EMPTY;
 * BP_INVALID_ARGUMENT. */
bp_status bp_take_idle(bp_pool *pool, bp_lease *lease);

/* Returns the connection that bp_take_idle took. Like bp_release, but never BP_RECONCILE: the caller is reconciling and
 * must go on. BP_OK or misuse. */
bp_status bp_return_idle(bp_pool *pool, bp_lease lease);

/* Sweeping: see above. */

/* Takes an idle connection that the sweep has not looked at, although a caller may wait. BP_OK; BP_EMPTY;
 * BP_INVALID_ARGUMENT. */
bp_status bp_sweep_next(bp_pool *pool, bp_lease *lease);

/*
 * Releases a connection that the sweep has looked at, and sets it aside.
 * BP_OK: nothing else to do. BP_RECONCILE: released; now reconcile. BP_INVALID_ARGUMENT; BP_FOREIGN_SLOT;
 * BP_STALE_LEASE.
 */
bp_status bp_sweep_keep(bp_pool *pool, bp_lease lease);

/*
 * Ends a sweep, one connection for each call: puts a connection that was set aside and is still idle back among the
 * other idle connections, the least recently used first, behind the connection that the calling thread used last.
 * BP_OK: call again. BP_RECONCILE: reconcile, and call again. BP_EMPTY: none is left. BP_INVALID_ARGUMENT. O(1).
 */
bp_status bp_sweep_end(bp_pool *pool);

/* Ages of leases. */

/*
 * Observes all leases, so that bp_oldest_lease_age knows a minimum age of each. It adds no cost to acquiring a lease;
 * this call costs O(slots). It does nothing if the last observation was less than interval ago. now and interval: on
 * the clock of the deadlines. The age of a lease counts from now, even if the lease began during this call. So read the
 * clock immediately before the call. If a thread is stopped inside this call while another thread makes the next
 * observation, bp_oldest_lease_age may return too high an age.
 */
void bp_observe_leases(bp_pool *pool, uint64_t now, uint64_t interval);

/* Returns the minimum age of the oldest observed lease; 0 if all observed leases have ended. O(slots). */
uint64_t bp_oldest_lease_age(const bp_pool *pool, uint64_t now);

/* The home number. */

/*
 * Returns a number that two threads which run at the same time seldom share. Where the system tells it, this is the
 * number of the CPU. Otherwise it belongs to the thread, and can be any uint32_t, so a program that uses it as an index
 * must reduce it. It selects the stripe in which the pool looks first, and programs can use it for striped counters of
 * their own. It is a hint: the thread may run on another CPU when the call returns.
 */
uint32_t bp_home_number(void);

/* The calls that tell the library the size of a structure in this header. */

static inline bp_status bp_pool_create(const bp_pool_configuration *configuration, bp_pool **pool) {
    if (configuration == NULL) {
        return bp_pool_create_sized(NULL, pool);
    }
    bp_pool_configuration sized = *configuration;
    sized.size = sizeof sized;
    return bp_pool_create_sized(&sized, pool);
}

static inline bp_status bp_slot_at(const bp_pool *pool, uint32_t index, bp_slot_view *view) {
    if (view != NULL) {
        view->size = sizeof *view;
    }
    return bp_slot_at_sized(pool, index, view);
}

static inline bp_status bp_pool_statistics_get(const bp_pool *pool, bp_pool_statistics *statistics) {
    if (statistics != NULL) {
        statistics->size = sizeof *statistics;
    }
    return bp_pool_statistics_get_sized(pool, statistics);
}

BP_END_DECLARATIONS

#endif
