/* SPDX-License-Identifier: Apache-2.0 */

/* Acquiring with a timeout, and the calls that end a lease and reconcile. */
#include "posix.h"

#include "include/bp_blocking.h"

#include "pool.h"
#include "reconcile.h"

#include <errno.h>
#include <pthread.h>

/* One wait in bp_acquire. */
typedef struct {
    bp_pool *pool;
    bp_ticket ticket;
    bp_sleeper sleeper;
} bp_blocking_wait;

/* Runs when the thread is cancelled while it waits: ends the wait, and passes on what the thread was given. */
static void bp__abandon_wait(void *argument) {
    bp_blocking_wait *it = argument;
    bp_sleeper *sleeper = &it->sleeper;
    void *context;
    if (bp_wait_claim(it->pool, it->ticket, &context) != BP_OK) {
        /* Another thread has ended the wait, and is about to post. */
        bp__parking_wait(&sleeper->parking, BP_NO_DEADLINE);
        if (sleeper->status == BP_OK) {
            bp_release(it->pool, sleeper->lease);
        } else if (sleeper->status == BP_OPEN) {
            bp_cancel_open(it->pool, sleeper->lease);
        }
        bp__reconcile(it->pool, &sleeper->closer);
        bp__closer_end(&sleeper->closer);
    }
    bp__parking_destroy(&sleeper->parking);
    bp__leave(it->pool);
}

/* Sleeps until another thread has ended the wait. Returns false if the timeout has passed before that. */
static bool bp__sleep(bp_blocking_wait *it, uint64_t timeout, int cancel_state) {
    bool is_posted;
    pthread_cleanup_push(bp__abandon_wait, it);
    /* The thread can be cancelled only between these two calls. */
    pthread_setcancelstate(cancel_state, NULL);
    is_posted = bp__parking_wait(&it->sleeper.parking, timeout);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_pop(0);
    return is_posted;
}

static bp_status bp__wait(bp_pool *pool, uint64_t timeout, int cancel_state, bp_lease *lease) {
    bp_blocking_wait it = {.pool = pool, .sleeper = {.status = BP_TIMED_OUT}};
    bp_status status = bp_wait_prepare(pool, &it.ticket);
    if (status != BP_OK) {
        return status;
    }
    void *context;
    if (!bp__parking_create(&it.sleeper.parking)) {
        bp_wait_claim(pool, it.ticket, &context);
        bp_wait_join(pool, it.ticket, NULL, BP_NO_DEADLINE, NULL);
        return BP_OUT_OF_MEMORY;
    }
    /* The thread measures its own timeout, so the pool gets no deadline. */
    status = bp_wait_join(pool, it.ticket, &it.sleeper, BP_NO_DEADLINE, NULL);
    if (status == BP_OK) {
        bp__reconcile(pool, &bp__no_closer);
        if (!bp__sleep(&it, timeout, cancel_state) && bp_wait_claim(pool, it.ticket, &context) != BP_OK) {
            /* Another thread has ended the wait at the same instant, and is about to post. */
            bp__parking_wait(&it.sleeper.parking, BP_NO_DEADLINE);
        }
        status = it.sleeper.status;
        *lease = it.sleeper.lease;
        if (status == BP_SHUT_DOWN) {
            /*
             * While the reconcile above held a connection, the thread that shut the pool down may have missed it. So
             * this thread closes it.
             */
            bp__reconcile(pool, &it.sleeper.closer);
            bp__closer_end(&it.sleeper.closer);
        }
    }
    bp__parking_destroy(&it.sleeper.parking);
    return status;
}

bp_status bp__acquire_slowly(bp_pool *pool, uint64_t timeout, bp_lease *lease) {
    bp__enter(pool);
    bp_status status = bp_begin_open_unrequested(pool, lease);
    if (status == BP_OK) {
        status = BP_OPEN;
    } else if (status == BP_EMPTY || status == BP_LIMIT_REACHED) {
        status = BP_TIMED_OUT;
        if (timeout != 0) {
            int cancel_state;
            pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
            status = bp__wait(pool, timeout, cancel_state, lease);
            pthread_setcancelstate(cancel_state, NULL);
        }
    }
    bp__leave(pool);
    return status;
}

bp_status bp__reconcile_and_leave(bp_pool *pool, bp_close_function close, void *context) {
    bp__reconcile(pool, &(bp_closer){.close = close, .context = context});
    bp__leave(pool);
    return BP_OK;
}

bp_status bp_cancel_open_and_reconcile(bp_pool *pool, bp_lease permit, bp_close_function close, void *context) {
    if (pool == NULL || close == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    int error = errno; /* Memory that cannot be allocated changes it. */
    bp__enter(pool);
    bp_status status = bp_cancel_open(pool, permit);
    if (status == BP_OK) {
        bp__reconcile(pool, &(bp_closer){.close = close, .context = context});
        status = BP_CONNECT_FAILED;
    }
    bp__leave(pool);
    errno = error;
    return status;
}

bp_status bp_discard_and_reconcile(bp_pool *pool, bp_lease lease, bp_close_function close, void *context) {
    if (pool == NULL || close == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp__enter(pool);
    bp_status status = bp_begin_close(pool, lease);
    if (status == BP_OK) {
        bp__close(pool, lease, close, context);
        bp_finish_close(pool, lease);
    }
    /* Also after BP_STALE_LEASE: bp_begin_close may have hidden an excess connection for a moment. */
    if (status == BP_OK || status == BP_STALE_LEASE) {
        bp__reconcile(pool, &(bp_closer){.close = close, .context = context});
    }
    bp__leave(pool);
    return status;
}
