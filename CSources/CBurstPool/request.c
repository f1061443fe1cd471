/* SPDX-License-Identifier: Apache-2.0 */

/* Requests: submitting, cancelling and completing them, and what a program does with their connections. */
#include "posix.h"

#include "driver.h"

#include "parking.h"
#include "pool.h"
#include "reconcile.h"
#include "sized.h"
#include "waiting.h"

/* The size of bp_request in version 0.1. The library reads and writes only the members of that version. */
#define BP_LEAST_REQUEST BP_SIZE_UP_TO(bp_request, is_submitted)

/* The check at the beginning of the calls that take a driver. */
static bp_status bp__driver_check(const bp_driver *driver) {
    return driver == NULL ? BP_INVALID_ARGUMENT : bp__check(driver->pool);
}

void bp_request_init_sized(bp_request *request, bp_request_done done, void *data) {
    if (request != NULL && request->size >= BP_LEAST_REQUEST) {
        *request = (bp_request){.size = request->size, .data = data, .done = done};
    }
}

static void bp__request_finish(bp_request *request, bp_status status, int error, bp_lease lease) {
    bp_driver *driver = request->driver;
    request->status = status;
    request->error = error;
    request->lease = lease;
    /* A hold for this call, because the request's own hold may end as soon as the request is pushed. */
    bp__driver_hold(driver);
    bp__driver_push(driver, request, BP_WORK_REQUEST);
    bp__driver_wake(driver);
    bp__driver_unhold(driver);
}

void bp__request_complete(void *context, bp_status status, int error, bp_lease lease) {
    bp__request_finish((bp_request *)(void *)((char *)context - 1), status, error, lease);
}

void bp__request_deliver(bp_driver *driver, bp_request *request) {
    request->is_submitted = false;
    bp__driver_unhold(driver);
    request->done(request);
}

/* Returns the time at which a timeout that begins now passes. */
static uint64_t bp__deadline(uint64_t timeout) {
    if (timeout == BP_NO_DEADLINE) {
        return BP_NO_DEADLINE;
    }
    uint64_t now = bp__now();
    return timeout < BP_NO_DEADLINE - now ? now + timeout : BP_NO_DEADLINE;
}

/* Joins the queue. The request may be completed, and its memory freed, before this returns. */
static bp_status bp__request_wait(bp_request *request, bp_driver *driver, uint64_t timeout) {
    bp_pool *pool = driver->pool;
    bp_ticket ticket;
    bp_status status = bp_wait_prepare(pool, &ticket);
    if (status != BP_OK) {
        return status;
    }
    request->ticket = ticket;
    uint64_t deadline = bp__deadline(timeout);
    status = bp__wait_join(pool, ticket, bp__request_context(request), &driver->holds, deadline, NULL);
    if (status != BP_OK) {
        return status;
    }
    /*
     * Each driver wakes its own loop for its own requests, so that no loop depends on the timer of another one. The
     * deadline was recorded in the queue before this: pairs with the exchange in bp__expire_requests, which comes
     * before the deadlines are read.
     */
    if (bp__driver_lower_wake(driver, deadline)) {
        bp__driver_wake(driver);
    }
    bp__reconcile_for(driver);
    return BP_OK;
}

bp_status bp_request_submit(bp_request *request, bp_driver *driver, uint64_t timeout) {
    bp_status status = request == NULL || request->size < BP_LEAST_REQUEST || request->done == NULL
                           ? BP_INVALID_ARGUMENT
                           : bp__driver_check(driver);
    if (status != BP_OK) {
        return status;
    }
    if (request->is_submitted) {
        return BP_BUSY;
    }
    bp_pool *pool = driver->pool;
    /*
     * A hold for the request and a hold for this call. Full barrier: pairs with the compare-and-swap in bp__begin_end.
     * Either this call reads below that the driver is closing, or the driver sees these holds and does not end.
     */
    bp__add(&driver->holds, 2);
    if (bp__load(&driver->state) != BP_DRIVER_OPEN) {
        bp__add(&driver->holds, (uint64_t)-2);
        return BP_SHUT_DOWN;
    }
    request->is_submitted = true;
    request->driver = driver;
    request->ticket = (bp_ticket){0};
    bp_lease lease = bp_try_acquire(pool);
    if (lease.slot != NULL || (timeout == 0 && !bp_is_shut_down(pool))) {
        bp__request_finish(request, lease.slot != NULL ? BP_OK : BP_TIMED_OUT, 0, lease);
    } else {
        status = bp__request_wait(request, driver, timeout);
        if (status != BP_OK) {
            request->is_submitted = false;
            bp__driver_unhold(driver);
        }
    }
    bp__driver_unhold(driver);
    return status;
}

