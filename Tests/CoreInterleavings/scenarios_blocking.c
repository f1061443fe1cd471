/* SPDX-License-Identifier: Apache-2.0 */

/* blocking.c as it ships, reconciling included; only its semaphores are replaced by parking_scheduled.h. */
#include "scenario.h"

#include "memory.h"
#include "parking_scheduled.h"

static void close_one(void *element, void *context) {
    (void)element;
    (void)context;
    world.closed++;
}

static void shut_down_and_reconcile(void) {
    begin_shutdown();
    REQUIRE(bp_shutdown_and_reconcile(world.pool, close_one, NULL) == BP_OK, "bp_shutdown_and_reconcile failed");
    end_shutdown();
}

static void acquire_then_release(uint64_t timeout, bool fails) {
    bp_lease lease;
    bp_status status = bp_acquire(world.pool, timeout, &lease);
    if (status == BP_OPEN) {
        if (fails) {
            REQUIRE(bp_cancel_open_and_reconcile(world.pool, lease, close_one, NULL) == BP_CONNECT_FAILED,
                    "bp_cancel_open_and_reconcile failed");
            return;
        }
        world.opened++;
        status = bp_finish_open(world.pool, lease);
    }
    if (status == BP_OK) {
        REQUIRE(bp_release_and_reconcile(world.pool, lease, close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    } else {
        REQUIRE(status == BP_SHUT_DOWN || (status == BP_TIMED_OUT && timeout != BP_NO_DEADLINE),
                "bp_acquire returned %s", bp_status_name(status));
    }
}

/* Leases are not tracked here, so a frozen thread may hold the lease that it got, besides the one that it hands off. */
static void set_up_empty(void) {
    world_create(1, 1, 1);
    world.freeze_allowance = 2;
}

static void set_up_burst(void) {
    world_create(1, 2, 2);
    world.freeze_allowance = 2;
}

static void acquire_for_ever(unsigned thread) {
    (void)thread;
    acquire_then_release(BP_NO_DEADLINE, false);
}

static void acquire_with_failure(unsigned thread) {
    acquire_then_release(BP_NO_DEADLINE, thread == 0);
}

static void acquire_with_timeout(unsigned thread) {
    acquire_then_release(thread == 0 ? BP_NO_DEADLINE : 1000, false);
}

/* A timeout of 0: the thread does not sleep. */
static void acquire_without_waiting(unsigned thread) {
    if (thread == 1) {
        acquire_then_release(BP_NO_DEADLINE, false);
        return;
    }
    bp_lease lease;
    bp_status status = bp_acquire(world.pool, 0, &lease);
    if (status == BP_OPEN) {
        world.opened++;
        status = bp_finish_open(world.pool, lease);
    }
    /* While this thread has the only connection, another one gets nothing, at once. */
    if (status == BP_OK) {
        bp_lease second = {NULL, 77};
        a_thread_has_slept = 0;
        look_begin();
        status = bp_acquire(world.pool, 0, &second);
        look_end();
        REQUIRE(status == BP_TIMED_OUT && second.slot == NULL && a_thread_has_slept == 0,
                "bp_acquire without a timeout returned %s, or has slept", bp_status_name(status));
        REQUIRE(bp_release_and_reconcile(world.pool, lease, close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    } else {
        REQUIRE(status == BP_TIMED_OUT, "bp_acquire returned %s", bp_status_name(status));
    }
}

static void shut_down_beside_acquire(unsigned thread) {
    if (thread == 0) {
        shut_down_and_reconcile();
    } else {
        acquire_then_release(thread == 1 ? BP_NO_DEADLINE : 1000, false);
    }
}

/*
 * Without bp_shutdown_and_reconcile: reconciling alone tells the waiters of the shutdown, and a connection that is
 * released afterwards is not given to a thread that sleeps.
 */
static void shut_down_in_two_calls(unsigned thread) {
    if (thread == 1) {
        begin_shutdown();
        REQUIRE(bp_shutdown(world.pool) == BP_OK, "bp_shutdown failed");
        end_shutdown();
        world.shut_down_at = 1;
        REQUIRE(bp_reconcile(world.pool, close_one, NULL) == BP_OK, "bp_reconcile failed");
    } else if (thread == 0) {
        /* In the view model another thread's shutdown is not known for certain. */
        bool slept = a_thread_has_slept, was_shut_down = model != MEMORY_VIEW && world.shut_down_at != 0;
        bp_status status = bp_release_and_reconcile(world.pool, surrender(0), close_one, NULL);
        REQUIRE(status == BP_OK, "bp_release_and_reconcile returned %s", bp_status_name(status));
        world.counted = was_shut_down && slept;
    } else {
        bp_lease lease;
        bp_status status = bp_acquire(world.pool, BP_NO_DEADLINE, &lease);
        REQUIRE(status != BP_OPEN, "a permit where one connection exists, or after the shutdown");
        if (status == BP_OK) {
            REQUIRE(world.counted == 0, "a connection that was released after the shutdown was given to a waiter");
            status = bp_release_and_reconcile(world.pool, lease, close_one, NULL);
            REQUIRE(status == BP_OK, "bp_release_and_reconcile returned %s", bp_status_name(status));
        } else {
            REQUIRE(status == BP_SHUT_DOWN, "bp_acquire returned %s", bp_status_name(status));
        }
    }
}

/* Two threads wait, one releases. */
static void shut_down_beside_two(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_release_and_reconcile(world.pool, surrender(0), close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    } else if (thread == 1) {
        shut_down_and_reconcile();
    } else {
        acquire_then_release(BP_NO_DEADLINE, false);
    }
}

static void discard_beside_acquire(unsigned thread) {
    bp_lease lease;
    if (thread != 0) {
        acquire_then_release(BP_NO_DEADLINE, false);
    } else if (bp_acquire(world.pool, 1000, &lease) == BP_OPEN) {
        world.opened++;
        REQUIRE(bp_finish_open(world.pool, lease) == BP_OK, "bp_finish_open failed");
        REQUIRE(bp_discard_and_reconcile(world.pool, lease, close_one, NULL) == BP_OK,
                "bp_discard_and_reconcile failed");
    } else if (lease.slot != NULL) {
        REQUIRE(bp_release_and_reconcile(world.pool, lease, close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    }
}

/* The first thread has a connection, the second one waits with a timeout, and the third one comes in between. */
static void set_up_leased(void) {
    set_up_empty();
    a_thread_has_slept = 0;
    add_leased(1);
}

static void release_beside_timeout(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_release_and_reconcile(world.pool, surrender(0), close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    } else {
        acquire_then_release(thread == 1 ? 1000 : BP_NO_DEADLINE, false);
    }
}

static void discard_beside_timeout(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_discard_and_reconcile(world.pool, surrender(0), close_one, NULL) == BP_OK,
                "bp_discard_and_reconcile failed");
    } else {
        acquire_then_release(thread == 1 ? 1000 : BP_NO_DEADLINE, false);
    }
}

/* A connection is excess until just before its close: the limit is raised, and a caller waits for it. */
static void set_up_excess(void) {
    world_create(1, 2, 1);
    world.freeze_allowance = 2;
    add_leased(2);
}

static void release_beside_resize(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_release_and_reconcile(world.pool, surrender(0), close_one, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
    } else if (thread == 1) {
        set_limits(2, 2);
        REQUIRE(bp_reconcile(world.pool, close_one, NULL) == BP_OK, "bp_reconcile failed");
    } else {
        acquire_then_release(BP_NO_DEADLINE, false);
    }
}

/* A close function that releases to the same pool: the nested call leaves the reconciling to the outer one. */
static unsigned close_depth;

static void close_and_release(void *element, void *context) {
    (void)element;
    REQUIRE(++close_depth == 1, "close functions are nested");
    world.closed++;
    if (world.counted++ == 0) {
        REQUIRE(bp_release_and_reconcile(world.pool, surrender(1), close_and_release, context) == BP_OK,
                "bp_release_and_reconcile failed");
    }
    close_depth--;
}

static void set_up_nested(void) {
    world_create(1, 3, 1);
    world.freeze_allowance = 3;
    close_depth = 0;
    add_leased(3);
}

static void release_nested(unsigned thread) {
    if (thread == 0) {
        bp_release(world.pool, surrender(2));
        REQUIRE(bp_release_and_reconcile(world.pool, surrender(0), close_and_release, NULL) == BP_OK,
                "bp_release_and_reconcile failed");
        if (world.counted == 0) { /* Nothing had to be closed. */
            world.counted = 1;
            bp_release_and_reconcile(world.pool, surrender(1), close_and_release, NULL);
        }
    } else {
        acquire_then_release(1000, false);
    }
}

static void check_reconciled(void);

static void check_reconciled_and_reclaim(void) {
    if (!bp_lease_is_current(world.pool, world.leases[1])) {
        fail("a lease has ended by itself");
    }
    REQUIRE(!bp_has_waiters(world.pool), "a caller waits without end");
    REQUIRE(bp_release_and_reconcile(world.pool, surrender(1), close_one, NULL) == BP_OK,
            "bp_release_and_reconcile failed");
    check_reconciled();
}

/* No excess connection may remain when the last call has returned. */
static void check_reconciled(void) {
    bp_pool_statistics statistics;
    bp_pool_statistics_get(world.pool, &statistics);
    uint32_t most = statistics.is_shut_down ? 0 : statistics.max_size;
    REQUIRE(statistics.idle <= most, "%u connections are idle, %u may be", statistics.idle, most);
    REQUIRE(statistics.in_use + statistics.opening + statistics.closing == 0, "connections are out");
    REQUIRE(statistics.waiting == 0, "somebody waits for ever");
    shut_down_and_reconcile();
    REQUIRE(bp_total(world.pool) == 0, "%u connections are left after shutdown", bp_total(world.pool));
}

const scenario blocking_scenarios[] = {
    {"blocking", 2, set_up_empty, acquire_for_ever, check_reconciled, false},
    {"blocking-no-wait", 2, set_up_empty, acquire_without_waiting, check_reconciled, false},
    {"blocking-of-three", 3, set_up_burst, acquire_for_ever, check_reconciled, false},
    {"blocking-open-fails", 3, set_up_empty, acquire_with_failure, check_reconciled, false},
    {"blocking-timeout", 2, set_up_empty, acquire_with_timeout, check_reconciled, false},
    {"blocking-release-vs-timeout", 3, set_up_leased, release_beside_timeout, check_reconciled, false},
    {"blocking-discard-vs-timeout", 3, set_up_leased, discard_beside_timeout, check_reconciled, false},
    {"blocking-excess-vs-resize", 3, set_up_excess, release_beside_resize, check_reconciled_and_reclaim, false},
    {"blocking-timeout-burst", 3, set_up_burst, acquire_with_timeout, check_reconciled, false},
    {"blocking-shutdown", 3, set_up_empty, shut_down_beside_acquire, check_reconciled, false},
    {"blocking-shutdown-in-two-calls", 3, set_up_leased, shut_down_in_two_calls, check_reconciled, false},
    {"blocking-shutdown-of-four", 4, set_up_leased, shut_down_beside_two, check_reconciled, false},
    {"reconcile-nested", 2, set_up_nested, release_nested, check_reconciled, true},
    {"blocking-discard", 3, set_up_burst, discard_beside_acquire, check_reconciled, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
