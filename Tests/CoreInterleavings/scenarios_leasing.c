/* SPDX-License-Identifier: Apache-2.0 */

/* Leases, permits and closing, without waiters from the set-up. */
#include "scenario.h"
#include "steps.h"

/* Two threads share a connection, and may open a second one, which is excess afterwards. */
static void set_up_lease_return(void) {
    world_create(1, 1, 1);
    add_idle(1);
}

static void each_tries_twice(unsigned thread) {
    (void)thread;
    for (unsigned i = 0; i < 2; i++) {
        bp_lease lease = try_acquire();
        if (lease.slot != NULL) {
            release_lease(lease);
        }
    }
}

/* Each thread has its own stripe, and finds it empty. */
static void set_up_steal(void) {
    world_create(3, 3, 2);
    add_idle(2);
}

/* One stripe, three connections: the stack behind the cell is pushed and popped with few entries, so ABA would show. */
static void set_up_one_stripe(void) {
    world_create(3, 3, 1);
    add_idle(3);
}

static void hold_two(unsigned thread) {
    bp_lease first = try_acquire();
    bp_lease second = thread == 0 ? try_acquire() : (bp_lease){NULL, 0};
    if (first.slot != NULL) {
        release_lease(first);
    }
    if (second.slot != NULL) {
        release_lease(second);
    }
    first = try_acquire();
    if (first.slot != NULL) {
        release_lease(first);
    }
}

static void check_three_idle(void) {
    bp_pool_statistics statistics;
    bp_pool_statistics_get(world.pool, &statistics);
    REQUIRE(statistics.idle == 3, "%u of 3 connections are idle", statistics.idle);
}

/* Two threads release the same lease at the same instant. */
static void set_up_leased(void) {
    world_create(2, 2, 1);
    add_leased(1);
}

static void release_twice(unsigned thread) {
    (void)thread;
    bp_status status = bp_release(world.pool, world.leases[0]);
    REQUIRE(status == BP_OK || status == BP_STALE_LEASE, "a second release returned %s", bp_status_name(status));
    world.counted += status == BP_OK;
    bp_lease lease = bp_try_acquire(world.pool);
    if (lease.slot != NULL) {
        REQUIRE(bp_release(world.pool, world.leases[0]) == BP_STALE_LEASE,
                "an ended lease releases that of another owner");
        REQUIRE(bp_release(world.pool, lease) == BP_OK, "a valid lease is rejected");
    }
}

/* One thread releases the lease, and afterwards the pool has it. */
static void set_up_double_release(void) {
    set_up_leased();
    disown(world.leases[0]);
}

static void check_released_once(void) {
    REQUIRE(world.counted == 1, "a lease was released %u times", world.counted);
}

/* A lease that is not excess never was in the state closing, so no thread can finish its close. */
static void keep_beside_finish(unsigned thread) {
    if (thread == 0) {
        bp_lease lease = take_over(0);
        REQUIRE(bp_begin_close_excess(world.pool, lease) == BP_EMPTY, "an excess connection where there is none");
        release_lease(lease);
    } else {
        bp_status status = bp_finish_close(world.pool, world.leases[0]);
        REQUIRE(status == BP_STALE_LEASE, "the close of a lease that is not closing was finished: %s",
                bp_status_name(status));
    }
}

/*
 * A burst: three threads open, the hard limit is two, and the connection above the soft limit of one is closed again.
 */
static void set_up_burst(void) {
    world_create(1, 2, 2);
}

static void each_acquires_and_releases(unsigned thread) {
    (void)thread;
    bp_lease lease;
    if (acquire(&lease)) {
        release_lease(lease);
    }
}

static void check_shrunk(void) {
    REQUIRE(bp_total(world.pool) <= 1, "%u connections stay, at most 1 may", bp_total(world.pool));
}

/* Two connections are released at the same time, and one of them is excess. */
static void set_up_shrink(void) {
    world_create(1, 3, 2);
    add_leased(2);
}

static void check_one_left(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections stay, exactly 1 must", bp_total(world.pool));
}

/* Slots are created while other threads look at them. */
static void set_up_growth(void) {
    world_create(4, 4, 2);
}

static void open_two(unsigned thread) {
    bp_lease leases[2];
    unsigned count = 0;
    while (count < 2 && take_permit(&leases[count])) {
        REQUIRE(open_with(leases[count]), "does not open");
        count++;
    }
    REQUIRE(count == 2, "thread %u gets no permit below the limit", thread);
    bp_pool_statistics statistics;
    bp_pool_statistics_get(world.pool, &statistics);
    REQUIRE(statistics.in_use >= 2 && statistics.in_use + statistics.opening + statistics.idle <= 4,
            "impossible statistics");
    release_lease(leases[0]);
    detach(leases[1]);
}

/* The limit is one. One of two new callers gets the permit and fails. The other gets it then, or had not asked yet. */
static void set_up_limit_of_one(void) {
    world_create(1, 1, 1);
}

static void open_and_discard(unsigned thread) {
    (void)thread;
    bp_lease lease;
    if (take_permit(&lease)) {
        REQUIRE(open_with(lease), "does not open");
        discard(lease);
    }
}

const scenario leasing_scenarios[] = {
    {"acquire-release", 2, set_up_lease_return, each_tries_twice, NULL, false},
    {"steal", 3, set_up_steal, hold_two, NULL, false},
    {"one-stripe", 2, set_up_one_stripe, hold_two, check_three_idle, false},
    {"one-stripe-of-three", 3, set_up_one_stripe, hold_two, check_three_idle, false},
    {"double-release", 2, set_up_double_release, release_twice, check_released_once, true},
    {"keep-beside-finish", 2, set_up_leased, keep_beside_finish, NULL, true},
    {"burst", 3, set_up_burst, each_acquires_and_releases, check_shrunk, false},
    {"shrink", 2, set_up_shrink, release_mine, check_one_left, false},
    {"growth", 2, set_up_growth, open_two, NULL, false},
    {"limit-of-one", 2, set_up_limit_of_one, open_and_discard, NULL, false},
    {"limit-of-one-contended", 3, set_up_limit_of_one, each_acquires_and_releases, check_nobody_waits, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
