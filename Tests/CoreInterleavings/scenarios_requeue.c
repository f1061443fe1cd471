/* SPDX-License-Identifier: Apache-2.0 */

/* Waiters that are requeued because their connection did not open. */
#include "scenario.h"
#include "steps.h"

#include "atomics.h"
#include "inspect.h"

static void check_once(void) {
    REQUIRE(world.counted == 1, "the waiter was requeued %u times", world.counted);
}

/* A slot becomes free, the waiter's connection does not open, and the waiter is requeued. Then the connection opens. */
static void set_up_requeue(void) {
    world_create(1, 1, 1);
    add_leased(1);
    add_waiter(10);
    world.opens_to_fail = 1;
    world.requeues = 1;
}

static void requeue_beside_cancel(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : (void)cancel(&world.waits[0]);
}

static void check_first_gone(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter still waits");
}

/* While one waiter is requeued and leaves, the count of waiters without a permit must not be misread. */
static void requeue_beside_cancel_and_newcomer(unsigned thread) {
    bp_lease permit;
    if (thread < 2) {
        requeue_beside_cancel(thread);
    } else if (take_permit(&permit) && open_with(permit)) {
        release_lease(permit);
    }
}

static void requeue_beside_expiry(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : expire(15, 4);
}

/*
 * Another caller joins and reconciles. The permit belongs to the older waiter. Threads with odd numbers requeue first.
 */
static void requeue_beside_open(unsigned thread) {
    if (thread == 1) {
        detach(take_over(0));
    } else {
        wait_and_release();
    }
}

/* Two slots. A second connection is released, or does not open either. */
static void set_up_requeue_of_two(void) {
    world_create(2, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
    world.opens_to_fail = 1;
    world.requeues = 1;
}

static void requeue_beside_hand_off(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : release_mine(1);
}

static void set_up_two_requeues(void) {
    set_up_requeue_of_two();
    world.opens_to_fail = 2;
    world.requeues = 2;
}

static void two_requeues(unsigned thread) {
    detach(take_over(thread));
}

static void check_both_served(void) {
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(world.waits[i].resumed == 1 && world.waits[i].outcome == BP_OK, "one of two waiters is not served");
    }
}

static void requeue_beside_shutdown(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : shut_down();
}

/* The waiter may have been served just before. */
static void check_nothing_but_delivered(void) {
    REQUIRE(bp_total(world.pool) == slots_held(), "%u connections are left after shutdown", bp_total(world.pool));
    check_first_gone();
}

/* An unrequested permit is not given out while a requeued waiter waits for one. */
static void requeue_beside_newcomer(unsigned thread) {
    bp_lease permit;
    if (thread == 0) {
        detach(take_over(0));
    } else if (take_permit(&permit) && open_with(permit)) {
        release_lease(permit);
    }
}

/*
 * A waiter is requeued once for each permit, though two threads try, and not at all after it has left and its node is
 * used again.
 */
static bp_ticket opened;

static unsigned tried;

static void set_up_opening(void) {
    tried = 0;
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

static void requeue_twice(unsigned thread) {
    (void)thread;
    world.counted += requeue(opened);
    /*
     * Not before both threads have tried: reconciling begins to open for the waiter again, and a later requeue is
     * right.
     */
    if (++tried == 2) {
        reconcile();
    }
}

static void check_requeued_once(void) {
    check_once();
    check_both_served();
}

static void requeue_departed(unsigned thread) {
    if (thread == 0) {
        bool gone = world.waits[0].resumed != 0;
        REQUIRE(!requeue(opened) || !gone, "a waiter that has left is requeued");
        reconcile();
    } else {
        cancel(&world.waits[0]);
        reconcile();
        wait_and_release();
    }
}

static void check_second_served(void) {
    REQUIRE(world.waits[1].resumed == 1 && world.waits[1].outcome == BP_OK, "the second waiter is not served");
}

const scenario requeue_scenarios[] = {
    {"requeue-vs-cancel", 2, set_up_requeue, requeue_beside_cancel, check_first_gone, false},
    {"requeue-vs-cancel-and-newcomer", 3, set_up_requeue, requeue_beside_cancel_and_newcomer, check_first_gone, false},
    {"requeue-vs-expiry", 2, set_up_requeue, requeue_beside_expiry, check_first_gone, false},
    {"requeue-vs-open", 3, set_up_requeue, requeue_beside_open, check_first_gone, false},
    {"requeue-vs-hand-off", 2, set_up_requeue_of_two, requeue_beside_hand_off, check_both_served, false},
    {"requeue-vs-requeue", 2, set_up_two_requeues, two_requeues, check_both_served, false},
    {"requeue-vs-shutdown", 2, set_up_requeue, requeue_beside_shutdown, check_nothing_but_delivered, false},
    {"requeue-vs-newcomer", 2, set_up_requeue, requeue_beside_newcomer, check_first_gone, false},
    {"requeue-twice", 2, set_up_opening, requeue_twice, check_requeued_once, true},
    {"requeue-departed", 2, set_up_opening, requeue_departed, check_second_served, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
