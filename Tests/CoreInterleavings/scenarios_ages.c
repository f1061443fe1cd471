/* SPDX-License-Identifier: Apache-2.0 */

/* How old leases are: observed and asked while connections change hands. */
#include "scenario.h"
#include "steps.h"

#include "memory.h"
#include "world_internal.h"

static void set_up_two_leases(void) {
    world_create(2, 2, 2);
    add_leased(2);
}

static void set_up_one_idle(void) {
    world_create(1, 1, 1);
    add_idle(1);
}

/* Whether this lease is still in use: for the pool, that ends inside the call by which the thread gives it up. */
static bool is_in_use(const lease_note *it) {
    return it->ended == 0 || (it->is_latest && inspect_state(it->slot) == BP_SLOT_IN_USE);
}

/* Of all leases at the moment: the earliest time with which one may have been observed. `now` if there is none. */
static uint64_t oldest_dated(uint64_t now) {
    uint64_t oldest = now;
    for (unsigned i = 0; i < world.lease_count; i++) {
        const lease_note *it = &world.lease_notes[i];
        oldest = it->dated < oldest && is_in_use(it) ? it->dated : oldest;
    }
    return oldest;
}

/* One thread observes, so each of its calls has an effect. */
static void observe(void) {
    uint64_t began = world.observing = event();
    bp_observe_leases(world.pool, began, 0);
    world.observing = 0;
    for (unsigned i = 0; i < world.lease_count; i++) {
        lease_note *it = &world.lease_notes[i];
        if (it->began < began && it->ended == 0 && it->observed == 0) {
            it->observed = began;
        }
    }
}

/*
 * No lease is made older than it is, except by as long as an observation was under way when it began. And one that was
 * observed is as old as that at least. On a weakly ordered CPU a thread may see an observation late; and under views
 * also a lease that has ended, which it has not heard of.
 */
static void ask(void) {
    uint64_t now = event(), oldest = oldest_dated(now), observed[MOST_LEASE_NOTES];
    for (unsigned i = 0; i < world.lease_count; i++) {
        observed[i] = world.lease_notes[i].observed;
    }
    unsigned count = world.lease_count;
    uint64_t age = bp_oldest_lease_age(world.pool, now);
    REQUIRE(model == MEMORY_VIEW || age <= now - oldest, "the oldest lease is %u old, it says, and it is %u",
            (unsigned)age, (unsigned)(now - oldest));
    for (unsigned i = 0; i < count && model == MEMORY_SC; i++) {
        REQUIRE(world.lease_notes[i].ended != 0 || observed[i] == 0 || age >= now - observed[i],
                "a lease was observed %u ago, and is %u old, it says", (unsigned)(now - observed[i]), (unsigned)age);
    }
}

static void observe_beside_leasing(unsigned thread) {
    if (thread == 0) {
        for (unsigned i = 0; i < 2; i++) {
            observe();
        }
    } else if (thread == 1) {
        release_mine(0);
        try_and_release();
        release_mine(1);
    } else {
        ask();
        ask();
    }
}

static void check_ages_at_rest(void) {
    ask();
    observe();
    ask();
    reclaim_leases();
    REQUIRE(bp_oldest_lease_age(world.pool, event()) == 0, "a lease that has ended has an age");
}

/* The only connection is in the hands of the thread that asks: it knows for certain when its lease began. */
static void observe_beside_own(unsigned thread) {
    if (thread == 0) {
        observe();
        observe();
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        bp_lease lease = try_acquire();
        if (lease.slot != NULL) {
            uint64_t began = world.lease_notes[world.lease_count - 1].dated, now = event();
            uint64_t age = bp_oldest_lease_age(world.pool, now);
            REQUIRE(age <= now - began, "a lease is %u old, it says, and it is %u", (unsigned)age,
                    (unsigned)(now - began));
            release_lease(lease);
        }
    }
}

/* Two observe at almost the same time: the second one must leave it to the first. */
static void two_observe(unsigned thread) {
    if (thread == 2) {
        try_and_release();
    } else {
        bp_observe_leases(world.pool, thread == 0 ? 1000 : 1020, 50);
    }
}

static void check_observed_once(void) {
    /* Also if the second thread came first: then the first one finds that it is late. */
    uint64_t age = bp_oldest_lease_age(world.pool, 1100);
    REQUIRE(age == 100 || age == 80, "two leases were observed 100 or 80 ago, and the oldest is %u old", (unsigned)age);
    bp_observe_leases(world.pool, 1045, 50);
    REQUIRE(bp_oldest_lease_age(world.pool, 1100) == age, "a lease was observed again");
    REQUIRE(bp_oldest_lease_age(world.pool, 900) == 0, "an age is negative");
    reclaim_leases();
    /* Less than the interval after the last observation, another one does nothing. */
    uint64_t last = age == 100 ? 1000 : 1020;
    bp_lease lease = try_acquire();
    bp_observe_leases(world.pool, last + 49, 50);
    REQUIRE(bp_oldest_lease_age(world.pool, 2000) == 0, "leases were observed too often");
    bp_observe_leases(world.pool, last + 50, 50);
    REQUIRE(bp_oldest_lease_age(world.pool, last + 150) == 100, "leases were not observed although it was time");
    release_lease(lease);
}

const scenario age_scenarios[] = {
    {"ages", 3, set_up_two_leases, observe_beside_leasing, check_ages_at_rest, false},
    {"ages-of-own", 2, set_up_one_idle, observe_beside_own, NULL, false},
    {"ages-two-observers", 3, set_up_two_leases, two_observe, check_observed_once, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
