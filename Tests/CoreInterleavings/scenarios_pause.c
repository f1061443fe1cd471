/* SPDX-License-Identifier: Apache-2.0 */

/* Pausing and resuming. */
#include "scenario.h"
#include "steps.h"

#include "atomics.h"
#include "inspect.h"

static void check_first_gone(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter still waits");
}

static void check_both_served(void) {
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(world.waits[i].resumed == 1 && world.waits[i].outcome == BP_OK, "one of two waiters is not served");
    }
}

/* No slot is left among those that a sweep has set aside. */
static void check_swept(void) {
    check_nobody_waits();
    unsigned swept = inspect(world.pool).swept;
    REQUIRE(swept == 0, "%u slots are still set aside by a sweep", swept);
}

/*
 * A waiter is requeued once for each permit, though two threads try, and not at all after it has left and its node is
 * used again.
 */
static bp_ticket opened;

static void set_up_opening(void) {
    explored_purge_slack = 0;
    explored_purge_limit = 0;
    world_create(1, 1, 1);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
    bp_lease permit;
    set_limits(3, 3);
    REQUIRE(bp_begin_open(world.pool, &opened, &permit) == BP_OK, "no permit while setting up");
    REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open failed");
}

static void set_up_one_idle(void) {
    world_create(1, 1, 2);
    add_idle(1);
    /* A thread that is stopped between the end of the pause and reconciling withholds what others have left to it. */
    world.freeze_allowance = 2;
}

static void pause_and_resume(void) {
    pause_pool();
    resume_pool();
}

static void pause_beside_acquire(unsigned thread) {
    if (thread == 0) {
        pause_and_resume();
    } else {
        try_and_release();
        acquire_and_release();
    }
}

/* While the pool is paused nothing is leased, opened or served for any thread. */
static void set_up_paused(void) {
    world_create(3, 3, 1);
    add_leased(2);
    pause_pool();
    add_waiter(10);
}

static void nothing_while_paused(unsigned thread) {
    if (thread == 0) {
        release_mine(0);
        bp_lease permit;
        REQUIRE(!take_permit(&permit), "a permit while the pool is paused");
        REQUIRE(!bp_has_permit_for_waiter(world.pool), "a permit is requested while the pool is paused");
    } else {
        detach(take_over(1));
        REQUIRE(try_acquire().slot == NULL, "leased while the pool is paused");
    }
}

static void check_still_waits_and_resume(void) {
    REQUIRE(bp_is_paused(world.pool) && !bp_has_waiters(world.pool), "not paused any more");
    REQUIRE(is_waiting(&world.waits[0]), "served while the pool is paused");
    resume_pool();
    REQUIRE(world.waits[0].resumed == 1 && world.waits[0].outcome == BP_OK, "not served when the pause has ended");
}

/*
 * Two threads pause the pool, and one of them resumes it later, for both. A slot is free, and no caller waits for it.
 */
static void set_up_idle_and_place(void) {
    world_create(2, 2, 2);
    add_idle(1);
}

static void pause_twice(unsigned thread) {
    (void)thread;
    pause_pool();
    REQUIRE(bp_is_paused(world.pool), "not paused");
    bp_lease permit;
    REQUIRE(bp_begin_open_unrequested(world.pool, &permit) == BP_EMPTY, "a permit while the pool is paused");
    try_and_release();
}

static void check_paused_and_resume(void) {
    REQUIRE(bp_is_paused(world.pool) && try_acquire().slot == NULL, "not paused any more");
    resume_pool();
    bp_lease lease = try_acquire();
    REQUIRE(lease.slot != NULL, "still paused");
    release_lease(lease);
}

/*
 * The pool is resumed while a connection is released, a slot becomes free, or a caller joins: one of the two sees the
 * other.
 */
static void set_up_resume(void) {
    world_create(1, 1, 2);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
    pause_pool();
    world.freeze_allowance = 2;
}

static void resume_beside_return(unsigned thread) {
    thread == 0 ? resume_pool() : release_mine(0);
}

static void resume_beside_place(unsigned thread) {
    thread == 0 ? resume_pool() : detach(take_over(0));
}

static void resume_beside_all(unsigned thread) {
    if (thread == 0) {
        resume_pool();
    } else if (thread == 1) {
        release_mine(0);
    } else {
        acquire_and_release();
    }
}

static void set_up_paused_idle(void) {
    set_up_one_idle();
    pause_pool();
}

static void resume_beside_join(unsigned thread) {
    thread == 0 ? resume_pool() : wait_and_release();
}

static void resume_beside_put_swept(unsigned thread) {
    if (thread == 0) {
        resume_pool();
    } else if (thread == 1) {
        sweep_idle(1);
    } else {
        wait_and_release();
    }
}

static void set_up_paused_requeue(void) {
    set_up_opening();
    pause_pool();
    world.freeze_allowance = 2;
}

static void resume_beside_requeue(unsigned thread) {
    if (thread == 0) {
        resume_pool();
    } else {
        requeue(opened);
        reconcile();
    }
}

/* The counts that share a word with the flag stay right. */
static void pause_beside_return(unsigned thread) {
    if (thread == 0) {
        pause_and_resume();
    } else {
        release_mine(0);
    }
}

static void set_up_one_leased_and_waiter(void) {
    world_create(1, 1, 2);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
    world.freeze_allowance = 2;
}

static void pause_beside_leaving(unsigned thread) {
    if (thread == 0) {
        pause_and_resume();
    } else if (thread == 1) {
        cancel(&world.waits[0]);
    } else {
        wait *it = prepare(BP_NO_DEADLINE);
        join_queue(it);
        cancel(it);
    }
}

static void pause_beside_shutdown(unsigned thread) {
    if (thread == 0) {
        pause_pool();
        resume_pool();
        pause_pool();
    } else if (thread == 1) {
        shut_down();
    } else {
        acquire_and_release();
    }
}

static void check_shut_and_not_paused(void) {
    REQUIRE(bp_is_shut_down(world.pool) && !bp_is_paused(world.pool), "a pause outlives the shutdown");
    check_nothing_left();
}

const scenario pause_scenarios[] = {
    {"pause-vs-acquire", 2, set_up_one_idle, pause_beside_acquire, check_nobody_waits, false},
    {"pause-vs-two-acquiring", 3, set_up_one_idle, pause_beside_acquire, check_nobody_waits, false},
    {"pause-vs-release", 2, set_up_one_leased_and_waiter, pause_beside_return, check_first_gone, false},
    {"pause-vs-leaving", 3, set_up_one_leased_and_waiter, pause_beside_leaving, check_nobody_waits, false},
    {"pause-vs-shutdown", 3, set_up_one_idle, pause_beside_shutdown, check_shut_and_not_paused, false},
    {"paused", 2, set_up_paused, nothing_while_paused, check_still_waits_and_resume, false},
    {"pause-twice", 2, set_up_idle_and_place, pause_twice, check_paused_and_resume, false},
    {"resume-vs-release", 2, set_up_resume, resume_beside_return, check_first_gone, false},
    {"resume-vs-free-slot", 2, set_up_resume, resume_beside_place, check_first_gone, false},
    {"resume-vs-join", 3, set_up_paused_idle, resume_beside_join, check_nobody_waits, false},
    {"resume-vs-all", 3, set_up_resume, resume_beside_all, check_first_gone, false},
    {"resume-vs-sweep", 3, set_up_paused_idle, resume_beside_put_swept, check_swept, false},
    {"resume-vs-requeue", 2, set_up_paused_requeue, resume_beside_requeue, check_both_served, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
