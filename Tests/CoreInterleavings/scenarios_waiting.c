/* SPDX-License-Identifier: Apache-2.0 */

/* Waiters, and the calls that end their waits. */
#include "scenario.h"
#include "steps.h"

/* A connection is released while a caller joins: the lost wake-up of other pools. */
static void set_up_one_leased(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void set_up_one_leased_two_stripes(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

static void release_first(void) {
    release_lease(take_over(0));
}

static void return_beside_acquire(unsigned thread) {
    thread == 0 ? release_first() : acquire_and_release();
}

/* Threads with odd numbers release with bp_release_exclusive. */
static void exclusive_return_beside_acquire(unsigned thread) {
    thread == 1 ? release_first() : acquire_and_release();
}

/*
 * A release displaces an idle slot from its cell, and takes its own slot back for the waiter. Both slots have moved
 * while the waiter searched, so it has seen neither, and the releasing thread is stopped while it holds one of them.
 */
static void set_up_leased_and_idle(void) {
    world_create(2, 2, 2);
    add_leased(1);
    add_idle(1);
}

static void return_beside_join(unsigned thread) {
    thread == 0 ? release_first() : wait_and_release();
}

/*
 * The first of two waiters gets the connection and is cancelled at the same instant. Then the second one must get it.
 */
static void set_up_two_waiters(void) {
    set_up_one_leased_two_stripes();
    add_waiter(10);
    add_waiter(20);
}

static void cancel_first(void) {
    cancel(&world.waits[0]);
}

static void return_beside_cancel(unsigned thread) {
    thread == 0 ? release_first() : cancel_first();
}

static void check_first_alive_served(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter still waits");
    bool first = world.waits[0].outcome == BP_OK, second = world.waits[1].resumed && world.waits[1].outcome == BP_OK;
    REQUIRE(first != second, "%s has the connection", first ? "each waiter" : "neither waiter");
}

static void return_beside_expiry(unsigned thread) {
    thread == 0 ? release_first() : expire(15, 4);
}

static void return_beside_cancel_and_expiry(unsigned thread) {
    if (thread == 0) {
        release_first();
    } else if (thread == 1) {
        cancel_first();
    } else {
        expire(10, 1);
    }
}

/* Another thread cancels a wait that may not have joined yet. */
static void set_up_cancel_before_join(void) {
    set_up_one_leased();
}

static void cancel_before_join(unsigned thread) {
    if (thread == 0) {
        wait_and_release();
        wait *it = prepare(BP_NO_DEADLINE);
        if (it != NULL) {
            cancel(it);
            REQUIRE(!join_queue(it), "joined though cancelled");
        }
    } else if (thread == 1) {
        cancel(&world.waits[0]);
        bp_pool_statistics statistics;
        bp_pool_statistics_get(world.pool, &statistics);
        REQUIRE(statistics.waiting <= 1, "%u wait, at most one can", statistics.waiting);
    } else {
        release_first();
    }
}

/* Used tickets are rejected. */
static void use_ticket_again(unsigned thread) {
    if (thread == 0) {
        wait *it = prepare(BP_NO_DEADLINE);
        cancel(it);
        REQUIRE(!join_queue(it), "joined though cancelled");
        REQUIRE(bp_wait_join(world.pool, it->ticket, it, BP_NO_DEADLINE, NULL) == BP_STALE_TICKET,
                "a used ticket is accepted again");
    } else {
        void *context;
        bp_status status = bp_wait_join(world.pool, world.waits[0].ticket, &world, BP_NO_DEADLINE, NULL);
        REQUIRE(status == BP_STALE_TICKET, "a ticket that has joined joins again: %s", bp_status_name(status));
        cancel(&world.waits[0]);
        status = bp_wait_join(world.pool, world.waits[0].ticket, &world, BP_NO_DEADLINE, NULL);
        REQUIRE(status == BP_STALE_TICKET, "a ticket that has left joins again: %s", bp_status_name(status));
        status = bp_wait_claim(world.pool, world.waits[0].ticket, &context);
        REQUIRE(status == BP_STALE_TICKET, "a ticket is claimed twice: %s", bp_status_name(status));
        wait *it = prepare(BP_NO_DEADLINE);
        join_queue(it);
        cancel(it);
    }
}

/* A new caller tries to acquire while the waiter is served. */
static void set_up_newcomer(void) {
    set_up_one_leased();
    add_waiter(BP_NO_DEADLINE);
}

static void newcomer(unsigned thread) {
    if (thread == 0) {
        release_first();
        return;
    }
    bp_lease lease = try_acquire();
    if (lease.slot != NULL) {
        release_lease(lease);
    }
    lease = try_acquire();
    if (lease.slot != NULL) {
        release_lease(lease);
    }
}

/* Everything that a busy pool does, with four threads. */
static void busy(unsigned thread) {
    if (thread == 0) {
        release_first();
    } else if (thread == 1) {
        cancel(&world.waits[0]);
        acquire_and_release();
    } else if (thread == 2) {
        acquire_and_release();
    } else {
        bp_lease lease = try_acquire();
        if (lease.slot != NULL) {
            discard(lease);
        }
        expire(5, 1);
    }
}

static void set_up_busy(void) {
    set_up_one_leased_two_stripes();
    add_waiter(BP_NO_DEADLINE);
}

const scenario waiting_scenarios[] = {
    {"release-vs-join", 2, set_up_one_leased, return_beside_acquire, check_nobody_waits, false},
    {"exclusive-release-vs-join", 2, set_up_one_leased, exclusive_return_beside_acquire, check_nobody_waits, false},
    {"release-of-two-vs-join", 2, set_up_leased_and_idle, return_beside_join, check_nobody_waits, false},
    {"release-vs-join-striped", 3, set_up_one_leased_two_stripes, return_beside_acquire, check_nobody_waits, false},
    {"hand-off-vs-cancel", 2, set_up_two_waiters, return_beside_cancel, check_first_alive_served, false},
    {"hand-off-vs-expiry", 2, set_up_two_waiters, return_beside_expiry, check_first_alive_served, false},
    {"cancel-vs-expiry", 3, set_up_two_waiters, return_beside_cancel_and_expiry, check_first_alive_served, false},
    {"cancel-before-join", 3, set_up_cancel_before_join, cancel_before_join, check_nobody_waits, false},
    {"ticket-used-again", 2, set_up_newcomer, use_ticket_again, NULL, true},
    {"newcomer-vs-waiter", 2, set_up_newcomer, newcomer, NULL, false},
    {"busy", 4, set_up_busy, busy, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
