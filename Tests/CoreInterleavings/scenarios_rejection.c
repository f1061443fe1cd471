/* SPDX-License-Identifier: Apache-2.0 */

/* Callers that are rejected because the queue is full. */
#include "scenario.h"
#include "steps.h"

#include "inspect.h"

static void check_first_gone(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter still waits");
}

static void set_up_full(void) {
    world_create_limited(1, 1, 1, 1);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
}

static void check_no_more_than_may(void) {
    unsigned waiting = inspect(world.pool).alive_without_permit;
    REQUIRE(waiting <= world.max_waiters, "%u wait, and %u may", waiting, (unsigned)world.max_waiters);
}

/* Two callers come while the waiter is served. Each of them is rejected, or waits and is served. */
static void rejection_beside_release(unsigned thread) {
    thread == 0 ? release_mine(0) : wait_and_release();
}

static void check_served(void) {
    check_no_more_than_may();
    check_first_gone();
}

/* No waiter is served. Two callers come for one position in the queue. */
static void set_up_room_for_one(void) {
    world_create_limited(1, 1, 1, 1);
    add_leased(1);
}

static void join_only(unsigned thread) {
    (void)thread;
    wait *it = prepare(BP_NO_DEADLINE);
    if (it != NULL && join_queue(it)) {
        world.counted++;
    }
}

static void check_one_joined(void) {
    check_no_more_than_may();
    REQUIRE(world.counted == 1, "%u of two joined, where there is room for one", world.counted);
    reclaim_leases();
}

/* Another thread cancels the wait that is being rejected. Its node is freed once. */
static void rejection_beside_cancel(unsigned thread) {
    if (thread == 0) {
        join_only(0);
        join_only(0);
    } else {
        cancel(&world.waits[1]);
    }
}

static void check_nobody_joined(void) {
    check_no_more_than_may();
    REQUIRE(world.counted == 0, "%u joined, where there is no room", world.counted);
    reclaim_leases();
}

/* A slot becomes free: a waiter that can be given a permit immediately does not count. */
static void rejection_beside_place(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : wait_and_release();
}

/* Two slots are free, no caller waits, and one may. Two callers come, and neither is rejected. */
static void set_up_free_places(void) {
    world_create_limited(2, 2, 1, 1);
}

static void join_beside_free_places(unsigned thread) {
    (void)thread;
    wait *it = prepare(BP_NO_DEADLINE);
    bp_lease lease;
    REQUIRE(join_queue(it), "rejected, though a connection can be opened immediately");
    if (park(it, &lease)) {
        release_lease(lease);
    }
}

static void rejection_beside_shutdown(unsigned thread) {
    if (thread == 0) {
        shut_down();
        release_mine(0);
    } else {
        wait_and_release();
    }
}

const scenario rejection_scenarios[] = {
    {"rejection-vs-release", 3, set_up_full, rejection_beside_release, check_served, false},
    {"rejection-vs-join", 2, set_up_room_for_one, join_only, check_one_joined, true},
    {"rejection-vs-cancel", 2, set_up_full, rejection_beside_cancel, check_nobody_joined, true},
    {"rejection-vs-free-slot", 2, set_up_full, rejection_beside_place, check_served, false},
    {"rejection-vs-open", 2, set_up_free_places, join_beside_free_places, check_nobody_waits, false},
    {"rejection-vs-shutdown", 3, set_up_full, rejection_beside_shutdown, check_nothing_left, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
