/* SPDX-License-Identifier: Apache-2.0 */

/* One thread calls the pool in any order, and compares every output and every query with a model: see model.h. */
#include "model.h"
#include "scenario.h"
#include "world_internal.h"

#include <string.h>

#define STEPS 20

static model_state *const it = &model_pool;

/* A lease that a call has returned: the slot gets it, with a serial number that was never used before. */
static void note_lease(bp_lease lease, bp_slot_state before, bp_slot_state after) {
    model_slot *slot = model_slot_of(lease);
    if (slot == NULL) {
        REQUIRE(before == BP_SLOT_VACANT, "a call returns a slot that was never used");
        REQUIRE(it->slot_count < MODEL_SLOTS && model_find(BP_SLOT_VACANT) == NULL, "a slot too many is made");
        slot = &it->slots[it->slot_count++];
        *slot = (model_slot){.lease = {lease.slot, 0}};
    }
    REQUIRE(slot->state == before, "a call returns a slot in state %u", (unsigned)slot->state);
    REQUIRE(lease.serial > slot->lease.serial, "a serial number is used again");
    *slot = (model_slot){.state = after, .lease = lease, .observed_at = MODEL_NOT_OBSERVED};
}

static void require_status(const char *call, bp_status found, bp_status expected) {
    REQUIRE(found == expected, "%s returned %s instead of %s", call, bp_status_name(found), bp_status_name(expected));
}

static bp_status after_return(void) {
    return model_needs_reconcile() ? BP_RECONCILE : BP_OK;
}

/* The Swift core does not say why there is no permit. */
static bp_status said(bp_status why) {
#ifdef EXPLORED_SWIFT_CORE
    return why == BP_OK ? BP_OK : BP_EMPTY;
#else
    return why;
#endif
}

/* Acquiring, releasing and sweeping. */

static void try_one(void) {
    bp_lease lease = bp_try_acquire(world.pool);
    bool expected = !it->is_paused && !it->is_shut_down && model_waiting() == 0 && model_count(BP_SLOT_IDLE) != 0;
    REQUIRE((lease.slot != NULL) == expected, "bp_try_acquire returns %s", expected ? "no lease" : "a lease");
    if (expected) {
        note_lease(lease, BP_SLOT_IDLE, BP_SLOT_IN_USE);
    }
}

static void take_idle(void) {
    bp_lease lease = {NULL, 77};
    bool expected = model_count(BP_SLOT_IDLE) != 0;
    require_status("bp_take_idle", bp_take_idle(world.pool, &lease), expected ? BP_OK : BP_EMPTY);
    if (expected) {
        note_lease(lease, BP_SLOT_IDLE, BP_SLOT_IN_USE);
    } else {
        REQUIRE(lease.slot == NULL, "bp_take_idle returns a lease beside BP_EMPTY");
    }
}

static void return_one(bp_status (*call)(bp_pool *, bp_lease), const char *name, bool asks) {
    model_slot *slot = model_find(BP_SLOT_IN_USE);
    if (slot == NULL) {
        return;
    }
    slot->state = BP_SLOT_IDLE;
    slot->is_fresh = true;
    require_status(name, call(world.pool, slot->lease), asks ? after_return() : BP_OK);
}

static void release(void) {
    return_one(bp_release, "bp_release", true);
}

static void release_exclusively(void) {
    return_one(bp_release_exclusive, "bp_release_exclusive", true);
}

static void return_idle(void) {
    return_one(bp_return_idle, "bp_return_idle", false);
}

static void sweep_keep(void) {
    model_slot *slot = model_find(BP_SLOT_IN_USE);
    return_one(bp_sweep_keep, "bp_sweep_keep", true);
    if (slot != NULL) {
        slot->is_set_aside = true;
    }
}

