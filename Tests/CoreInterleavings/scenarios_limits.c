/* SPDX-License-Identifier: Apache-2.0 */

/* Limits that change, and shutdowns. */
#include "scenario.h"
#include "steps.h"

static void set_up_one_leased(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

/* The only connection stays in use. A resize allows one more while a caller joins. */
static void set_up_resize_up(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void resize_up(unsigned thread) {
    if (thread == 0) {
        resize(2, 2);
    } else {
        acquire_and_release();
    }
}

static void check_and_reclaim(void) {
    check_nobody_waits();
    reclaim_leases();
}

/* Two connections are released while the limit is lowered to one. */
static void set_up_resize_down(void) {
    world_create(2, 2, 2);
    add_leased(2);
}

static void resize_down(unsigned thread) {
    if (thread == 2) {
        resize(1, 1);
    } else {
        release_mine(thread);
    }
}

static void check_shrunk(void) {
    REQUIRE(bp_total(world.pool) <= 1, "%u connections stay, at most 1 may", bp_total(world.pool));
}

/* All connections are in use, and two callers wait. */
static void set_up_beside_waiters(void) {
    world_create(3, 3, 2);
    add_leased(3);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
}

/* The limit was lowered while all connections were in use, and callers wait. Two connections are released and close. */
static void set_up_lowered_beside_waiters(void) {
    set_up_beside_waiters();
    resize(1, 1);
}

static void check_lowered(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections are left, 1 may be", bp_total(world.pool));
    REQUIRE(world.waits[0].resumed == 0, "a waiter got a connection above the hard limit");
    reclaim_leases();
    REQUIRE(world.waits[0].resumed == 1, "no waiter got the connection that was left");
}

/* One thread lowers the limit while others release, and one of the callers that wait leaves. */
static void lower_beside_waiters(unsigned thread) {
    if (thread == 0) {
        resize(1, 1);
    } else if (thread == 1) {
        release_mine(0);
        cancel(&world.waits[1]);
    } else {
        release_mine(1);
    }
}

/* A pool that keeps excess connections keeps as many as the lowered hard limit allows, and no fewer. */
static void set_up_lowered_keeping(void) {
    world_create_keeping_excess(1, 4, 2);
    add_leased(4);
    resize(1, 2);
}

static void check_kept_up_to_the_limit(void) {
    REQUIRE(bp_total(world.pool) == 2, "%u connections are left, 2 are to be kept", bp_total(world.pool));
}

static void resize_down_and_up(unsigned thread) {
    if (thread == 0) {
        resize(1, 1);
        resize(2, 2);
    } else if (thread == 1) {
        release_mine(0);
        acquire_and_release();
    } else {
        acquire_and_release();
        release_mine(1);
    }
}

static void shut_down_beside_join(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else {
        wait_and_release();
    }
}

static void check_and_reclaim_all(void) {
    check_nobody_waits();
    reclaim_leases();
}

static void shut_down_beside_release(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        release_mine(0);
    } else {
        acquire_and_release();
    }
}

static void set_up_one_idle(void) {
    world_create(1, 1, 2);
    add_idle(1);
}

static void set_up_empty(void) {
    world_create(2, 2, 1);
}

static void shut_down_beside_open(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else {
        acquire_and_release();
    }
}

static void set_up_one_place_and_waiter(void) {
    set_up_one_leased();
    add_waiter(BP_NO_DEADLINE);
    world.opens_to_fail = 1;
}

/* A slot becomes free, a connection is opened for the waiter, perhaps fails, and the pool is shut down. */
static void shut_down_beside_opening(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        discard(take_over(0));
    } else {
        cancel(&world.waits[0]);
    }
}

static void shut_down_twice(unsigned thread) {
    if (thread == 2) {
        release_mine(0);
    } else {
        shut_down();
    }
}

static void shut_down_beside_resize(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        resize(3, 3);
    } else {
        acquire_and_release();
    }
}

/* Both limits that bp_limits reads belong to one resize. */
static void resize_beside_reading(unsigned thread) {
    if (thread == 0) {
        resize(3, 5);
        resize(4, 4);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        uint32_t max_size, hard_limit;
        REQUIRE(bp_limits(world.pool, &max_size, &hard_limit) == BP_OK, "bp_limits failed");
        REQUIRE((max_size == 2 && hard_limit == 2) || (max_size == 3 && hard_limit == 5) ||
                    (max_size == 4 && hard_limit == 4),
                "limits of %u and %u never held", max_size, hard_limit);
    }
}

const scenario limit_scenarios[] = {
    {"resize-up-vs-join", 2, set_up_resize_up, resize_up, check_and_reclaim, false},
    {"resize-down-vs-release", 3, set_up_resize_down, resize_down, check_shrunk, false},
    {"lowered-limit-vs-waiters", 2, set_up_lowered_beside_waiters, release_mine, check_lowered, false},
    {"lower-limit-vs-waiters", 3, set_up_beside_waiters, lower_beside_waiters, reclaim_leases, false},
    {"lowered-limit-keeping", 4, set_up_lowered_keeping, release_mine, check_kept_up_to_the_limit, false},
    {"resize-down-and-up", 3, set_up_resize_down, resize_down_and_up, check_nobody_waits, false},
    {"shutdown-vs-join", 3, set_up_one_leased, shut_down_beside_join, check_and_reclaim_all, false},
    {"shutdown-vs-release", 3, set_up_one_leased, shut_down_beside_release, check_nothing_left, false},
    {"shutdown-vs-open", 3, set_up_empty, shut_down_beside_open, check_nothing_left, false},
    {"shutdown-vs-opening", 3, set_up_one_place_and_waiter, shut_down_beside_opening, check_nothing_left, false},
    {"shutdown-vs-resize", 3, set_up_one_idle, shut_down_beside_resize, check_nothing_left, false},
    {"shutdown-twice", 3, set_up_one_leased, shut_down_twice, check_nothing_left, false},
    {"resize-vs-reading", 2, set_up_empty, resize_beside_reading, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
