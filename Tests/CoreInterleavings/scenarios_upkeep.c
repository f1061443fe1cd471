/* Upkeep: sweeps, waiters sent back into the queue, refused ones, pauses, closes that somebody else finishes. */
#include "scenario.h"

#include "atomics.h"
#include "inspect.h"

static void give_mine(unsigned thread) {
    give(take_over(thread));
}

static void acquire_and_give(void) {
    bp_lease lease;
    if (acquire(&lease)) {
        give(lease);
    }
}

static void lease_and_return(void) {
    bp_lease lease = take_now();
    if (lease.slot != NULL) {
        give(lease);
    }
}

static void check_nobody_waits(void) {
    REQUIRE(!bp_somebody_waits(world.pool), "somebody still waits");
}

static void check_nothing_left(void) {
    REQUIRE(bp_total(world.pool) == 0, "%u connections are left after shutdown", bp_total(world.pool));
    check_nobody_waits();
}

/* Sweeping. */

/* One sweeps and one leases; either may find what it looks for in the other's hand, and then waits for it. */
static void set_up_sweep(void) {
    world_create(2, 2, 2);
    add_idle(2);
}

static void sweep_beside_acquire(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else {
        acquire_and_give();
        acquire_and_give();
    }
}

/* All that is idle is in its place again: nothing is left with those that were swept. */
static void check_swept(void) {
    check_nobody_waits();
    unsigned swept = inspect(world.pool).swept;
    REQUIRE(swept == 0, "%u connections stay with the swept ones", swept);
}

/* The only connection is looked at while somebody finds nothing and joins. */
static void set_up_sweep_of_one(void) {
    world_create(1, 1, 2);
    add_idle(1);
}

static void sweep_beside_join(unsigned thread) {
    thread == 0 ? sweep_idle(1) : wait_and_give();
}

/* The sweep has not come to its end, and takes its time: who waits is served before that. */
static void half_a_sweep_beside_join(unsigned thread) {
    thread == 0 ? look_at_idle(1) : wait_and_give();
}

/* The same, with another connection that comes back. */
static void set_up_sweep_and_return(void) {
    world_create(2, 2, 1);
    add_leased(1);
    add_idle(1);
}

static void sweep_beside_return(unsigned thread) {
    if (thread == 0) {
        sweep_idle(1);
    } else if (thread == 1) {
        give_mine(0);
    } else {
        acquire_and_give();
        lease_and_return();
    }
}

/* What was leased is in nobody's stripe, and the sweeper stops in the middle of its work: what it put back is found. */
static void set_up_swept(void) {
    world_create(2, 2, 2);
    add_leased(2);
    for (unsigned i = 0; i < 2; i++) {
        bp_lease lease = take_over(i);
        disown(lease);
        REQUIRE(bp_put_swept(world.pool, lease) == BP_OK, "bp_put_swept wants to settle");
    }
}

static void set_up_one_swept(void) {
    world_create(1, 1, 2);
    add_leased(1);
    bp_lease lease = take_over(0);
    disown(lease);
    REQUIRE(bp_put_swept(world.pool, lease) == BP_OK, "bp_put_swept wants to settle");
}

static void find_swept(unsigned thread) {
    (void)thread;
    bp_lease first = take_now();
    if (first.slot == NULL) {
        return;
    }
    bp_lease second = take_now();
    world.counted++;
    give(first);
    if (second.slot != NULL) {
        give(second);
    }
}

static void check_found(void) {
    REQUIRE(world.counted != 0, "what was swept is not found");
}

/* One is dead, and its place is waited for. */
static void set_up_sweep_of_dead(void) {
    world_create(2, 2, 2);
    add_idle(2);
    world.opens_dead = 1;
}

static void sweep_of_dead(unsigned thread) {
    thread == 0 ? sweep_idle(2) : acquire_and_give();
}