static void sweep_next(void) {
    bp_lease lease = {NULL, 77};
    unsigned certain = 0;
    for (unsigned i = 0; i < it->slot_count; i++) {
        const model_slot *slot = &it->slots[i];
        certain += slot->state == BP_SLOT_IDLE && !slot->is_set_aside && !slot->is_fresh;
    }
    bp_status status = bp_sweep_next(world.pool, &lease);
    REQUIRE(status == BP_OK || (status == BP_EMPTY && certain == 0 && lease.slot == NULL),
            "bp_sweep_next returned %s before %u connections", bp_status_name(status), certain);
    if (status == BP_OK) {
        const model_slot *slot = model_slot_of(lease);
        REQUIRE(slot == NULL || !slot->is_set_aside, "a sweep looks at a connection again");
        note_lease(lease, BP_SLOT_IDLE, BP_SLOT_IN_USE);
    }
}

static void sweep_end(void) {
    unsigned set_aside = 0;
    for (unsigned i = 0; i < it->slot_count; i++) {
        it->slots[i].is_fresh = false;
        set_aside += it->slots[i].state == BP_SLOT_IDLE && it->slots[i].is_set_aside;
    }
    for (; set_aside != 0; set_aside--) {
        require_status("bp_sweep_end", bp_sweep_end(world.pool), after_return());
    }
    require_status("bp_sweep_end", bp_sweep_end(world.pool), BP_EMPTY);
    for (unsigned i = 0; i < it->slot_count; i++) {
        it->slots[i].is_set_aside = false;
    }
}

/* Opening and closing. */

static void open_unrequested(void) {
    bp_lease permit = {NULL, 77};
    bp_status expected = it->is_shut_down                       ? BP_SHUT_DOWN
                         : it->is_paused || model_queued() != 0 ? BP_EMPTY
                         : model_total() >= it->hard_limit      ? BP_LIMIT_REACHED
                                                                : BP_OK;
    require_status("bp_begin_open_unrequested", bp_begin_open_unrequested(world.pool, &permit), said(expected));
    if (expected == BP_OK) {
        note_lease(permit, BP_SLOT_VACANT, BP_SLOT_OPENING);
    } else {
        REQUIRE(permit.slot == NULL, "a permit beside %s", bp_status_name(expected));
    }
}

static void open_for_waiter(void) {
    bp_ticket ticket = {0};
    bp_lease permit = {NULL, 77};
    bp_status expected = it->is_paused || model_queued() == 0 ? BP_EMPTY
                         : model_total() >= it->hard_limit    ? BP_LIMIT_REACHED
                                                              : BP_OK;
    require_status("bp_begin_open", bp_begin_open(world.pool, &ticket, &permit), said(expected));
    if (expected == BP_OK) {
        model_waiter *oldest = model_oldest(true);
        REQUIRE(ticket.value == oldest->ticket.value, "a permit for another waiter than the oldest without one");
        oldest->state = MODEL_OPENING;
        note_lease(permit, BP_SLOT_VACANT, BP_SLOT_OPENING);
    } else {
        REQUIRE(permit.slot == NULL, "a permit beside %s", bp_status_name(expected));
    }
}

static void move(bp_slot_state from, bp_slot_state to, bp_status (*call)(bp_pool *, bp_lease), const char *name) {
    model_slot *slot = model_find(from);
    if (slot == NULL) {
        return;
    }
    require_status(name, call(world.pool, slot->lease), BP_OK);
    slot->state = to;
    bool was_open = from == BP_SLOT_IN_USE || from == BP_SLOT_CLOSING;
    if (to == BP_SLOT_IN_USE) {
        world.opened++;
    } else if (was_open && to == BP_SLOT_VACANT) {
        world.closed++;
    }
}

static void finish_open(void) {
    move(BP_SLOT_OPENING, BP_SLOT_IN_USE, bp_finish_open, "bp_finish_open");
}

static void cancel_open(void) {
    move(BP_SLOT_OPENING, BP_SLOT_VACANT, bp_cancel_open, "bp_cancel_open");
}

static void begin_close(void) {
    move(BP_SLOT_IN_USE, BP_SLOT_CLOSING, bp_begin_close, "bp_begin_close");
}

static void finish_close(void) {
    move(BP_SLOT_CLOSING, BP_SLOT_VACANT, bp_finish_close, "bp_finish_close");
}

static void detach_one(void) {
    move(BP_SLOT_IN_USE, BP_SLOT_VACANT, bp_detach, "bp_detach");
}

