/* Waiters, and what serves them or makes them go. */
#include "scenario.h"

/* A lease comes back while somebody joins: the lost wake-up of other pools. */
static void set_up_one_leased(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void set_up_one_leased_two_stripes(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

static void give_first(void) {
    give(take_over(0));
}

static void acquire_and_give(void) {
    bp_lease lease;
    if (acquire(&lease)) {
        give(lease);
    }
}

static void return_beside_acquire(unsigned thread) {
    thread == 0 ? give_first() : acquire_and_give();
}

/* Threads with odd numbers release with bp_release_exclusive. */
static void exclusive_return_beside_acquire(unsigned thread) {
    thread == 1 ? give_first() : acquire_and_give();
}

/*
 * A return displaces what is idle, and takes itself back for who joins: both have moved while that one looked, so that it
 * has seen neither, and the thread that moved them is stopped with one of them in hand.
 */
static void set_up_leased_and_idle(void) {
    world_create(2, 2, 2);
    add_leased(1);
    add_idle(1);
}

static void return_beside_join(unsigned thread) {
    thread == 0 ? give_first() : wait_and_give();
}

static void check_nobody_waits(void) {
    REQUIRE(!bp_somebody_waits(world.pool), "somebody still waits");
}

/* The first of two waiters is handed the connection and cancelled at the same instant; the second must have it then. */
static void set_up_two_waiters(void) {
    set_up_one_leased_two_stripes();
    add_waiter(10);
    add_waiter(20);
}

static void cancel_first(void) {
    cancel(&world.waits[0]);
}

static void return_beside_cancel(unsigned thread) {
    thread == 0 ? give_first() : cancel_first();
}

static void check_first_alive_served(void) {
    REQUIRE(world.waits[0].resumed == 1, "the first waiter is still there");
    bool first = world.waits[0].outcome == BP_OK, second = world.waits[1].resumed && world.waits[1].outcome == BP_OK;
    REQUIRE(first != second, "the connection is %s", first ? "with both" : "with none of them");
}

static void return_beside_expiry(unsigned thread) {
    thread == 0 ? give_first() : expire(15, 4);
}

static void return_beside_cancel_and_expiry(unsigned thread) {
    if (thread == 0) {
        give_first();
    } else if (thread == 1) {
        cancel_first();
    } else {
        expire(10, 1);
    }
}

/* Somebody cancels a wait that may not have joined yet. */
static void set_up_cancel_before_join(void) {
    set_up_one_leased();
}

static void cancel_before_join(unsigned thread) {
    if (thread == 0) {
        wait_and_give();
        wait *it = prepare(BP_NO_DEADLINE);
        if (it != NULL) {
            cancel(it);
            REQUIRE(!join_queue(it), "joins though cancelled");
        }
    } else if (thread == 1) {
        cancel(&world.waits[0]);
        bp_pool_statistics statistics;
        bp_pool_statistics_get(world.pool, &statistics);
        REQUIRE(statistics.waiting <= 1, "%u wait, where one at most does", statistics.waiting);
    } else {
        give_first();
    }
}

/* Used tickets are refused. */
static void use_ticket_again(unsigned thread) {
    if (thread == 0) {
        wait *it = prepare(BP_NO_DEADLINE);
        cancel(it);
        REQUIRE(!join_queue(it), "joins though cancelled");
        REQUIRE(bp_wait_join(world.pool, it->ticket, it, BP_NO_DEADLINE, NULL) == BP_STALE_TICKET,
                "a used ticket is taken once more");
    } else {
        void *context;
        bp_status status = bp_wait_join(world.pool, world.waits[0].ticket, &world, BP_NO_DEADLINE, NULL);
        REQUIRE(status == BP_STALE_TICKET, "a ticket that has joined joins once more: %s", bp_status_name(status));
        cancel(&world.waits[0]);
        status = bp_wait_join(world.pool, world.waits[0].ticket, &world, BP_NO_DEADLINE, NULL);
        REQUIRE(status == BP_STALE_TICKET, "a ticket that has gone joins once more: %s", bp_status_name(status));
        status = bp_wait_claim(world.pool, world.waits[0].ticket, &context);
        REQUIRE(status == BP_STALE_TICKET, "a ticket is claimed twice: %s", bp_status_name(status));
        wait *it = prepare(BP_NO_DEADLINE);
        join_queue(it);
        cancel(it);
    }
}

/* An opening fails: the error is its caller's, the permit is the next waiter's. */
static void set_up_open_fails(void) {
    world_create(1, 1, 2);
    world.opens_to_fail = 1;
}

static void open_fails(unsigned thread) {
    (void)thread;
    acquire_and_give();
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
        acquire_and_give();
    }
}

/* A connection is found closed while others wait: its place goes on. */
static void found_closed(unsigned thread) {
    if (thread == 0) {
        discard(take_over(0));
    } else {
        acquire_and_give();
    }
}

static void found_closed_by_waiter(unsigned thread) {
    if (thread == 0) {
        give_first();
        return;
    }
    bp_lease lease;
    if (!acquire(&lease)) {
        return;
    }
    if (is_dead(lease) && !(thread == 1 ? reopen(&lease) : (discard(lease), acquire(&lease)))) {
        return;
    }
    give(lease);
}

static void set_up_found_closed(void) {
    set_up_one_leased_two_stripes();
    world.opens_dead = 1;
}

/* A newcomer's permit, somebody who joins, and one place. */
static void set_up_place_comes_free(void) {
    set_up_one_leased_two_stripes();
}

static void permit_beside_join(unsigned thread) {
    if (thread == 0) {
        detach(take_over(0));
    } else if (thread == 1) {
        bp_lease lease;
        if (take_permit(&lease) && open_with(lease)) {
            give(lease);
        }
    } else {
        wait_and_give();
    }
}

/* A place is in the hand of who settles for a waiter that leaves, while another one finds no place and joins. */
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
        acquire_and_give();
    }
}

