/* SPDX-License-Identifier: Apache-2.0 */

/* Sweeps over the idle connections. */
#include "scenario.h"
#include "steps.h"

#include "inspect.h"

/* One thread sweeps and another one acquires. Either may find that the other holds the slot, and then waits for it. */
static void set_up_sweep(void) {
    world_create(2, 2, 2);
    add_idle(2);
}

static void sweep_beside_acquire(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else {
        acquire_and_release();
        acquire_and_release();
    }
}

/* No slot is left among those that a sweep has set aside. */
static void check_swept(void) {
    check_nobody_waits();
    unsigned swept = inspect(world.pool).swept;
    REQUIRE(swept == 0, "%u slots are still set aside by a sweep", swept);
}

/* The sweep looks at the only connection while a caller finds none and joins. */
static void set_up_sweep_of_one(void) {
    world_create(1, 1, 2);
    add_idle(1);
}

static void sweep_beside_join(unsigned thread) {
    thread == 0 ? sweep_idle(1) : wait_and_release();
}

/* The sweep has not ended, and takes its time. A waiter is served before it ends. */
static void half_a_sweep_beside_join(unsigned thread) {
    thread == 0 ? sweep_some(1) : wait_and_release();
}

/* The same, with another connection that is released. */
static void set_up_sweep_and_return(void) {
    world_create(2, 2, 1);
    add_leased(1);
    add_idle(1);
}

static void sweep_beside_return(unsigned thread) {
    if (thread == 0) {
        sweep_idle(1);
    } else if (thread == 1) {
        release_mine(0);
    } else {
        acquire_and_release();
        try_and_release();
    }
}

/* The leased slot is in no stripe, and the sweeping thread is stopped in the middle. Kept slots are found. */
static void set_up_swept(void) {
    world_create(2, 2, 2);
    add_leased(2);
    for (unsigned i = 0; i < 2; i++) {
        bp_lease lease = take_over(i);
        disown(lease);
        REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep asks for reconciling");
    }
}

static void set_up_one_swept(void) {
    world_create(1, 1, 2);
    add_leased(1);
    bp_lease lease = take_over(0);
    disown(lease);
    REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep asks for reconciling");
}

static void find_swept(unsigned thread) {
    (void)thread;
    bp_lease first = try_acquire();
    if (first.slot == NULL) {
        return;
    }
    bp_lease second = try_acquire();
    world.counted++;
    release_lease(first);
    if (second.slot != NULL) {
        release_lease(second);
    }
}

static void check_found(void) {
    REQUIRE(world.counted != 0, "a slot that a sweep has set aside is not found");
}

/* One connection is dead, and a caller waits for its slot. */
static void set_up_sweep_of_dead(void) {
    world_create(2, 2, 2);
    add_idle(2);
    world.opens_dead = 1;
}

static void sweep_of_dead(unsigned thread) {
    thread == 0 ? sweep_idle(2) : acquire_and_release();
}

/* Two threads sweep. They do the work twice, and lose nothing. */
static void two_sweeps(unsigned thread) {
    if (thread < 2) {
        sweep_idle(2);
    } else {
        acquire_and_release();
    }
}

static void sweep_beside_shutdown(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else if (thread == 1) {
        shut_down();
    } else {
        try_and_release();
    }
}

static void sweep_beside_resize(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else {
        resize(1, 1);
    }
}

/* A sweep looks at the only idle connection, which has become excess. The other connection is not released. */
static void set_up_sweep_beside_lease(void) {
    world_create(2, 2, 2);
    add_leased(1);
    add_idle(1);
}

static void half_a_sweep_beside_resize(unsigned thread) {
    thread == 0 ? sweep_some(1) : resize(1, 1);
}

static void check_shrunk(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections stay, at most 1 may", bp_total(world.pool));
}

/* No other thread runs. The sweep looks at each connection once, wherever it is. */
static void set_up_sweep_alone(void) {
    world_create(4, 4, 2);
    add_idle(3);
}

static void sweep_all(void) {
    bp_lease lease, seen[3];
    unsigned count = 0;
    while (bp_sweep_next(world.pool, &lease) == BP_OK) {
        REQUIRE(count < 3, "a sweep looks at one connection twice");
        seen[count++] = lease;
        REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep asks for reconciling");
    }
    REQUIRE(count == 3, "a sweep looks at %u of 3 connections", count);
    for (unsigned i = 0; i < 3; i++) {
        REQUIRE(bp_sweep_keep(world.pool, seen[i]) == BP_STALE_LEASE, "a lease that has ended is kept");
    }
    end_sweep();
}

static void sweep_alone(unsigned thread) {
    (void)thread;
    for (unsigned i = 0; i < 2; i++) {
        release_lease(try_acquire()); /* To another stripe, perhaps. */
        sweep_all();
    }
}

/* A sweep looks once at a slot that is put into its cell again and again. */
static void set_up_sweep_of_used(void) {
    world_create(4, 4, 1);
    add_idle(3);
}

