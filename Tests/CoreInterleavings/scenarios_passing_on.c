/* SPDX-License-Identifier: Apache-2.0 */

/* Connections that are passed on to a waiter, instead of becoming idle. */
#include "scenario.h"
#include "steps.h"
#include "world_internal.h"

static bool give_to_waiter(bp_lease lease) {
    bp_lease next;
    void *context;
    uint64_t began = event();
    bp_status status = bp_release_to_waiter(world.pool, lease, &next, &context);
    if (status == BP_EMPTY) {
        return false;
    }
    REQUIRE(status == BP_OK, "bp_release_to_waiter returned %s", bp_status_name(status));
    REQUIRE(next.slot == lease.slot && next.serial > lease.serial, "the waiter gets the lease that has ended");
    require_open_for_business(began, "passed on after shutdown");
    require_not_paused(began, "passed on while the pool is paused");
    own(next, true);
    wait *it = context;
    require_nobody_older(it->join_began, it, "an older waiter was passed over");
    disown(next);
    resume(it, BP_OK, next);
    return true;
}

/* Passes the connection on if a caller waits, and releases it otherwise. */
static void pass_on(bp_lease lease) {
    disown(lease);
    bp_status status = bp_release_unless_awaited(world.pool, lease);
    if (status == BP_AWAITED) {
        if (give_to_waiter(lease)) {
            return;
        }
        status = bp_release_exclusive(world.pool, lease);
    }
    REQUIRE(status == BP_OK || status == BP_RECONCILE, "the release returned %s", bp_status_name(status));
    if (status == BP_RECONCILE) {
        reconcile();
    }
}

static void pass_first_on(void) {
    pass_on(take_over(0));
}

static void set_up_one_leased(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

static void beside_join(unsigned thread) {
    thread == 0 ? pass_first_on() : wait_and_release();
}

/* One more caller joins while a connection goes from waiter to waiter. */
static void wait_and_pass_on(void) {
    wait *it = prepare(BP_NO_DEADLINE);
    bp_lease lease;
    if (it != NULL && join_queue(it) && park(it, &lease)) {
        pass_on(lease);
    }
}

static void from_waiter_to_waiter(unsigned thread) {
    thread == 0 ? pass_first_on() : wait_and_pass_on();
}

static void beside_try(unsigned thread) {
    thread == 0 ? pass_first_on() : acquire_and_release();
}

static void set_up_two_waiters(void) {
    set_up_one_leased();
    add_waiter(10);
    add_waiter(20);
}

static void beside_cancel(unsigned thread) {
    thread == 0 ? pass_first_on() : (void)cancel(&world.waits[0]);
}

static void beside_expiry(unsigned thread) {
    thread == 0 ? pass_first_on() : expire(15, 4);
}

static void check_first_alive_served(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter still waits");
    bool first = world.waits[0].outcome == BP_OK, second = world.waits[1].resumed && world.waits[1].outcome == BP_OK;
    REQUIRE(first != second, "%s has the connection", first ? "each waiter" : "neither waiter");
}

/* Two connections, and two waiters, of which one joins during the run. */
static void set_up_two_leased(void) {
    world_create(2, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
}

static void two_at_once(unsigned thread) {
    if (thread < 2) {
        pass_on(take_over(thread));
    } else {
        wait_and_release();
    }
}

static void one_and_a_release(unsigned thread) {
    if (thread == 0) {
        pass_first_on();
    } else if (thread == 1) {
        release_lease(take_over(1));
    } else {
        wait_and_release();
    }
}

/* A permit is given to the oldest waiter, which is then served by a connection that is passed on. */
static void set_up_opening(void) {
    world_create(1, 1, 2);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
}

static void beside_opening(unsigned thread) {
    thread == 0 ? pass_first_on() : resize(2, 2);
}

/* The two limits again, so that what was opened for a waiter that was served closes again. */
static void set_up_excess(void) {
    world_create(1, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
}

static void beside_excess(unsigned thread) {
    thread == 0 ? pass_first_on() : release_lease(take_over(1));
}

/* Three connections where one is allowed, because the limit was lowered: two are released, and do not go to the waiter.
 */
static void set_up_lowered(void) {
    world_create(3, 3, 2);
    add_leased(3);
    add_waiter(BP_NO_DEADLINE);
    resize(1, 1);
}

static void pass_mine_on(unsigned thread) {
    pass_on(take_over(thread));
}

static void check_not_passed_on(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections are left, 1 may be", bp_total(world.pool));
    REQUIRE(world.waits[0].resumed == 0, "a connection above the hard limit was passed on");
    pass_on(take_over(2));
    REQUIRE(world.waits[0].resumed == 1, "the connection that was left was not passed on");
}

static void set_up_waiter(void) {
    set_up_one_leased();
    add_waiter(BP_NO_DEADLINE);
    world.freeze_allowance = 2;
}

static void beside_pause(unsigned thread) {
    if (thread == 0) {
        pass_first_on();
    } else {
        pause_pool();
        /* A step of the pool during the pause, at which the other thread can go on. */
        REQUIRE(bp_waiting(world.pool) <= 1, "more callers wait than have joined");
        resume_pool();
    }
}

static void set_up_paused(void) {
    world_create(2, 2, 2);
    add_leased(2);
    pause_pool();
    add_waiter(BP_NO_DEADLINE);
}

static void while_paused(unsigned thread) {
    if (thread == 0) {
        pass_first_on();
    } else {
        bp_lease lease = take_over(1);
        disown(lease);
        REQUIRE(!give_to_waiter(lease), "passed on while the pool is paused");
        own(lease, true);
        resume_pool();
        release_lease(lease);
    }
}

static void beside_shutdown(unsigned thread) {
    thread == 0 ? pass_first_on() : shut_down();
}

const scenario passing_on_scenarios[] = {
    {"pass-on-vs-join", 2, set_up_one_leased, beside_join, check_nobody_waits, false},
    {"pass-on-from-waiter-to-waiter", 3, set_up_one_leased, from_waiter_to_waiter, check_nobody_waits, false},
    {"pass-on-vs-acquire", 3, set_up_one_leased, beside_try, check_nobody_waits, false},
    {"pass-on-vs-cancel", 2, set_up_two_waiters, beside_cancel, check_first_alive_served, false},
    {"pass-on-vs-expiry", 2, set_up_two_waiters, beside_expiry, check_first_alive_served, false},
    {"two-passed-on", 3, set_up_two_leased, two_at_once, check_nobody_waits, false},
    {"pass-on-vs-release", 3, set_up_two_leased, one_and_a_release, check_nobody_waits, false},
    {"pass-on-vs-opening", 2, set_up_opening, beside_opening, check_nobody_waits, false},
    {"pass-on-vs-excess", 2, set_up_excess, beside_excess, check_nobody_waits, false},
    {"pass-on-above-limit", 2, set_up_lowered, pass_mine_on, check_not_passed_on, false},
    {"pass-on-vs-pause", 2, set_up_waiter, beside_pause, check_nobody_waits, false},
    {"pass-on-while-paused", 2, set_up_paused, while_paused, check_nobody_waits, false},
    {"pass-on-vs-shutdown", 2, set_up_waiter, beside_shutdown, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