/* Two sweep: they work twice, and lose nothing. */
static void two_sweeps(unsigned thread) {
    if (thread < 2) {
        sweep_idle(2);
    } else {
        acquire_and_give();
    }
}

static void sweep_beside_shutdown(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else if (thread == 1) {
        shut_down();
    } else {
        lease_and_return();
    }
}

static void sweep_beside_resize(unsigned thread) {
    if (thread == 0) {
        sweep_idle(2);
    } else {
        resize(1, 1);
    }
}

/* The only connection that is idle is looked at, and one too many by then: the other one does not come back. */
static void set_up_sweep_beside_lease(void) {
    world_create(2, 2, 2);
    add_leased(1);
    add_idle(1);
}

static void half_a_sweep_beside_resize(unsigned thread) {
    thread == 0 ? look_at_idle(1) : resize(1, 1);
}

static void check_shrunk(void) {
    REQUIRE(bp_total(world.pool) == 1, "%u connections stay, 1 may", bp_total(world.pool));
}

/* Nobody else: each connection is looked at once, wherever it is. */
static void set_up_sweep_alone(void) {
    world_create(4, 4, 2);
    add_idle(3);
}

static void sweep_all(void) {
    bp_lease lease, seen[3];
    unsigned count = 0;
    while (bp_take_unswept(world.pool, &lease) == BP_OK) {
        REQUIRE(count < 3, "a sweep looks at one connection twice");
        seen[count++] = lease;
        REQUIRE(bp_put_swept(world.pool, lease) == BP_OK, "bp_put_swept wants to settle");
    }
    REQUIRE(count == 3, "a sweep looks at %u of 3 connections", count);
    for (unsigned i = 0; i < 3; i++) {
        REQUIRE(bp_put_swept(world.pool, seen[i]) == BP_STALE_LEASE, "a lease that has ended is put back");
    }
    return_swept();
}

static void sweep_alone(unsigned thread) {
    (void)thread;
    for (unsigned i = 0; i < 2; i++) {
        give(take_now()); /* To another stripe, perhaps. */
        sweep_all();
    }
}

/* What comes back to its cell again and again is looked at once. */
static void set_up_sweep_of_used(void) {
    world_create(4, 4, 1);
    add_idle(3);
}

static void sweep_of_used(unsigned thread) {
    (void)thread;
    bp_lease lease;
    unsigned count = 0;
    while (bp_take_unswept(world.pool, &lease) == BP_OK) {
        REQUIRE(count++ < 3, "a sweep takes what is in use again and again");
        own(lease, true);
        lease_and_return();
        disown(lease);
        REQUIRE(bp_put_swept(world.pool, lease) == BP_OK, "bp_put_swept wants to settle");
        lease_and_return();
    }
    return_swept();
}

/* The sweep ends while somebody finds nothing, for what is put back is in hand. */
static void end_of_sweep_beside_join(unsigned thread) {
    if (thread == 0) {
        return_swept();
    } else {
        wait_and_give();
    }
}

static void end_of_sweep_beside_leasing(unsigned thread) {
    if (thread == 0) {
        return_swept();
    } else {
        lease_and_return();
        acquire_and_give();
    }
}

/* Two threads put the same lease back at the same instant, and another one takes it. */
static void set_up_double_put(void) {
    world_create(2, 2, 1);
    add_leased(1);
    disown(world.leases[0]);
}

static void put_the_same(unsigned thread) {
    bp_status status =
        thread == 0 ? bp_put_swept(world.pool, world.leases[0]) : bp_release(world.pool, world.leases[0]);
    REQUIRE(status == BP_OK || status == BP_STALE_LEASE, "a second return answers %s", bp_status_name(status));
    world.counted += status == BP_OK;
    lease_and_return();
}

static void check_once(void) {
    REQUIRE(world.counted == 1, "what ends once ended %u times", world.counted);
}

/* Waiting again. */

/* The place comes free, the waiter's connection does not open, and it is sent back; then it opens. */
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
    REQUIRE(world.waits[0].resumed == 1, "the first waiter is still there");
}