/* Closes a connection with a call that does so only if more than limit exist. */
static void close_above(uint32_t limit, const char *name, bp_status (*begin_close)(bp_pool *pool, bp_lease lease)) {
    model_slot *slot = model_find(BP_SLOT_IN_USE);
    if (slot == NULL) {
        return;
    }
    bool expected = model_has_more_than(limit);
    require_status(name, begin_close(world.pool, slot->lease), expected ? BP_OK : BP_EMPTY);
    slot->state = expected ? BP_SLOT_CLOSING : BP_SLOT_IN_USE;
}

/* Also where excess connections are kept. */
static void close_excess(void) {
    close_above(it->max_size, "bp_begin_close_excess", bp_begin_close_excess);
}

static void close_above_hard_limit(void) {
    close_above(it->hard_limit, "bp_begin_close_above_hard_limit", bp_begin_close_above_hard_limit);
}

/* Waiting. */

static model_waiter *find_waiter(model_waiter_state state, unsigned number) {
    for (unsigned i = 0; i < it->waiter_count; i++) {
        if (it->waiters[i].state == state && number-- == 0) {
            return &it->waiters[i];
        }
    }
    return NULL;
}

static void prepare_one(void) {
    bp_ticket ticket = {0};
    if (it->waiter_count == MODEL_WAITERS) {
        return;
    }
    require_status("bp_wait_prepare", bp_wait_prepare(world.pool, &ticket), it->is_shut_down ? BP_SHUT_DOWN : BP_OK);
    if (it->is_shut_down) {
        return;
    }
    for (unsigned i = 0; i < it->waiter_count; i++) {
        REQUIRE(it->waiters[i].ticket.value != ticket.value, "a ticket is given out twice");
    }
    it->waiters[it->waiter_count++] = (model_waiter){.state = MODEL_PREPARED, .ticket = ticket};
}

/* The order of the waiters is the order in which they join: the one that joins becomes the last. */
static model_waiter *move_to_the_end(model_waiter *waiter) {
    model_waiter moved = *waiter;
    unsigned index = (unsigned)(waiter - it->waiters);
    memmove(waiter, waiter + 1, (it->waiter_count - index - 1) * sizeof *waiter);
    it->waiters[it->waiter_count - 1] = moved;
    return &it->waiters[it->waiter_count - 1];
}

static void *context_of(const model_waiter *waiter) {
    return (void *)(uintptr_t)(waiter->ticket.value << 1 | 1);
}

static void join_with(uint64_t deadline) {
    model_waiter *waiter = find_waiter(MODEL_PREPARED, 0);
    bool is_cancelled = waiter == NULL;
    if (is_cancelled) {
        waiter = find_waiter(MODEL_CANCELLED, 0);
    }
    if (waiter == NULL) {
        return;
    }
    waiter = move_to_the_end(waiter);
    bool arm = false;
    bp_status expected = is_cancelled       ? BP_CANCELLED
                         : it->is_shut_down ? BP_SHUT_DOWN
                         : model_is_full()  ? BP_TOO_MANY_WAITERS
                                            : BP_OK;
    require_status("bp_wait_join", bp_wait_join(world.pool, waiter->ticket, context_of(waiter), deadline, &arm),
                   expected);
    waiter->state = expected == BP_OK ? MODEL_WAITING : MODEL_GONE;
    waiter->deadline = deadline;
    if (expected == BP_OK) {
        REQUIRE(arm == (deadline < it->promised), "a caller is %stold to set the timer", arm ? "" : "not ");
    } else if (expected == BP_SHUT_DOWN) {
        /* It was in the queue for a moment: its deadline may count. */
        it->promised = bp_next_deadline(world.pool);
        return;
    } else {
        REQUIRE(!arm, "a caller that does not wait is told to set the timer");
        return;
    }
    it->promised = deadline < it->promised ? deadline : it->promised;
}

static void join_one(void) {
    join_with(BP_NO_DEADLINE);
}

static void join_until_soon(void) {
    join_with(it->now + 5);
}

static void join_until_later(void) {
    join_with(it->now + 6);
}

