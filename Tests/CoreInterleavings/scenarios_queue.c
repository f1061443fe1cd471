/* SPDX-License-Identifier: Apache-2.0 */

/* The wait queue itself: few nodes used again and again, and dead nodes purged. */
#include "scenario.h"
#include "steps.h"

#include "atomics.h"
#include "inspect.h"

static void set_up_all_leased(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void join_and_cancel(unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        wait *it = prepare(BP_NO_DEADLINE);
        join_queue(it);
        cancel(it);
    }
}

/* Dead nodes are taken out at each opportunity, and their nodes are reused immediately. */
static void set_up_reuse(void) {
    set_up_all_leased();
    explored_purge_slack = 0;
    explored_purge_limit = 0;
}

static void reuse(unsigned thread) {
    join_and_cancel(thread == 0 ? 3 : 2);
}

static void set_up_reuse_behind(void) {
    set_up_reuse();
    add_waiter(BP_NO_DEADLINE);
}

static void reuse_and_serve(unsigned thread) {
    if (thread == 2) {
        release_lease(take_over(0));
    } else {
        join_and_cancel(2);
    }
}

/* Hand-offs take nodes out at the front while other callers join at the end. */
static void serve_in_turn(unsigned thread) {
    bp_lease lease;
    if (thread == 0) {
        release_lease(take_over(0));
    }
    for (unsigned i = 0; i < 2; i++) {
        wait *it = prepare(BP_NO_DEADLINE);
        if (join_queue(it) && park(it, &lease)) {
            release_lease(lease);
        }
    }
}

/* Dead nodes in the middle, more than half as many as are live: they are purged, while the ends of the list move. */
static void set_up_sweep(void) {
    set_up_reuse();
    for (unsigned i = 0; i < 4; i++) {
        add_waiter(BP_NO_DEADLINE);
    }
}

static void sweep(unsigned thread) {
    if (thread == 0) {
        cancel(&world.waits[1]);
        cancel(&world.waits[0]);
    } else if (thread == 1) {
        cancel(&world.waits[2]);
        cancel(&world.waits[3]);
    } else {
        join_and_cancel(1);
    }
}

/*
 * Removed nodes do not stay for long: the number of dead nodes is at most one more than half of the live ones, plus
 * those that one purge misses.
 */
static void check_swept(void) {
    for (unsigned i = 0; i < 4; i++) {
        REQUIRE(world.waits[i].resumed == 1, "a cancelled waiter was not resumed");
    }
}

/* One waiter never leaves, and many behind it do. Their nodes must be reused. */
static void set_up_memory(void) {
    set_up_reuse_behind();
}

static void memory_of_the_gone(unsigned thread) {
    (void)thread;
    join_and_cancel(6);
}

static void check_memory(void) {
    unsigned used = inspect(world.pool).used_nodes;
    REQUIRE(used <= 8, "%u nodes for one waiter and two that come and go", used);
}

/* The same for one thread, when no second purge runs beside one that is under way: each purge must end. */
static void set_up_memory_alone(void) {
    set_up_memory();
    explored_purge_limit = 1000;
}

static void check_little_memory(void) {
    unsigned used = inspect(world.pool).used_nodes;
    REQUIRE(used <= 4, "%u nodes for one waiter and one that comes and goes", used);
}

/* There is a waiter at any time: first one, then another. A thread that asks whether callers wait must be told so. */
static void set_up_somebody(void) {
    set_up_all_leased();
    add_waiter(BP_NO_DEADLINE);
}

static void somebody_always_waits(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_has_waiters(world.pool), "the queue is reported as empty, and a caller was always waiting");
    } else {
        wait *it = prepare(BP_NO_DEADLINE);
        join_queue(it);
        cancel(&world.waits[0]);
    }
}

/*
 * A caller lacks a permit all the time: first one, and then the other, which joins before the first gets the only
 * permit.
 */
static void set_up_somebody_lacks(void) {
    set_up_somebody();
    /* Room for one more, for which nobody has reconciled yet. */
    set_limits(2, 2);
}

static void somebody_always_lacks_a_permit(unsigned thread) {
    if (thread == 0) {
        bp_lease permit;
        REQUIRE(bp_begin_open_unrequested(world.pool, &permit) == BP_EMPTY,
                "no waiter is reported to lack a permit, and one always did");
    } else {
        join_queue(prepare(BP_NO_DEADLINE));
    }
}

const scenario queue_scenarios[] = {
    {"reuse", 2, set_up_reuse, reuse, NULL, false},
    {"reuse-behind-waiter", 2, set_up_reuse_behind, reuse, NULL, false},
    {"reuse-and-hand-off", 3, set_up_reuse_behind, reuse_and_serve, NULL, false},
    {"reuse-of-three", 3, set_up_reuse_behind, reuse, NULL, false},
    {"hand-off-in-turn", 2, set_up_reuse, serve_in_turn, check_nobody_waits, false},
    {"sweep", 3, set_up_sweep, sweep, check_swept, false},
    {"memory-of-departed", 2, set_up_memory, memory_of_the_gone, check_memory, false},
    {"memory-of-departed-alone", 1, set_up_memory_alone, memory_of_the_gone, check_little_memory, false},
    {"has-waiters", 2, set_up_somebody, somebody_always_waits, NULL, false},
    {"has-waiter-without-permit", 2, set_up_somebody_lacks, somebody_always_lacks_a_permit, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