/* While the one is sent back and goes, the count of those without a permit must not look like something else. */
static void requeue_beside_cancel_and_newcomer(unsigned thread) {
    bp_lease permit;
    if (thread < 2) {
        requeue_beside_cancel(thread);
    } else if (take_permit(&permit) && open_with(permit)) {
        give(permit);
    }
}

static void requeue_beside_expiry(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : expire(15, 4);
}

/* Another one joins, and settles: the permit is the older one's. Threads with odd numbers send back first. */
static void requeue_beside_open(unsigned thread) {
    if (thread == 1) {
        detach(take_over(0));
    } else {
        wait_and_give();
    }
}

/* Two places; a second connection comes back, or does not open either. */
static void set_up_requeue_of_two(void) {
    world_create(2, 2, 2);
    add_leased(2);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
    world.opens_to_fail = 1;
    world.requeues = 1;
}

static void requeue_beside_hand_over(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : give_mine(1);
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

/* A permit for the caller itself is not given out past one who waits again. */
static void requeue_beside_newcomer(unsigned thread) {
    bp_lease permit;
    if (thread == 0) {
        detach(take_over(0));
    } else if (take_permit(&permit) && open_with(permit)) {
        give(permit);
    }
}

/* It is sent back once for each permit, though two try; and not at all once it has gone and its node is used again. */
static bp_ticket opened;
static unsigned tried;

static void set_up_opening(void) {
    tried = 0;
    explored_tidy_slack = 0;
    explored_tidy_limit = 0;
    world_create(1, 1, 1);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
    add_waiter(BP_NO_DEADLINE);
    bp_lease permit;
    world.greatest_limit = 3;
    REQUIRE(bp_resize(world.pool, 3, 3) == BP_OK, "bp_resize refuses");
    REQUIRE(bp_begin_open(world.pool, &opened, &permit) == BP_OK, "no permit while setting up");
    REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open refuses");
}

static void requeue_the_same(unsigned thread) {
    (void)thread;
    world.counted += requeue(opened);
    /* Not before both have tried: settling begins to open for him again, and who comes then sends him back rightly. */
    if (++tried == 2) {
        settle();
    }
}

static void check_requeued_once(void) {
    check_once();
    check_both_served();
}

static void requeue_the_gone(unsigned thread) {
    if (thread == 0) {
        bool gone = world.waits[0].resumed != 0;
        REQUIRE(!requeue(opened) || !gone, "who has gone is sent back");
        settle();
    } else {
        cancel(&world.waits[0]);
        settle();
        wait_and_give();
    }
}

/* Refused waiters. */

static void check_second_served(void) {
    REQUIRE(world.waits[1].resumed == 1 && world.waits[1].outcome == BP_OK, "the second waiter is not served");
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

/* Two come while the one who waits is served: each is refused, or waits and is served. */
static void refusal_beside_return(unsigned thread) {
    thread == 0 ? give_mine(0) : wait_and_give();
}

static void check_served(void) {
    check_no_more_than_may();
    check_first_gone();
}

/* Nobody is served: two come for one place in the queue. */
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
    take_back_leases();
}

/* Somebody cancels the wait that is being refused; its node is free once. */
static void refusal_beside_cancel(unsigned thread) {
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
    take_back_leases();
}

/* A place comes free: who can be given a permit at once does not count. */
static void refusal_beside_place(unsigned thread) {
    thread == 0 ? detach(take_over(0)) : wait_and_give();
}

/* Two places are free, nobody waits, and one may: two come, and none is refused. */
static void set_up_free_places(void) {
    world_create_limited(2, 2, 1, 1);
}

static void join_beside_free_places(unsigned thread) {
    (void)thread;
    wait *it = prepare(BP_NO_DEADLINE);
    bp_lease lease;
    REQUIRE(join_queue(it), "refused, though a connection can be opened at once");
    if (park(it, &lease)) {
        give(lease);
    }
}

static void refusal_beside_shutdown(unsigned thread) {
    if (thread == 0) {
        shut_down();
        give_mine(0);
    } else {
        wait_and_give();
    }
}

/* Pauses. */

static void set_up_one_idle(void) {
    world_create(1, 1, 2);
    add_idle(1);
    /* A thread stopped between the end of the pause and settling withholds what others have left to it. */
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
        lease_and_return();
        acquire_and_give();
    }
}