/* Two whose deadlines are close to each other. */
static void join_two(void) {
    prepare_one();
    join_until_soon();
    prepare_one();
    join_until_later();
}

static void claim(model_waiter *waiter) {
    void *context = it, *expected = NULL;
    if (waiter == NULL) {
        return;
    }
    bp_status status = BP_OK;
    if (waiter->state == MODEL_GONE || waiter->state == MODEL_CANCELLED) {
        status = BP_STALE_TICKET;
    } else if (waiter->state == MODEL_PREPARED) {
        waiter->state = MODEL_CANCELLED;
    } else {
        expected = context_of(waiter);
        waiter->state = MODEL_GONE;
    }
    require_status("bp_wait_claim", bp_wait_claim(world.pool, waiter->ticket, &context), status);
    REQUIRE(context == expected, "bp_wait_claim returns another context");
}

static void claim_last(void) {
    claim(it->waiter_count == 0 ? NULL : &it->waiters[it->waiter_count - 1]);
}

static void claim_first(void) {
    claim(model_oldest(false));
}

static void requeue_last(void) {
    model_waiter *waiter = it->waiter_count == 0 ? NULL : &it->waiters[it->waiter_count - 1];
    for (unsigned i = 0; i < it->waiter_count; i++) {
        waiter = it->waiters[i].state == MODEL_OPENING ? &it->waiters[i] : waiter;
    }
    if (waiter != NULL) {
        bool opens = waiter->state == MODEL_OPENING;
        require_status("bp_wait_requeue", bp_wait_requeue(world.pool, waiter->ticket), opens ? BP_OK : BP_STALE_TICKET);
        waiter->state = opens ? MODEL_WAITING : waiter->state;
    }
}

static void hand_off_one(void) {
    void *context = it;
    model_waiter *oldest = model_oldest(false);
    require_status("bp_hand_off", bp_hand_off(world.pool, &context), oldest == NULL ? BP_EMPTY : BP_OK);
    REQUIRE(context == (oldest == NULL ? NULL : context_of(oldest)), "bp_hand_off returns another context");
    if (oldest != NULL) {
        oldest->state = MODEL_GONE;
    }
}

static void end_expired(void *context, uint64_t now) {
    for (unsigned i = 0; i < it->waiter_count; i++) {
        model_waiter *waiter = &it->waiters[i];
        bool waits = waiter->state == MODEL_WAITING || waiter->state == MODEL_OPENING;
        if (waits && context_of(waiter) == context) {
            REQUIRE(waiter->deadline <= now, "a waiter expires before its time");
            waiter->state = MODEL_GONE;
            return;
        }
    }
    fail("bp_expire returns a context of nobody who waits");
}

static void expire_some(size_t capacity) {
    void *contexts[4];
    uint64_t next = 77, earliest = BP_NO_DEADLINE;
    size_t due = 0;
    for (unsigned i = 0; i < it->waiter_count; i++) {
        bool waits = it->waiters[i].state == MODEL_WAITING || it->waiters[i].state == MODEL_OPENING;
        due += waits && it->waiters[i].deadline <= it->now;
    }
    size_t count = bp_expire(world.pool, it->now, contexts, capacity, &next);
    REQUIRE(count == (due < capacity ? due : capacity), "%u of %u waiters expire, with room for %u", (unsigned)count,
            (unsigned)due, (unsigned)capacity);
    for (size_t i = 0; i < count; i++) {
        end_expired(contexts[i], it->now);
    }
    for (unsigned i = 0; i < it->waiter_count; i++) {
        const model_waiter *waiter = &it->waiters[i];
        bool waits = waiter->state == MODEL_WAITING || waiter->state == MODEL_OPENING;
        earliest = waits && waiter->deadline < earliest ? waiter->deadline : earliest;
    }
    /* Without room for all of them, it is to be called again at once. */
    REQUIRE(next <= earliest || (count == capacity && next == it->now),
            "bp_expire is to be called again at %llu, and a deadline is at %llu", (unsigned long long)next,
            (unsigned long long)earliest);
    REQUIRE(next > it->now || count == capacity, "bp_expire is to be called again at once, and nothing is due");
    it->promised = next;
}

