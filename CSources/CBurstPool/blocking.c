/* The calls of bp_blocking.h: threads that wait, and reconciling. */
#define _GNU_SOURCE /* sem_clockwait */

#include "include/bp_blocking.h"

#include "atomics.h"

#include <errno.h>
#include <time.h>

/*
 * A semaphore on which one thread sleeps until another thread posts to it. A post before the wait is not lost. The
 * interleaving explorer, whose threads must not sleep in the system, has its own.
 */
#if defined(BP_PARKING_HEADER)
#include BP_PARKING_HEADER
#elif defined(__APPLE__)
#include <dispatch/dispatch.h>

typedef dispatch_semaphore_t bp_parking;

static void bp__parking_create(bp_parking *parking) {
    *parking = dispatch_semaphore_create(0);
}

static void bp__parking_destroy(bp_parking *parking) {
    dispatch_release(*parking);
}

static void bp__parking_post(bp_parking *parking) {
    dispatch_semaphore_signal(*parking);
}

/* timeout: in nanoseconds from now. Returns false when it has passed. */
static bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    dispatch_time_t until =
        timeout > INT64_MAX ? DISPATCH_TIME_FOREVER : dispatch_time(DISPATCH_TIME_NOW, (int64_t)timeout);
    return dispatch_semaphore_wait(*parking, until) == 0;
}
#else
#include <semaphore.h>

typedef sem_t bp_parking;

static void bp__parking_create(bp_parking *parking) {
    sem_init(parking, 0, 0);
}

static void bp__parking_destroy(bp_parking *parking) {
    sem_destroy(parking);
}

static void bp__parking_post(bp_parking *parking) {
    sem_post(parking);
}