/* While it is paused nothing is leased, opened or served, whoever asks. */
static void set_up_paused(void) {
    world_create(3, 3, 1);
    add_leased(2);
    pause_pool();
    add_waiter(10);
}

static void nothing_while_paused(unsigned thread) {
    if (thread == 0) {
        give_mine(0);
        bp_lease permit;
        REQUIRE(!take_permit(&permit), "a permit while the pool is paused");
        REQUIRE(!bp_permit_is_wanted(world.pool), "a permit is wanted while the pool is paused");
    } else {
        detach(take_over(1));
        REQUIRE(take_now().slot == NULL, "leased while the pool is paused");
    }
}

static void check_still_waits_and_resume(void) {
    REQUIRE(bp_is_paused(world.pool) && !bp_somebody_waits(world.pool), "not paused any more");
    REQUIRE(is_waiting(&world.waits[0]), "served while the pool is paused");
    resume_pool();
    REQUIRE(world.waits[0].resumed == 1 && world.waits[0].outcome == BP_OK, "not served when the pause has ended");
}

/* Two pause it, and one of them ends it later, for both. There is a place free, and nobody waits for it. */
static void set_up_idle_and_place(void) {
    world_create(2, 2, 2);
    add_idle(1);
}

static void pause_twice(unsigned thread) {
    (void)thread;
    REQUIRE(bp_pause(world.pool) == BP_OK && bp_is_paused(world.pool), "not paused");
    bp_lease permit;
    REQUIRE(bp_begin_open_unasked(world.pool, &permit) == BP_EMPTY, "a permit while the pool is paused");
    lease_and_return();
}

static void check_paused_and_resume(void) {
    REQUIRE(bp_is_paused(world.pool) && take_now().slot == NULL, "not paused any more");
    resume_pool();
    bp_lease lease = take_now();
    REQUIRE(lease.slot != NULL, "still paused");
    give(lease);
}

/* The pause ends while a connection or a place comes free, or somebody joins: one of both sees the other. */
static void set_up_resume(void) {
    world_create(1, 1, 2);
    add_leased(1);
    add_waiter(BP_NO_DEADLINE);
    pause_pool();
    world.freeze_allowance = 2;
}

static void resume_beside_return(unsigned thread) {
    thread == 0 ? resume_pool() : give_mine(0);
}

static void resume_beside_place(unsigned thread) {
    thread == 0 ? resume_pool() : detach(take_over(0));
}

static void resume_beside_all(unsigned thread) {
    if (thread == 0) {
        resume_pool();
    } else if (thread == 1) {
        give_mine(0);
    } else {
        acquire_and_give();
    }
}

static void set_up_paused_idle(void) {
    set_up_one_idle();
    pause_pool();
}

static void resume_beside_join(unsigned thread) {
    thread == 0 ? resume_pool() : wait_and_give();
}

static void resume_beside_put_swept(unsigned thread) {
    if (thread == 0) {
        resume_pool();
    } else if (thread == 1) {
        sweep_idle(1);
    } else {
        wait_and_give();
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
        settle();
    }
}

/* The counts in the word that says so stay right. */
static void pause_beside_return(unsigned thread) {
    if (thread == 0) {
        pause_and_resume();
    } else {
        give_mine(0);
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
        acquire_and_give();
    }
}

static void check_shut_and_not_paused(void) {
    REQUIRE(bp_is_shut_down(world.pool) && !bp_is_paused(world.pool), "a pause outlives the shutdown");
    check_nothing_left();
}