static void expire_one(void) {
    expire_some(1);
}

static void expire_all(void) {
    expire_some(4);
}

/* Limits, time, and leases that are observed. */

static void resize_to(uint32_t max_size, uint32_t hard_limit) {
    bp_status expected = max_size == 0 || hard_limit < max_size ? BP_INVALID_CONFIGURATION
                         : it->is_shut_down                     ? BP_SHUT_DOWN
                                                                : BP_OK;
    require_status("bp_resize", bp_resize(world.pool, max_size, hard_limit), expected);
    if (expected == BP_OK) {
        it->max_size = max_size;
        it->hard_limit = hard_limit;
        world.greatest_limit = hard_limit > world.greatest_limit ? hard_limit : world.greatest_limit;
    }
}

static void resize_small(void) {
    resize_to(1, 1);
}

static void resize_middle(void) {
    resize_to(1, 3);
}

static void resize_large(void) {
    resize_to(3, 4);
}

static void resize_wrongly(void) {
    resize_to(2, 1);
}

static void pause_or_resume(void) {
    if (it->is_paused) {
        require_status("bp_resume", bp_resume(world.pool), BP_OK);
        it->is_paused = false;
    } else {
        require_status("bp_pause", bp_pause(world.pool), it->is_shut_down ? BP_SHUT_DOWN : BP_OK);
        it->is_paused = !it->is_shut_down;
    }
}

/* The Swift core has no such call: there the step does nothing. */
static void always_reconcile_or_not(void) {
#ifndef EXPLORED_SWIFT_CORE
    it->always_reconciles = !it->always_reconciles;
    for (unsigned i = 0; i < 2; i++) { /* A second call with the same value changes nothing. */
        require_status("bp_always_reconcile", bp_always_reconcile(world.pool, it->always_reconciles), BP_OK);
    }
#endif
}

static void shut_all_down(void) {
    require_status("bp_shutdown", bp_shutdown(world.pool), BP_OK);
    it->is_shut_down = true;
    it->is_paused = it->keeps_excess = false;
    it->max_size = it->hard_limit = 0;
}

static void let_time_pass(void) {
    it->now += 5;
}

static void observe_at(uint64_t now, uint64_t interval) {
    bp_observe_leases(world.pool, now, interval);
    if (it->observed_at != 0 && (now <= it->observed_at || now - it->observed_at < interval)) {
        return;
    }
    it->observed_at = now;
    for (unsigned i = 0; i < it->slot_count; i++) {
        model_slot *slot = &it->slots[i];
        if (slot->state == BP_SLOT_IN_USE && slot->observed_at == MODEL_NOT_OBSERVED) {
            slot->observed_at = now;
        }
    }
}

static void observe(void) {
    observe_at(it->now, 10);
}

/* The clock of a caller may be late. */
static void observe_late(void) {
    observe_at(it->now - 3, 0);
}

/* Leases that have ended, and slots in another state than the call needs: nothing changes. */
static void misuse(void) {
    static bp_status (*const calls[])(bp_pool *, bp_lease) = {bp_release,
                                                              bp_release_exclusive,
                                                              bp_return_idle,
                                                              bp_sweep_keep,
                                                              bp_begin_close,
                                                              bp_detach,
                                                              bp_begin_close_excess,
                                                              bp_begin_close_above_hard_limit,
                                                              bp_finish_close,
                                                              bp_finish_open,
                                                              bp_cancel_open};
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (unsigned slot = 0; slot < it->slot_count; slot++) {
            bp_lease lease = it->slots[slot].lease;
            bp_slot_state needed = i < 8 ? BP_SLOT_IN_USE : i == 8 ? BP_SLOT_CLOSING : BP_SLOT_OPENING;
            if (it->slots[slot].state == needed) {
                lease.serial--;
            }
            bp_status status = calls[i](world.pool, lease);
            /* If there are not too many connections, the Swift core does not look at the lease. */
            bool is_conditional = calls[i] == bp_begin_close_excess || calls[i] == bp_begin_close_above_hard_limit;
            status = status == said(BP_LIMIT_REACHED) && is_conditional ? BP_STALE_LEASE : status;
            REQUIRE(status == BP_STALE_LEASE, "misuse %u returned %s", i, bp_status_name(status));
        }
    }
}

