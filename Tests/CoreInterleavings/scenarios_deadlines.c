/* SPDX-License-Identifier: Apache-2.0 */

/* Deadlines of waiters. */
#include "scenario.h"
#include "steps.h"

static void set_up_all_leased(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void set_up_deadlines(void) {
    set_up_all_leased();
    add_waiter(10);
    add_waiter(25);
    world.freeze_allowance =
        4; /* The capacity of bp_expire, which removes that many waiters before its caller resumes them. */
}

/* If a caller waits with a deadline, some thread has promised to call bp_expire by then. */
static void deadlines(unsigned thread) {
    if (thread == 0) {
        expire(10, 1);
        expire(20, 4);
    } else {
        wait *it = prepare(thread == 1 ? 30 : 15);
        join_queue(it);
        it = prepare(thread == 1 ? 12 : 40);
        join_queue(it);
    }
}

/* Some of these deadlines are in the range of scan numbers, and some are not. */
static void set_up_deadlines_like_scans(void) {
    set_up_all_leased();
    world.clock_base = (UINT64_C(1) << 63) - 20;
    add_waiter(10);
    add_waiter(25);
    world.freeze_allowance = 4;
}

static void check_deadlines_kept(void) {
    while (world.timer != BP_NO_DEADLINE) {
        uint64_t time = world.timer;
        expire(time - world.clock_base, 4);
        REQUIRE(world.timer > time, "the next deadline is not later");
    }
    for (unsigned i = 0; i < world.wait_count; i++) {
        REQUIRE(world.waits[i].resumed == 1, "a deadline passed and the waiter was not removed");
    }
}

/* Two timers at the same time. Each looks at all waiters. */

static void two_timers(unsigned thread) {
    if (thread == 2) {
        join_queue(prepare(14));
    } else {
        expire(thread == 0 ? 10 : 20, 2);
    }
}

/* A caller joins with the deadline that bp_expire finds: one of the two sets the timer, and not both. */
static void set_up_expiry_of_none(void) {
    set_up_all_leased();
    add_waiter(40);
    world.times_told = 0;
}

static void join_beside_expiry(unsigned thread) {
    if (thread == 0) {
        expire(20, 4);
    } else {
        join_queue(prepare(40));
    }
}

static void check_one_was_told(void) {
    REQUIRE(world.times_told == 1, "%u calls were told the next deadline", world.times_told);
    check_deadlines_kept();
}

/* While one thread is stopped in bp_expire, another one must not be told that there is nothing to do. */
static void set_up_timers_alone(void) {
    world_create(1, 1, 1);
    add_leased(1);
    add_waiter(50);
    add_waiter(10);
    add_waiter(51);
}

static void timer_beside_stopped_timer(unsigned thread) {
    expire(thread == 0 ? 20 : 60, 1);
    if (thread == 1) {
        for (unsigned i = 0; i < 4; i++) {
            expire(60, 1);
        }
        unsigned gone = 0;
        for (unsigned i = 0; i < 3; i++) {
            gone += !is_waiting(&world.waits[i]);
        }
        REQUIRE(gone == 3, "%u of 3 deadlines were seen", gone);
    }
}

/* A deadline that has passed costs a look at its group once, and not each time. */
static void set_up_four_deadlines(void) {
    world_create(1, 1, 1);
    add_leased(1);
    for (uint64_t deadline = 10; deadline <= 40; deadline += 10) {
        add_waiter(deadline);
    }
}

static unsigned steps_to_expire(uint64_t time) {
    unsigned before = run_steps;
    expire(time, 4);
    return run_steps - before;
}

static void expire_again(unsigned thread) {
    (void)thread;
    /* The third waiter, whose node is in the group of the second one's, has one unit of time left. */
    unsigned first = steps_to_expire(29), again = steps_to_expire(29), once_more = steps_to_expire(29);
    REQUIRE(again < first, "%u steps to expire two waiters, and %u to expire none", first, again);
    REQUIRE(once_more == again, "%u steps to expire nobody, and then %u", again, once_more);
    /* The words of three groups and of all. */
    REQUIRE(again <= 16, "%u steps to expire nobody", again);
    REQUIRE(bp_next_deadline(world.pool) == world.clock_base + 30, "the next deadline is another one");
}

const scenario deadline_scenarios[] = {
    {"deadlines", 3, set_up_deadlines, deadlines, check_deadlines_kept, false},
    {"deadlines-like-scans", 3, set_up_deadlines_like_scans, deadlines, check_deadlines_kept, false},
    {"two-expiries", 3, set_up_deadlines, two_timers, check_deadlines_kept, false},
    {"expiry-vs-join", 2, set_up_expiry_of_none, join_beside_expiry, check_one_was_told, false},
    {"expiry-again", 1, set_up_four_deadlines, expire_again, NULL, false},
    {"expiry-vs-stopped-expiry", 2, set_up_timers_alone, timer_beside_stopped_timer, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