/* Looks at slots. */

static void set_up_leased(void) {
    world_create(2, 2, 1);
    add_leased(1);
    disown(world.leases[0]);
    REQUIRE(bp_begin_close(world.pool, world.leases[0]) == BP_OK, "bp_begin_close refuses");
}

/* The closer, and somebody who finds that it takes too long; the place is used at once. */
static void finish_close_twice(unsigned thread) {
    if (thread < 2) {
        bp_status status = bp_finish_close(world.pool, world.leases[0]);
        REQUIRE(status == BP_OK || status == BP_STALE_LEASE, "bp_finish_close answers %s", bp_status_name(status));
        world.counted += status == BP_OK;
        world.closed += status == BP_OK;
        settle();
    }
    bp_lease permit;
    REQUIRE(bp_begin_open_unasked(world.pool, &permit) != BP_OK ||
                (bp_total(world.pool) <= 2 && bp_cancel_open(world.pool, permit) == BP_OK),
            "more than two places");
}

static void check_closed_once(void) {
    check_once();
    REQUIRE(bp_total(world.pool) == 0, "%u places are taken", bp_total(world.pool));
}

/* What was written before a close began is there for who sees the slot closing. */
static bp_atomic64 note;

static void set_up_view(void) {
    world_create(2, 2, 1);
    add_leased(1);
    bp_store_relaxed(&note, 0);
}

static void close_or_look(unsigned thread) {
    if (thread == 0) {
        bp_store_relaxed(&note, 1);
        discard(take_over(0));
        return;
    }
    bp_slot_view view;
    REQUIRE(bp_slot_at(world.pool, 1, &view) == BP_EMPTY, "a slot that was never used is seen");
    REQUIRE(bp_slot_at(world.pool, 0, &view) == BP_OK, "a slot is not seen");
    REQUIRE(view.lease.slot == world.leases[0].slot && view.lease.serial == world.leases[0].serial,
            "another lease is seen");
    if (view.state != BP_SLOT_LEASED) {
        REQUIRE(view.state == BP_SLOT_CLOSING || view.state == BP_SLOT_VACANT, "a slot is seen in state %u",
                (unsigned)view.state);
        REQUIRE(bp_load_relaxed(&note) == 1, "a slot is seen closing, and not what was before that");
    }
}

/* Slots are looked at while they are made. */
static void set_up_growth(void) {
    world_create(4, 4, 1);
}

static void open_or_look(unsigned thread) {
    if (thread == 0) {
        for (unsigned i = 0; i < 2; i++) {
            bp_lease lease;
            REQUIRE(take_permit(&lease) && open_with(lease), "no permit");
            detach(lease);
            REQUIRE(take_permit(&world.leases[i]) && open_with(world.leases[i]), "no permit");
        }
        give(world.leases[0]);
        give(world.leases[1]);
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        bp_slot_view view = {BP_SLOT_LEASED, {NULL, 1}};
        bp_status status = bp_slot_at(world.pool, i, &view);
        REQUIRE(status == BP_OK || (status == BP_EMPTY && view.lease.slot == NULL), "bp_slot_at answers %s",
                bp_status_name(status));
        REQUIRE(status == BP_EMPTY || (view.lease.slot == inspect_slot(world.pool, i) &&
                                       view.state <= BP_SLOT_CLOSING && view.lease.serial <= 4),
                "a slot is seen that is none");
        REQUIRE(status == BP_EMPTY || i < 2, "a third slot is seen where two are enough");
    }
}

