/* SPDX-License-Identifier: Apache-2.0 */

/* Matching free connections and permits with the threads and requests that wait, and closing excess connections. */
#include "posix.h"

#include "reconcile.h"

#include "pool.h"
#include "waiting.h"

#include <errno.h>
#include <pthread.h>

static void bp__wake(bp_sleeper *sleeper, bp_status status, bp_lease lease) {
    sleeper->status = status;
    sleeper->lease = lease;
    bp__parking_post(&sleeper->parking);
}

/* Resumes a waiter that this thread has removed from the queue. */
static void bp__resume(void *waiter, bp_status status, bp_lease lease) {
    if (bp__is_request(waiter)) {
        bp__request_complete(waiter, status, 0, lease);
    } else {
        bp__wake(waiter, status, lease);
    }
}

/* Tells the oldest waiter that the pool is shut down. */
static void bp__dismiss_one_waiter(bp_pool *pool, const bp_closer *closer) {
    void *waiter;
    if (bp_hand_off(pool, &waiter) != BP_OK) {
        return;
    }
    if (!bp__is_request(waiter)) {
        ((bp_sleeper *)waiter)->closer = *closer;
        if (closer->driver != NULL) {
            bp__driver_hold(closer->driver);
        }
    }
    bp__resume(waiter, BP_SHUT_DOWN, bp__no_lease);
}

/* Closes a connection whose close has begun. */
static void bp__finish_closing(bp_pool *pool, bp_lease lease, const bp_closer *closer) {
    if (closer->driver != NULL) {
        bp__driver_close(closer->driver, lease);
    } else {
        bp__close(pool, lease, closer->close, closer->context);
        bp_finish_close(pool, lease);
    }
}

static bool bp__can_close(const bp_closer *closer) {
    return closer->close != NULL || closer->driver != NULL;
}

/* Gives a connection or a permit to the oldest waiter. Returns false if none is free. */
static bool bp__match_one_waiter(bp_pool *pool, const bp_closer *closer) {
    bp_lease lease;
    void *context;
    if (bp_take_idle(pool, &lease) == BP_OK) {
        /* A thread that cannot close gives the connection to a waiter. It is closed at its next release. */
        if (bp__can_close(closer) && bp_begin_close_above_hard_limit(pool, lease) == BP_OK) {
            bp__finish_closing(pool, lease, closer);
            return true;
        }
        /* Asked after the connection was taken: one that was released after a shutdown is not given out. */
        if (!bp_is_shut_down(pool) && bp_hand_off(pool, &context) == BP_OK) {
            bp__resume(context, BP_OK, lease);
        } else {
            bp_return_idle(pool, lease);
        }
        return true;
    }
    bp_ticket ticket;
    bp_atomic64 *home;
    if (bp__begin_open(pool, &ticket, &lease, &home) != BP_OK) {
        return false;
    }
    if (home != NULL) {
        /* The request stays in the queue, and is completed by whatever comes first. */
        bp__driver_open(bp__driver_at(home), ticket, lease);
    } else if (bp_wait_claim(pool, ticket, &context) == BP_OK) {
        bp__wake(context, BP_OPEN, lease);
    } else {
        bp_cancel_open(pool, lease);
    }
    return true;
}

/* Closes one excess connection. Returns false if no connection is idle. */
static bool bp__close_one_excess(bp_pool *pool, const bp_closer *closer) {
    bp_lease lease;
    if (bp_take_idle(pool, &lease) != BP_OK) {
        return false;
    }
    bool keeps_excess = (bp__load(&pool->limits) & BP_KEEP_EXCESS) != 0;
    if ((keeps_excess ? bp_begin_close_above_hard_limit : bp_begin_close_excess)(pool, lease) == BP_OK) {
        bp__finish_closing(pool, lease, closer);
    } else {
        bp_return_idle(pool, lease);
    }
    return true;
}

static bool bp__reconcile_one(bp_pool *pool, const bp_closer *closer) {
    if (bp_has_waiters(pool)) {
        if (bp_is_shut_down(pool)) {
            /* A waiter is dismissed by a thread that can close connections, and tells the waiter how. */
            if (!bp__can_close(closer)) {
                return false;
            }
            bp__dismiss_one_waiter(pool, closer);
            return true;
        }
        return bp__match_one_waiter(pool, closer);
    }
    return bp__can_close(closer) && bp_has_excess(pool) && bp__close_one_excess(pool, closer);
}

/*
 * Drops calls that a close function has left without returning, for example by an exception. Their stack frames are
 * dead: on a stack that grows downwards, a live outer frame is above the present one.
 */
static void bp__drop_abandoned(bp_thread_record *thread, uintptr_t frame) {
    while (thread->depth > 0 && thread->reconciling[thread->depth - 1].frame <= frame) {
        thread->depth--;
    }
}

/*
 * Returns whether this thread is reconciling this pool already, in an outer call. The outer call goes on after the
 * close function has returned, so a nested call has nothing to do. If it did the work, a close function that releases a
 * connection to the same pool would nest one call for each connection, and overflow the stack.
 */
static bool bp__is_nested(const bp_thread_record *thread, const bp_pool *pool) {
    for (unsigned i = 0; i < thread->depth; i++) {
        if (thread->reconciling[i].pool == pool) {
            return true;
        }
    }
    return false;
}

void bp__reconcile(bp_pool *pool, const bp_closer *closer) {
    /* Without a close function no other code is called except that of bp_driver_functions.post, so nothing nests. */
    bp_thread_record *thread = closer->close == NULL ? NULL : bp__thread_record();
    unsigned depth = 0;
    if (thread != NULL) {
        uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
        bp__drop_abandoned(thread, frame);
        if (bp__is_nested(thread, pool)) {
            return;
        }
        depth = thread->depth;
        if (depth < BP_MAX_RECONCILING) {
            thread->reconciling[depth] = (bp_reconciling){pool, frame};
            thread->depth = depth + 1;
        }
    }
    while (bp__reconcile_one(pool, closer)) {
    }
    if (thread != NULL) {
        thread->depth = depth;
    }
}

void bp__close(bp_pool *pool, bp_lease lease, bp_close_function close, void *context) {
    int cancel_state, error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    close(bp_element(pool, lease), context);
    pthread_setcancelstate(cancel_state, NULL);
    errno = error;
}

bp_status bp_reconcile(bp_pool *pool, bp_close_function close, void *context) {
    bp_status status = close == NULL ? BP_INVALID_ARGUMENT : bp__check(pool);
    if (status == BP_OK) {
        bp__enter(pool);
        bp__reconcile(pool, &(bp_closer){.close = close, .context = context});
        bp__leave(pool);
    }
    return status;
}