static void sweep_of_used(unsigned thread) {
    (void)thread;
    bp_lease lease;
    unsigned count = 0;
    while (bp_sweep_next(world.pool, &lease) == BP_OK) {
        REQUIRE(count++ < 3, "a sweep takes a slot that is in use again and again");
        own(lease, true);
        try_and_release();
        disown(lease);
        REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep asks for reconciling");
        try_and_release();
    }
    end_sweep();
}

/* The sweep ends while a caller finds no connection, because the sweep holds the slot that it puts back. */
static void end_of_sweep_beside_join(unsigned thread) {
    if (thread == 0) {
        end_sweep();
    } else {
        wait_and_release();
    }
}

static void end_of_sweep_beside_leasing(unsigned thread) {
    if (thread == 0) {
        end_sweep();
    } else {
        try_and_release();
        acquire_and_release();
    }
}

/* Two threads keep the same lease at the same instant, and another thread acquires the connection. */
static void set_up_double_put(void) {
    world_create(2, 2, 1);
    add_leased(1);
    disown(world.leases[0]);
}

static void keep_twice(unsigned thread) {
    bp_status status =
        thread == 0 ? bp_sweep_keep(world.pool, world.leases[0]) : bp_release(world.pool, world.leases[0]);
    REQUIRE(status == BP_OK || status == BP_STALE_LEASE, "a second call returned %s", bp_status_name(status));
    world.counted += status == BP_OK;
    try_and_release();
}

static void check_once(void) {
    REQUIRE(world.counted == 1, "the lease was kept %u times", world.counted);
}

/* The connection that was released last is acquired first, also after a sweep; and the sweep begins with it. */
static void set_up_order(void) {
    world_create(3, 3, 1);
    add_leased(3);
}

static void require_order(void) {
    bp_lease found[3];
    for (unsigned i = 0; i < 3; i++) {
        found[i] = try_acquire();
        REQUIRE(found[i].slot == world.leases[2 - i].slot, "acquired %u: not the one that was released last", i);
    }
    for (unsigned i = 3; i-- > 0;) {
        world.leases[2 - i] = found[i];
        release_lease(found[i]);
    }
}

static void use_in_order(unsigned thread) {
    (void)thread;
    for (unsigned i = 0; i < 3; i++) {
        release_mine(i);
    }
    require_order();
    for (unsigned i = 0; i < 3; i++) {
        bp_lease lease;
        REQUIRE(bp_sweep_next(world.pool, &lease) == BP_OK && lease.slot == world.leases[2 - i].slot,
                "a sweep does not begin with the connection that was used last");
        REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep wants to reconcile");
    }
    end_sweep();
    require_order();
    /* What is used while the sweep is under way is on top, and not what the sweep puts back. */
    bp_lease used = try_acquire(), lease;
    while (bp_sweep_next(world.pool, &lease) == BP_OK) {
        REQUIRE(bp_sweep_keep(world.pool, lease) == BP_OK, "bp_sweep_keep wants to reconcile");
    }
    release_lease(used);
    end_sweep();
    require_order();
}

const scenario sweep_scenarios[] = {
    {"sweep-keeps-order", 1, set_up_order, use_in_order, check_swept, false},
    {"sweep-alone", 1, set_up_sweep_alone, sweep_alone, check_swept, false},
    {"sweep-of-used", 1, set_up_sweep_of_used, sweep_of_used, check_swept, false},
    {"sweep-end-vs-join", 2, set_up_one_swept, end_of_sweep_beside_join, check_swept, false},
    {"sweep-end-of-two-vs-join", 2, set_up_swept, end_of_sweep_beside_join, check_swept, false},
    {"sweep-end-vs-leasing", 3, set_up_swept, end_of_sweep_beside_leasing, check_swept, false},
    {"sweep-vs-acquire", 2, set_up_sweep, sweep_beside_acquire, check_swept, false},
    {"sweep-vs-join", 2, set_up_sweep_of_one, sweep_beside_join, check_swept, false},
    {"sweep-vs-two-joining", 3, set_up_sweep_of_one, sweep_beside_join, check_swept, false},
    {"sweep-half-vs-join", 2, set_up_sweep_of_one, half_a_sweep_beside_join, check_nobody_waits, false},
    {"sweep-half-vs-resize", 2, set_up_sweep_beside_lease, half_a_sweep_beside_resize, check_shrunk, false},
    {"sweep-vs-release", 3, set_up_sweep_and_return, sweep_beside_return, check_swept, false},
    {"sweep-stopped", 2, set_up_swept, find_swept, check_found, false},
    {"sweep-of-dead", 3, set_up_sweep_of_dead, sweep_of_dead, check_swept, false},
    {"sweep-twice", 3, set_up_sweep, two_sweeps, check_swept, false},
    {"sweep-vs-shutdown", 3, set_up_sweep, sweep_beside_shutdown, check_nothing_left, false},
    {"sweep-vs-resize", 2, set_up_sweep, sweep_beside_resize, check_shrunk, false},
    {"sweep-double-keep", 2, set_up_double_put, keep_twice, check_once, true},
    {NULL, 0, NULL, NULL, NULL, false},
};