const scenario upkeep_scenarios[] = {
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
    {"sweep-vs-return", 3, set_up_sweep_and_return, sweep_beside_return, check_swept, false},
    {"sweep-stopped", 2, set_up_swept, find_swept, check_found, false},
    {"sweep-of-dead", 3, set_up_sweep_of_dead, sweep_of_dead, check_swept, false},
    {"sweep-twice", 3, set_up_sweep, two_sweeps, check_swept, false},
    {"sweep-vs-shutdown", 3, set_up_sweep, sweep_beside_shutdown, check_nothing_left, false},
    {"sweep-vs-resize", 2, set_up_sweep, sweep_beside_resize, check_shrunk, false},
    {"sweep-double-put", 2, set_up_double_put, put_the_same, check_once, true},
    {"requeue-vs-cancel", 2, set_up_requeue, requeue_beside_cancel, check_first_gone, false},
    {"requeue-vs-cancel-and-newcomer", 3, set_up_requeue, requeue_beside_cancel_and_newcomer, check_first_gone, false},
    {"requeue-vs-expiry", 2, set_up_requeue, requeue_beside_expiry, check_first_gone, false},
    {"requeue-vs-open", 3, set_up_requeue, requeue_beside_open, check_first_gone, false},
    {"requeue-vs-hand-over", 2, set_up_requeue_of_two, requeue_beside_hand_over, check_both_served, false},
    {"requeue-vs-requeue", 2, set_up_two_requeues, two_requeues, check_both_served, false},
    {"requeue-vs-shutdown", 2, set_up_requeue, requeue_beside_shutdown, check_nothing_but_delivered, false},
    {"requeue-vs-newcomer", 2, set_up_requeue, requeue_beside_newcomer, check_first_gone, false},
    {"requeue-the-same", 2, set_up_opening, requeue_the_same, check_requeued_once, true},
    {"requeue-the-gone", 2, set_up_opening, requeue_the_gone, check_second_served, false},
    {"refusal-vs-return", 3, set_up_full, refusal_beside_return, check_served, false},
    {"refusal-vs-join", 2, set_up_room_for_one, join_only, check_one_joined, true},
    {"refusal-vs-cancel", 2, set_up_full, refusal_beside_cancel, check_nobody_joined, true},
    {"refusal-vs-place", 2, set_up_full, refusal_beside_place, check_served, false},
    {"refusal-vs-open", 2, set_up_free_places, join_beside_free_places, check_nobody_waits, false},
    {"refusal-vs-shutdown", 3, set_up_full, refusal_beside_shutdown, check_nothing_left, false},
    {"pause-vs-acquire", 2, set_up_one_idle, pause_beside_acquire, check_nobody_waits, false},
    {"pause-vs-two-acquiring", 3, set_up_one_idle, pause_beside_acquire, check_nobody_waits, false},
    {"pause-vs-return", 2, set_up_one_leased_and_waiter, pause_beside_return, check_first_gone, false},
    {"pause-vs-leaving", 3, set_up_one_leased_and_waiter, pause_beside_leaving, check_nobody_waits, false},
    {"pause-vs-shutdown", 3, set_up_one_idle, pause_beside_shutdown, check_shut_and_not_paused, false},
    {"paused", 2, set_up_paused, nothing_while_paused, check_still_waits_and_resume, false},
    {"pause-twice", 2, set_up_idle_and_place, pause_twice, check_paused_and_resume, false},
    {"resume-vs-return", 2, set_up_resume, resume_beside_return, check_first_gone, false},
    {"resume-vs-place", 2, set_up_resume, resume_beside_place, check_first_gone, false},
    {"resume-vs-join", 3, set_up_paused_idle, resume_beside_join, check_nobody_waits, false},
    {"resume-vs-all", 3, set_up_resume, resume_beside_all, check_first_gone, false},
    {"resume-vs-sweep", 3, set_up_paused_idle, resume_beside_put_swept, check_swept, false},
    {"resume-vs-requeue", 2, set_up_paused_requeue, resume_beside_requeue, check_both_served, false},
    {"finish-close-twice", 3, set_up_leased, finish_close_twice, check_closed_once, true},
    {"slot-seen-closing", 2, set_up_view, close_or_look, NULL, false},
    {"slots-seen-growing", 2, set_up_growth, open_or_look, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