/* What a program does most: option 0. */
static void work(void) {
    if (model_find(BP_SLOT_OPENING) != NULL) {
        finish_open();
    } else if (model_find(BP_SLOT_IN_USE) != NULL && model_find(BP_SLOT_IDLE) == NULL) {
        release();
    } else if (find_waiter(MODEL_PREPARED, 0) != NULL) {
        join_until_soon();
    } else if (model_total() < it->hard_limit && model_queued() == 0) {
        open_unrequested();
    } else {
        try_one();
    }
}

static void (*const steps[])(void) = {
    work,
    try_one,
    take_idle,
    release,
    release_exclusively,
    return_idle,
    sweep_next,
    sweep_keep,
    sweep_end,
    open_unrequested,
    open_for_waiter,
    finish_open,
    cancel_open,
    begin_close,
    close_excess,
    close_above_hard_limit,
    finish_close,
    detach_one,
    prepare_one,
    join_one,
    join_until_soon,
    join_until_later,
    join_two,
    claim_first,
    claim_last,
    requeue_last,
    hand_off_one,
    expire_one,
    expire_all,
    resize_small,
    resize_middle,
    resize_large,
    resize_wrongly,
    pause_or_resume,
    let_time_pass,
    observe,
    observe_late,
    misuse,
    shut_all_down,
    always_reconcile_or_not,
};

static void end_all(void) {
    while (model_find(BP_SLOT_OPENING) != NULL) {
        cancel_open();
    }
    while (model_find(BP_SLOT_CLOSING) != NULL) {
        finish_close();
    }
    while (model_find(BP_SLOT_IN_USE) != NULL) {
        detach_one();
    }
    while (find_waiter(MODEL_PREPARED, 0) != NULL || find_waiter(MODEL_CANCELLED, 0) != NULL) {
        join_one();
    }
    while (model_oldest(false) != NULL) {
        hand_off_one();
    }
    if (it->is_paused) {
        pause_or_resume();
    }
    if (it->always_reconciles) {
        always_reconcile_or_not();
    }
    sweep_end();
    while (model_count(BP_SLOT_IDLE) != 0) {
        take_idle();
        detach_one();
    }
    it->now += 1000;
    expire_all();
    REQUIRE(it->promised == BP_NO_DEADLINE, "somebody is to call bp_expire again, and nobody has a deadline");
    model_check_queries();
    /* For the rules that hold everywhere. */
    register_set(&world.limits, limits_value(it->max_size, it->hard_limit));
    register_set(&world.pauses, it->is_paused);
    world.expired_at = it->now;
}

static void any_calls(unsigned thread) {
    (void)thread;
    for (unsigned i = 0; i < STEPS; i++) {
        steps[choose_evenly(sizeof steps / sizeof *steps)]();
        model_check_queries();
    }
    end_all();
}

static void set_up_model(uint32_t max_size, uint32_t hard_limit, uint32_t max_waiters, bool keeps_excess) {
    model_pool = (model_state){.max_size = max_size,
                               .hard_limit = hard_limit,
                               .max_waiters = max_waiters,
                               .keeps_excess = keeps_excess,
                               .now = 100,
                               .promised = BP_NO_DEADLINE};
    model_check_queries();
}

static void set_up_sequential(void) {
    world_create(2, 3, 1);
    set_up_model(2, 3, 0, false);
}

static void set_up_kept(void) {
    world_create_keeping_excess(1, 3, 2);
    set_up_model(1, 3, 0, true);
}

static void set_up_limited(void) {
    world_create_limited(1, 1, 2, 1);
    set_up_model(1, 1, 1, false);
}

const scenario sequential_scenarios[] = {
    {"sequential", 1, set_up_sequential, any_calls, NULL, true},
    {"sequential-kept", 1, set_up_kept, any_calls, NULL, true},
    {"sequential-limited", 1, set_up_limited, any_calls, NULL, true},
    {NULL, 0, NULL, NULL, NULL, false},
};
