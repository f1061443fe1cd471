/* SPDX-License-Identifier: Apache-2.0 */

/* Excess connections: closed as soon as they are idle, or kept until a sweep closes them. */
#include "scenario.h"
#include "steps.h"
#include "world_internal.h"

/*
 * Both connections are excess after the resize. One is in use and is released, and one is idle and must not be
 * forgotten.
 */
static void set_up_excess(void) {
    world_create(1, 3, 2);
    add_leased(3);
    add_waiter(BP_NO_DEADLINE);
}

static void excess_beside_cancel(unsigned thread) {
    if (thread == 3) {
        cancel(&world.waits[0]);
    } else {
        release_mine(thread);
    }
}

static void excess_of_two(unsigned thread) {
    if (thread == 1) {
        cancel(&world.waits[0]);
        release_mine(1);
    } else {
        release_mine(0);
        release_mine(2);
    }
}

/*
 * Three threads begin to close one connection, of which two are refused, and another one is released. Until they are
 * refused, more connections count as closing than exist. The one that is released is no excess connection.
 */
static bp_lease to_close;

static void set_up_closed_thrice(void) {
    world_create(2, 2, 1);
    add_leased(2);
    to_close = world.leases[0];
}

static void close_thrice(unsigned thread) {
    if (thread == 3) {
        release_mine(1);
        return;
    }
    bp_status status = bp_begin_close(world.pool, to_close);
    if (status == BP_OK) {
        end_close_and_reconcile(take_over(0));
    } else {
        REQUIRE(status == BP_STALE_LEASE, "bp_begin_close returned %s", bp_status_name(status));
        reconcile();
    }
}

static void check_other_is_left(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections are left of one that was closed, and one that was released",
            bp_total(world.pool));
}

/* The pool keeps excess connections: releasing them asks for no reconcile, and reconciling closes none. */
static void set_up_kept_excess(void) {
    world_create_keeping_excess(1, 3, 2);
    add_leased(2);
}

static void release_kept(unsigned thread) {
    bp_lease lease = take_over(thread);
    disown(lease);
    bp_status status = bp_release(world.pool, lease);
    REQUIRE(status == BP_OK, "bp_release returned %s because of an excess that is kept", bp_status_name(status));
    reconcile();
    REQUIRE(!bp_has_excess(world.pool) && !bp_needs_reconcile(world.pool),
            "an excess connection that is kept is reported");
}

/* The sweep still knows max_size. */
static void check_kept_and_sweep(void) {
    REQUIRE(bp_total(world.pool) == 2, "%u of 2 connections were kept", bp_total(world.pool));
    sweep_excess(2);
    REQUIRE(bp_total(world.pool) == 1, "a sweep has left %u connections where max_size is 1", bp_total(world.pool));
}

/* Two sweeps, and a connection that is released: no connection below max_size is closed. */
static void set_up_kept_idle(void) {
    world_create_keeping_excess(1, 3, 2);
    add_leased(1);
    add_idle(2);
}

static void sweep_kept(unsigned thread) {
    if (thread == 0) {
        release_mine(0);
    } else {
        sweep_excess(3);
    }
}

static void check_no_more_closed(void) {
    REQUIRE(bp_total(world.pool) >= 1, "sweeps closed connections below max_size");
    sweep_excess(3);
    REQUIRE(bp_total(world.pool) == 1, "a sweep has left %u connections where max_size is 1", bp_total(world.pool));
}

/* A resize does not change that excess connections are kept. A shutdown does. */
static void keep_beside_resize(unsigned thread) {
    if (thread == 0) {
        release_mine(0);
        release_mine(1);
    } else {
        resize(1, 2);
    }
}

static void keep_beside_shutdown(unsigned thread) {
    if (thread == 2) {
        shut_down();
    } else {
        release_mine(thread);
    }
}

const scenario excess_scenarios[] = {
    {"excess-vs-cancel", 4, set_up_excess, excess_beside_cancel, NULL, false},
    {"excess-of-two", 2, set_up_excess, excess_of_two, NULL, false},
    {"close-thrice-vs-release", 4, set_up_closed_thrice, close_thrice, check_other_is_left, true},
    {"excess-kept", 2, set_up_kept_excess, release_kept, check_kept_and_sweep, false},
    {"excess-kept-vs-sweeps", 3, set_up_kept_idle, sweep_kept, check_no_more_closed, false},
    {"excess-kept-vs-resize", 2, set_up_kept_excess, keep_beside_resize, check_kept_and_sweep, false},
    {"excess-kept-vs-shutdown", 3, set_up_kept_excess, keep_beside_shutdown, check_nothing_left, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