/* timeout: in nanoseconds from now. Returns false when it has passed. */
static bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    const uint64_t second = 1000000000;
    int result;
    if (timeout > INT64_MAX) {
        while ((result = sem_wait(parking)) != 0 && errno == EINTR) {
        }
        return result == 0;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + timeout % second;
    until.tv_sec += (time_t)(timeout / second + nanoseconds / second);
    until.tv_nsec = (long)(nanoseconds % second);
    while ((result = sem_clockwait(parking, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR) {
    }
    return result == 0;
}
#endif

/*
 * A thread that waits in bp_acquire. It is on the stack of that thread, which leaves bp_acquire only after another
 * thread has posted to it, or after it has claimed its own wait.
 */
typedef struct {
    bp_parking parking;
    bp_lease lease;
    bp_close_function close; /* With BP_SHUT_DOWN: the function that closes connections. */
    void *close_context;
    bp_atomic64 status; /* Released after the other fields and acquired before them, because ThreadSanitizer does not
                           know sem_clockwait. */
} bp_sleeper;

static void bp__wake(void *context, bp_status status, bp_lease lease) {
    bp_sleeper *sleeper = context;
    sleeper->lease = lease;
    bp__store(&sleeper->status, status);
    bp__parking_post(&sleeper->parking);
}

/* Gives a connection or a permit to the oldest waiter. Returns false if none is free. */
static bool bp__match_one_waiter(bp_pool *pool) {
    bp_lease lease;
    void *context;
    if (bp_take_idle(pool, &lease) == BP_OK) {
        if (bp_hand_off(pool, &context) == BP_OK) {
            bp__wake(context, BP_OK, lease);
        } else {
            bp_return_idle(pool, lease);
        }
        return true;
    }
    bp_ticket ticket;
    if (bp_begin_open(pool, &ticket, &lease) != BP_OK) {
        return false;
    }
    if (bp_wait_claim(pool, ticket, &context) == BP_OK) {
        bp__wake(context, BP_OPEN, lease);
    } else {
        bp_cancel_open(pool, lease);
    }
    return true;
}

/* Closes one excess connection. Returns false if no connection is idle. */
static bool bp__close_one_excess(bp_pool *pool, bp_close_function close, void *context) {
    bp_lease lease;
    if (bp_take_idle(pool, &lease) != BP_OK) {
        return false;
    }
    if (bp_begin_close_excess(pool, lease) == BP_OK) {
        close(bp_element(pool, lease), context);
        bp_finish_close(pool, lease);
    } else {
        bp_return_idle(pool, lease);
    }
    return true;
}

bp_status bp_reconcile(bp_pool *pool, bp_close_function close, void *context) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bool progress = true;
    while (progress) {
        if (bp_has_waiters(pool)) {
            progress = bp__match_one_waiter(pool);
        } else {
            progress = close != NULL && bp_has_excess(pool) && bp__close_one_excess(pool, close, context);
        }
    }
    return BP_OK;
}

bp_status bp_acquire(bp_pool *pool, uint64_t timeout, bp_lease *lease) {
    if (pool == NULL || lease == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *lease = bp_try_acquire(pool);
    if (lease->slot != NULL) {
        return BP_OK;
    }
    bp_status status = bp_begin_open_unrequested(pool, lease);
    if (status == BP_OK) {
        return BP_OPEN;
    }
    if (status == BP_SHUT_DOWN || status == BP_OUT_OF_MEMORY) {
        return status;
    }
    if (timeout == 0) {
        return BP_TIMED_OUT;
    }
    bp_ticket ticket;
    status = bp_wait_prepare(pool, &ticket);
    if (status != BP_OK) {
        return status;
    }
    bp_sleeper sleeper = {.lease = {NULL, 0}};
    bp__store_relaxed(&sleeper.status, BP_TIMED_OUT);
    bp__parking_create(&sleeper.parking);
    /* The thread measures its own timeout, so the pool gets no deadline. */
    status = bp_wait_join(pool, ticket, &sleeper, BP_NO_DEADLINE, NULL);
    if (status == BP_OK) {
        bp_reconcile(pool, NULL, NULL);
        void *context;
        if (!bp__parking_wait(&sleeper.parking, timeout) && bp_wait_claim(pool, ticket, &context) != BP_OK) {
            /* Another thread has ended the wait at the same instant, and is about to post. */
            bp__parking_wait(&sleeper.parking, BP_NO_DEADLINE);
        }
        status = (bp_status)bp__load(&sleeper.status);
        *lease = sleeper.lease;
        if (status == BP_SHUT_DOWN) {
            /*
             * A connection that the reconcile above held and returned may have been missed by the thread that shut the
             * pool down.
             */
            bp_reconcile(pool, sleeper.close, sleeper.close_context);
        }
    }
    bp__parking_destroy(&sleeper.parking);
    return status;
}

bp_status bp_release_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context) {
    bp_status status = bp_release(pool, lease);
    return status == BP_RECONCILE ? bp_reconcile(pool, close, context) : status;
}

bp_status bp_cancel_open_and_reconcile(bp_pool *pool, bp_lease permit, bp_close_function close, void *context) {
    bp_status status = bp_cancel_open(pool, permit);
    if (status == BP_OK) {
        bp_reconcile(pool, close, context);
        return BP_EMPTY;
    }
    return status;
}

bp_status bp_discard_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context) {
    if (close == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_status status = bp_begin_close(pool, lease);
    if (status == BP_OK) {
        close(bp_element(pool, lease), context);
        bp_finish_close(pool, lease);
        bp_reconcile(pool, close, context);
    }
    return status;
}

bp_status bp_shutdown_and_reconcile(bp_pool *pool, bp_close_function close, void *context) {
    bp_status status = bp_shutdown(pool);
    if (status != BP_OK) {
        return status;
    }
    void *waiter;
    while (bp_hand_off(pool, &waiter) == BP_OK) {
        bp_sleeper *sleeper = waiter;
        sleeper->close = close;
        sleeper->close_context = context;
        bp__wake(waiter, BP_SHUT_DOWN, (bp_lease){NULL, 0});
    }
    return bp_reconcile(pool, close, context);
}
