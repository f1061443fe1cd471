/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The end of a pool: shut down, waited for, and destroyed while other threads return from their calls. An access to the
 * memory of the pool after that fails the run.
 */
#include "scenario.h"

#include "parking_scheduled.h"

static void close_one(void *element, void *context) {
    (void)element;
    (void)context;
    world.closed++;
}

/* The pool, for the threads. world.pool is NULL after the pool was destroyed. */
static bp_pool *pool;

static void destroy(void) {
    REQUIRE(bp_pool_destroy(pool) == BP_OK, "bp_pool_destroy failed after bp_shutdown_and_wait has returned BP_OK");
    world.pool = NULL;
}

/* The timeout is long enough for three checks. */
static void shut_down_and_destroy(void) {
    nanoseconds_paused = 0;
    begin_shutdown();
    bp_status status = bp_shutdown_and_wait(pool, 120000, close_one, NULL);
    end_shutdown();
    if (status == BP_OK) {
        destroy();
    } else {
        REQUIRE(status == BP_TIMED_OUT, "bp_shutdown_and_wait returned %s", bp_status_name(status));
        REQUIRE(nanoseconds_paused == 120000, "the timeout of 120000 ns has passed after %u",
                (unsigned)nanoseconds_paused);
    }
}

static void release(unsigned index) {
    bp_status status = bp_release_and_reconcile(pool, surrender(index), close_one, NULL);
    REQUIRE(status == BP_OK, "bp_release_and_reconcile returned %s", bp_status_name(status));
}

static void set_up_one(void) {
    world_create(1, 1, 1);
    world.freeze_allowance = 2;
    pool = world.pool;
    a_thread_has_slept = 0;
    add_leased(1);
}

static void set_up_two(void) {
    world_create(1, 2, 2);
    world.freeze_allowance = 2;
    pool = world.pool;
    add_leased(2);
}

static void destroy_beside_release(unsigned thread) {
    thread == 0 ? shut_down_and_destroy() : release(thread - 1);
}

/* A thread is stopped between releasing and reconciling: the thread that waits closes the connection at its next look.
 */
static unsigned released_at;
static int has_waited;

static void set_up_wait(void) {
    set_up_one();
    released_at = UINT32_MAX;
    has_waited = 0;
}

static void wait_beside_release_alone(unsigned thread) {
    if (thread == 1) {
        bp_status status = bp_release(pool, surrender(0));
        REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_release returned %s", bp_status_name(status));
        released_at = run_steps;
        block_until(&has_waited);
        if (status == BP_RECONCILE) {
            REQUIRE(bp_reconcile(pool, close_one, NULL) == BP_OK, "bp_reconcile failed");
        }
        return;
    }
    begin_shutdown();
    bp_status status = bp_shutdown_and_wait(pool, 120000, close_one, NULL);
    end_shutdown();
    has_waited = 1;
    REQUIRE(status == BP_OK || (status == BP_TIMED_OUT && released_at >= last_pause_ended),
            "bp_shutdown_and_wait returned %s, and a connection was idle at its last look", bp_status_name(status));
}

static void destroy_beside_discard(unsigned thread) {
    if (thread == 0) {
        shut_down_and_destroy();
    } else {
        bp_status status = bp_discard_and_reconcile(pool, surrender(0), close_one, NULL);
        REQUIRE(status == BP_OK, "bp_discard_and_reconcile returned %s", bp_status_name(status));
    }
}

static void set_up_permit(void) {
    world_create(1, 1, 1);
    world.freeze_allowance = 2;
    pool = world.pool;
    bp_lease permit;
    REQUIRE(take_permit(&permit), "no permit while setting up");
    disown(permit);
    world.leases[0] = permit;
}

static void destroy_beside_failed_open(unsigned thread) {
    if (thread == 0) {
        shut_down_and_destroy();
    } else {
        bp_status status = bp_cancel_open_and_reconcile(pool, world.leases[0], close_one, NULL);
        REQUIRE(status == BP_CONNECT_FAILED, "bp_cancel_open_and_reconcile returned %s", bp_status_name(status));
    }
}

/* The pool is not shut down before a thread waits for a connection, or has got one. */
static void acquire_and_release_at_the_end(void) {
    bp_lease lease;
    bp_status status = bp_acquire(pool, BP_NO_DEADLINE, &lease);
    if (status == BP_OPEN) {
        world.opened++;
        status = bp_finish_open(pool, lease);
    }
    a_thread_has_slept = 1;
    if (status == BP_OK) {
        status = bp_release_and_reconcile(pool, lease, close_one, NULL);
        REQUIRE(status == BP_OK, "bp_release_and_reconcile returned %s", bp_status_name(status));
    } else {
        REQUIRE(status == BP_SHUT_DOWN, "bp_acquire returned %s", bp_status_name(status));
    }
}

static void destroy_beside_waiter(unsigned thread) {
    if (thread == 0) {
        block_until(&a_thread_has_slept);
        shut_down_and_destroy();
    } else if (thread == 1) {
        acquire_and_release_at_the_end();
    } else {
        release(0);
    }
}

/* bp_pool_destroy returns BP_BUSY while a thread is inside. */
static void destroy_at_once(unsigned thread) {
    if (thread != 0) {
        release(thread - 1);
        return;
    }
    begin_shutdown();
    REQUIRE(bp_shutdown_and_reconcile(pool, close_one, NULL) == BP_OK, "bp_shutdown_and_reconcile failed");
    end_shutdown();
    bp_status status = bp_pool_destroy(pool);
    REQUIRE(status == BP_OK || status == BP_BUSY, "bp_pool_destroy returned %s", bp_status_name(status));
    if (status == BP_OK) {
        world.pool = NULL;
    }
}

/* A ticket that has not joined keeps the pool, also when it was cancelled. */
static void set_up_without_connections(void) {
    world_create(1, 1, 1);
    pool = world.pool;
}

static void destroy_with_ticket(unsigned thread) {
    (void)thread;
    bp_ticket ticket;
    void *context;
    REQUIRE(bp_wait_prepare(pool, &ticket) == BP_OK, "bp_wait_prepare failed");
    begin_shutdown();
    REQUIRE(bp_shutdown(pool) == BP_OK, "bp_shutdown failed");
    end_shutdown();
    REQUIRE(bp_pool_destroy(pool) == BP_BUSY, "a pool is destroyed although a ticket has not joined");
    REQUIRE(bp_wait_claim(pool, ticket, &context) == BP_OK && context == NULL, "bp_wait_claim failed");
    REQUIRE(bp_pool_destroy(pool) == BP_BUSY, "a pool is destroyed although a cancelled ticket has not joined");
    REQUIRE(bp_wait_join(pool, ticket, &ticket, BP_NO_DEADLINE, NULL) == BP_CANCELLED, "joins though cancelled");
    destroy();
}

const scenario ending_scenarios[] = {
    {"destroy-with-ticket", 1, set_up_without_connections, destroy_with_ticket, NULL, true},
    {"destroy-vs-release", 2, set_up_one, destroy_beside_release, NULL, false},
    {"shutdown-wait-vs-release", 2, set_up_wait, wait_beside_release_alone, NULL, true},
    {"destroy-vs-two-releases", 3, set_up_two, destroy_beside_release, NULL, false},
    {"destroy-vs-discard", 2, set_up_one, destroy_beside_discard, NULL, false},
    {"destroy-vs-failed-open", 2, set_up_permit, destroy_beside_failed_open, NULL, false},
    {"destroy-vs-waiter", 3, set_up_one, destroy_beside_waiter, NULL, false},
    {"destroy-at-once-vs-release", 2, set_up_one, destroy_at_once, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