bp_status bp_request_cancel(bp_request *request) {
    bp_driver *driver = request == NULL ? NULL : request->driver;
    bp_status status = bp__driver_check(driver);
    if (status != BP_OK) {
        return status;
    }
    void *context;
    status = bp_wait_claim(driver->pool, request->ticket, &context);
    if (status == BP_OK) {
        bp__request_complete(context, BP_CANCELLED, 0, bp__no_lease);
    }
    return status;
}

bp_status bp_driver_release(bp_driver *driver, bp_lease lease) {
    if (driver == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_status status = bp__release_and_hold(driver, lease);
    if (__builtin_expect(status != BP_RECONCILE, 1)) {
        return status;
    }
    bp__reconcile_for(driver);
    bp__driver_unhold(driver);
    return BP_OK;
}

bp_status bp_driver_discard(bp_driver *driver, bp_lease lease) {
    if (driver == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp__driver_hold(driver);
    bp_status status = bp_begin_close(driver->pool, lease);
    if (status == BP_OK) {
        bp__driver_close(driver, lease);
    } else if (status == BP_STALE_LEASE) {
        /* bp_begin_close may have hidden an excess connection for a moment. */
        bp__reconcile_for(driver);
    }
    bp__driver_unhold(driver);
    return status;
}

/*
 * What a driver has stored in the slot of a lease while it opens or closes the connection. To be read before the call
 * that gives up the slot, and to be used only if that call succeeds. Relaxed: the loop has stored both words before it
 * passed the lease to the program.
 */
typedef struct {
    uint64_t ticket;   /* 0: no driver opens or closes the connection. */
    bp_driver *holder; /* The driver that has a hold for this attempt. */
} bp_attempt;

static bp_attempt bp__attempt_of(bp_lease lease) {
    uint64_t ticket = bp__load_relaxed(&lease.slot->ticket);
    return (bp_attempt){ticket, (bp_driver *)(uintptr_t)bp__entry_word(&lease.slot->entry)};
}

static void bp__attempt_end(const bp_attempt *attempt) {
    if (attempt->ticket != 0) {
        bp__driver_unhold(attempt->holder);
    }
}

bp_status bp_driver_finish_open(bp_driver *driver, bp_lease permit, int error) {
    bp_status status = bp__driver_check(driver);
    if (status == BP_OK) {
        status = bp__lease_belongs(driver->pool, permit);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_pool *pool = driver->pool;
    bp__driver_hold(driver);
    bp_attempt attempt = bp__attempt_of(permit);
    status = error == 0 ? bp_finish_open(pool, permit) : bp_cancel_open(pool, permit);
    if (status == BP_OK) {
        bool is_open = error == 0;
        if (is_open) {
            /* Relaxed: this thread still owns the slot. The call that gives up the slot publishes this store. */
            bp__store_relaxed(&permit.slot->ticket, 0);
        }
        void *context;
        /* After a shutdown the connection is closed, and the request learns of the shutdown when this reconciles. */
        bool waits =
            !(is_open && bp_is_shut_down(pool)) && bp_wait_claim(pool, (bp_ticket){attempt.ticket}, &context) == BP_OK;
        if (waits) {
            bp__request_complete(context, is_open ? BP_OK : BP_CONNECT_FAILED, error, is_open ? permit : bp__no_lease);
        } else if (is_open) {
            bp_release(pool, permit);
        }
        if (!waits || !is_open) {
            bp__reconcile_for(driver);
        }
        bp__attempt_end(&attempt);
    }
    bp__driver_unhold(driver);
    return status;
}

bp_status bp_driver_finish_close(bp_driver *driver, bp_lease lease) {
    bp_status status = bp__driver_check(driver);
    if (status == BP_OK) {
        status = bp__lease_belongs(driver->pool, lease);
    }
    if (status != BP_OK) {
        return status;
    }
    bp__driver_hold(driver);
    bp_attempt attempt = bp__attempt_of(lease);
    status = bp_finish_close(driver->pool, lease);
    if (status == BP_OK) {
        bp__reconcile_for(driver);
        bp__attempt_end(&attempt);
    }
    bp__driver_unhold(driver);
    return status;
}

bp_status bp_driver_reconcile(bp_driver *driver) {
    bp_status status = bp__driver_check(driver);
    if (status == BP_OK) {
        bp__driver_hold(driver);
        bp__reconcile_for(driver);
        bp__driver_unhold(driver);
    }
    return status;
}
