/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A driver: what connects the pool to one event loop.
 *
 * Any thread may give a driver work: a request to complete, a connection to open, a connection to close. An item of
 * work is the request itself or the slot itself, so no memory is allocated. The items are in a list to which any thread
 * pushes with a compare-and-swap, and which the loop takes as a whole with an exchange. No single item is ever popped,
 * so there is no ABA problem. The link of a request is its member next. The link of a slot is the word of its stack
 * entry, because a slot that is opening or closing is in no stack.
 *
 * Waking the loop
 *
 *   A thread that has pushed must see to it that the loop runs again. If only the thread that finds the list empty
 *   called post, a thread that is stopped between its push and its post would delay the work of all other threads. So
 *   each thread calls post, unless another thread has called it and returned from it since the last run began. Each run
 *   has a number, its turn. A thread reads the turn after its push, and calls post if posted_in has an earlier turn.
 *   After that call, it stores the turn that it has read in posted_in.
 *
 * Holds
 *
 *   A driver ends only when nothing needs it any more. The count in holds keeps it open: 1 for each request that is
 *   submitted, for each connection that the driver is opening or closing, and for each thread inside a call for the
 *   driver. A thread that pushes a request or a connection has a hold of its own, because the loop may finish with the
 *   item before the thread has returned from post. Only in bp_driver_release, a thread that finds nothing to reconcile
 *   takes no hold. It has the driver's address in its record meanwhile: see thread_record.h.
 *
 *   While the driver has a hold for an opening or closing connection, the ticket of the connection's slot is not 0.
 *   After the loop has taken the slot from the list, the word of its stack entry has the driver's address.
 *
 *   A thread that gives a permit to a request takes the hold before it knows that the request still waits: see
 *   bp__waiter_begin_opening. By then the request may have been completed and its driver may have ended. So the memory
 *   of drivers is type-stable: it is not freed before the pool, and the memory of a driver that has ended is used again
 *   for a new driver.
 *
 *   state before   state after   set by
 *   free           open          bp_driver_create
 *   open           closing       bp_driver_close, bp_driver_shutdown
 *   closing        free          bp_driver_run
 */
#ifndef BP_DRIVER_H
#define BP_DRIVER_H

#include "atomics.h"
#include "include/bp_callback.h"

#define BP_FIRST_DRIVERS 4 /* The number of drivers for which there is memory at first. */

typedef enum { BP_DRIVER_FREE = 0, BP_DRIVER_OPEN = 1, BP_DRIVER_CLOSING = 2 } bp_driver_state;

struct bp_driver {
    _Alignas(64) bp_atomic64 holds; /* The first member: it is the home of the driver's waiters. */
    bp_atomic64 state;
    bp_atomic64 work;      /* The item that was pushed last: an address, and its kind in the lowest bits. 0: none. */
    bp_atomic64 turn;      /* The number of the last run. */
    bp_atomic64 posted_in; /* A turn in which post was called and has returned. */
    bp_atomic64 wake_at;   /* No later than the earliest deadline of this driver's requests. */
    bp_pool *pool;

    _Alignas(64) bp_driver_functions functions;
    void *data;
    /* Only for the thread of the loop. */
    bool is_running;
    bool is_armed;
    bool ends_with_pool;
    bp_driver_ended ended;
    uint64_t pause; /* In nanoseconds, until the next check whether the driver can end. */
};

static inline bp_driver *bp__driver_at(bp_atomic64 *home) {
    return (bp_driver *)(void *)home;
}

/*
 * Take and give up a hold. Both are full barriers, and pair with the load of the holds in bp__driver_may_end.
 * bp__driver_unhold is the last access to the driver.
 */
static inline void bp__driver_hold(bp_driver *driver) {
    bp__add(&driver->holds, 1);
}

static inline void bp__driver_unhold(bp_driver *driver) {
    bp__add(&driver->holds, (uint64_t)-1);
}

/* Makes the loop run again. To be called after the read-modify-write that has published the work for this run. */
void bp__driver_wake(bp_driver *driver);

/*
 * Lowers wake_at to this deadline. Returns false if wake_at was not later. If it returns true, it was a full barrier,
 * which pairs with the exchange in bp__expire_requests.
 */
bool bp__driver_lower_wake(bp_driver *driver, uint64_t deadline);

/*
 * Makes the driver open a connection for the request of this ticket, or close the connection of this lease. The caller
 * of bp__driver_open already has the hold for the permit. bp__driver_close takes the hold for the lease itself; its
 * caller has another hold during the call.
 */
void bp__driver_open(bp_driver *driver, bp_ticket ticket, bp_lease permit);
void bp__driver_close(bp_driver *driver, bp_lease lease);

/* The kinds of work. An item of work is the address of a request or a slot, with the kind in its lowest bits. */
#define BP_WORK_REQUEST 0u
#define BP_WORK_OPEN 1u
#define BP_WORK_CLOSE 2u
#define BP_WORK_KIND_MASK 3u

/* Pushes an item of work. A full barrier, which pairs with the exchange by which the loop takes the work. */
void bp__driver_push(bp_driver *driver, void *address, unsigned kind);

/* Requests. */

/*
 * A waiter in the queue is a thread (a bp_sleeper) or a request. The context of a thread is the address of its
 * bp_sleeper, whose lowest bit is clear. The context of a request is the address of the request with the lowest bit
 * set.
 */
static inline void *bp__request_context(bp_request *request) {
    return (char *)request + 1;
}

static inline bool bp__is_request(const void *context) {
    return ((uintptr_t)context & 1) != 0;
}

/* Completes the request with this context, after the caller has removed it from the queue. */
void bp__request_complete(void *context, bp_status status, int error, bp_lease lease);

/* On the loop: gives a completed request back to the program. */
void bp__request_deliver(bp_driver *driver, bp_request *request);

#endif
