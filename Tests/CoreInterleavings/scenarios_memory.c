/* SPDX-License-Identifier: Apache-2.0 */

/* Memory that cannot be had: the call says so, nothing is lost, and a later call succeeds. */
#include "scenario.h"
#include "steps.h"

#include "heap.h"

/* The first chunks have room for two slots and two waiters. */
static void set_up_growth(void) {
    world_create(4, 4, 2);
    heap_may_fail = true;
}

/* A permit, or nothing: then the slot that was counted for it is free again. */
static void open_two(unsigned thread) {
    (void)thread;
    bp_lease leases[2];
    unsigned count = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (take_permit(&leases[count])) {
            REQUIRE(open_with(leases[count]), "does not open");
            count++;
        }
    }
    while (count != 0) {
        release_lease(leases[--count]);
    }
}

static void check_all_can_be_opened(void) {
    heap_may_fail = false;
    bp_lease leases[4];
    unsigned count = 0;
    while (count < 4 && ((leases[count] = try_acquire()).slot != NULL ||
                         (take_permit(&leases[count]) && open_with(leases[count])))) {
        count++;
    }
    REQUIRE(count == 4, "%u of 4 connections can be opened", count);
    while (count != 0) {
        release_lease(leases[--count]);
    }
}

static void set_up_waiters(void) {
    world_create(1, 1, 1);
    add_leased(1);
    heap_may_fail = true;
}

static void join_two(unsigned thread) {
    for (unsigned i = 0; i < 2; i++) {
        wait *it = prepare(10 + thread);
        if (it != NULL) {
            join_queue(it);
        }
    }
}

static void check_many_can_wait(void) {
    heap_may_fail = false;
    REQUIRE(prepare(BP_NO_DEADLINE) != NULL && join_queue(&world.waits[world.wait_count - 1]), "nobody can wait");
    reclaim_leases();
}

/* A waiter for whom there is no slot is served by the connection that is released. */
static void set_up_open_for_waiters(void) {
    world_create(3, 4, 1);
    add_leased(2);
    heap_may_fail = true;
}

static void wait_or_release(unsigned thread) {
    if (thread == 0) {
        release_mine(0);
        release_mine(1);
    } else {
        wait_and_release();
    }
}

static void check_nobody_waits_with_memory(void) {
    heap_may_fail = false;
    check_nobody_waits();
}

/* An observation that has no room is left out. */
static void observe_or_ask(unsigned thread) {
    if (thread == 0) {
        bp_observe_leases(world.pool, 100, 0);
        bp_observe_leases(world.pool, 200, 0);
    } else {
        uint64_t age = bp_oldest_lease_age(world.pool, 300);
        REQUIRE(age == 0 || age == 100 || age == 200, "an age of %u, which was never observed", (unsigned)age);
    }
}

static void check_observed(void) {
    heap_may_fail = false;
    bp_observe_leases(world.pool, 300, 0);
    REQUIRE(bp_oldest_lease_age(world.pool, 400) >= 100, "a lease is not observed");
    reclaim_leases();
}

const scenario memory_scenarios[] = {
    {"no-memory-for-slots", 2, set_up_growth, open_two, check_all_can_be_opened, false},
    {"no-memory-for-waiters", 2, set_up_waiters, join_two, check_many_can_wait, false},
    {"no-memory-beside-waiters", 3, set_up_open_for_waiters, wait_or_release, check_nobody_waits_with_memory, false},
    {"no-memory-for-observations", 2, set_up_waiters, observe_or_ask, check_observed, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