/* Two waiters, a connection that comes back and a place that comes free: each is served once, by either. */
static void set_up_both_ways(void) {
    world_create(2, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
}

static void both_ways(unsigned thread) {
    thread == 0 ? give(take_over(0)) : detach(take_over(1));
}

static void both_ways_and_cancel(unsigned thread) {
    if (thread == 2) {
        cancel_first();
    } else {
        both_ways(thread);
    }
}

static void check_both_served(void) {
    REQUIRE(world.waits[0].resumed == 1 && world.waits[1].resumed == 1, "one of two waiters is still there");
}

/* A newcomer tries while the waiter is served. */
static void set_up_newcomer(void) {
    set_up_one_leased();
    add_waiter(BP_NO_DEADLINE);
}

static void newcomer(unsigned thread) {
    if (thread == 0) {
        give_first();
        return;
    }
    bp_lease lease = take_now();
    if (lease.slot != NULL) {
        give(lease);
    }
    lease = take_now();
    if (lease.slot != NULL) {
        give(lease);
    }
}

/* All that a busy pool does at once, with four threads. */
static void busy(unsigned thread) {
    if (thread == 0) {
        give_first();
    } else if (thread == 1) {
        cancel(&world.waits[0]);
        acquire_and_give();
    } else if (thread == 2) {
        acquire_and_give();
    } else {
        bp_lease lease = take_now();
        if (lease.slot != NULL) {
            discard(lease);
        }
        expire(5, 1);
    }
}

static void set_up_busy(void) {
    set_up_one_leased_two_stripes();
    add_waiter(BP_NO_DEADLINE);
}

const scenario waiting_scenarios[] = {
    {"return-vs-join", 2, set_up_one_leased, return_beside_acquire, check_nobody_waits, false},
    {"exclusive-return-vs-join", 2, set_up_one_leased, exclusive_return_beside_acquire, check_nobody_waits, false},
    {"return-of-two-vs-join", 2, set_up_leased_and_idle, return_beside_join, check_nobody_waits, false},
    {"return-vs-join-striped", 3, set_up_one_leased_two_stripes, return_beside_acquire, check_nobody_waits, false},
    {"hand-over-vs-cancel", 2, set_up_two_waiters, return_beside_cancel, check_first_alive_served, false},
    {"hand-over-vs-expiry", 2, set_up_two_waiters, return_beside_expiry, check_first_alive_served, false},
    {"cancel-vs-expiry", 3, set_up_two_waiters, return_beside_cancel_and_expiry, check_first_alive_served, false},
    {"cancel-before-join", 3, set_up_cancel_before_join, cancel_before_join, check_nobody_waits, false},
    {"ticket-used-again", 2, set_up_newcomer, use_ticket_again, NULL, true},
    {"open-fails", 3, set_up_open_fails, open_fails, check_nobody_waits, false},
    {"open-fails-before-waiters", 3, set_up_open_fails_before_waiters, open_fails_before_waiters, check_nobody_waits,
     false},
    {"found-closed", 3, set_up_one_leased_two_stripes, found_closed, check_nobody_waits, false},
    {"found-closed-by-waiter", 3, set_up_found_closed, found_closed_by_waiter, check_nobody_waits, false},
    {"permit-vs-join", 3, set_up_place_comes_free, permit_beside_join, check_nobody_waits, false},
    {"place-in-hand", 3, set_up_place_in_hand, place_in_hand, NULL, false},
    {"return-and-permit", 2, set_up_both_ways, both_ways, check_both_served, false},
    {"return-and-permit-vs-cancel", 3, set_up_both_ways, both_ways_and_cancel, check_both_served, false},
    {"newcomer-vs-waiter", 2, set_up_newcomer, newcomer, NULL, false},
    {"busy", 4, set_up_busy, busy, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
