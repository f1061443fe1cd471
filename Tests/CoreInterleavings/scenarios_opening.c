/* SPDX-License-Identifier: Apache-2.0 */

/* Permits, and connections that do not open, or turn out to be closed. */
#include "scenario.h"
#include "steps.h"

static void set_up_one_leased_two_stripes(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

static void release_first(void) {
    release_lease(take_over(0));
}

static void cancel_first(void) {
    cancel(&world.waits[0]);
}

/* An opening fails. Its waiter gets the error, and the next waiter gets the permit. */
static void set_up_open_fails(void) {
    world_create(1, 1, 2);
    world.opens_to_fail = 1;
}

static void open_fails(unsigned thread) {
    (void)thread;
    acquire_and_release();
}

static void set_up_open_fails_before_waiters(void) {
    world_create(1, 1, 2);
    REQUIRE(take_permit(&world.leases[0]), "no permit while setting up");
    world.opens_to_fail = 2;
}

static void open_fails_before_waiters(unsigned thread) {
    if (thread == 0) {
        REQUIRE(!open_with(take_over(0)), "opens");
    } else {
        acquire_and_release();
    }
}

/* A connection is found closed while others wait. They use its slot. */
static void found_closed(unsigned thread) {
    if (thread == 0) {
        discard(take_over(0));
    } else {
        acquire_and_release();
    }
}

static void found_closed_by_waiter(unsigned thread) {
    if (thread == 0) {
        release_first();
        return;
    }
    bp_lease lease;
    if (!acquire(&lease)) {
        return;
    }
    if (is_dead(lease) && !(discard(lease), acquire(&lease))) {
        return;
    }
    release_lease(lease);
}

static void set_up_found_closed(void) {
    set_up_one_leased_two_stripes();
    world.opens_dead = 1;
}

/* A new caller's permit, a caller that joins, and one free slot. */
static void set_up_place_comes_free(void) {
    set_up_one_leased_two_stripes();
}

static void permit_beside_join(unsigned thread) {
    if (thread == 0) {
        detach(take_over(0));
    } else if (thread == 1) {
        bp_lease lease;
        if (take_permit(&lease) && open_with(lease)) {
            release_lease(lease);
        }
    } else {
        wait_and_release();
    }
}

/* A reconciling thread holds the slot for a waiter that leaves, while another caller finds no free slot and joins. */
static void set_up_place_in_hand(void) {
    world_create(1, 1, 1);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
}

static void place_in_hand(unsigned thread) {
    if (thread == 0) {
        detach(take_over(0));
    } else if (thread == 1) {
        cancel_first();
    } else {
        acquire_and_release();
    }
}

/* Two waiters, a connection that is released and a slot that becomes free. Each waiter is served once, by either. */
static void set_up_both_ways(void) {
    world_create(2, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
}

static void both_ways(unsigned thread) {
    thread == 0 ? release_lease(take_over(0)) : detach(take_over(1));
}

static void both_ways_and_cancel(unsigned thread) {
    if (thread == 2) {
        cancel_first();
    } else {
        both_ways(thread);
    }
}

static void check_both_served(void) {
    REQUIRE(world.waits[0].resumed == 1 && world.waits[1].resumed == 1, "one of two waiters still waits");
}

const scenario opening_scenarios[] = {
    {"open-fails", 3, set_up_open_fails, open_fails, check_nobody_waits, false},
    {"open-fails-before-waiters", 3, set_up_open_fails_before_waiters, open_fails_before_waiters, check_nobody_waits,
     false},
    {"found-closed", 3, set_up_one_leased_two_stripes, found_closed, check_nobody_waits, false},
    {"found-closed-by-waiter", 3, set_up_found_closed, found_closed_by_waiter, check_nobody_waits, false},
    {"permit-vs-join", 3, set_up_place_comes_free, permit_beside_join, check_nobody_waits, false},
    {"permit-in-hand", 3, set_up_place_in_hand, place_in_hand, NULL, false},
    {"release-and-permit", 2, set_up_both_ways, both_ways, check_both_served, false},
    {"release-and-permit-vs-cancel", 3, set_up_both_ways, both_ways_and_cancel, check_both_served, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
