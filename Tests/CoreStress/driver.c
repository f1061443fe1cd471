/* SPDX-License-Identifier: Apache-2.0 */

#include "driver.h"

#define NO_TICKET ((bp_ticket){0})

static uint64_t below(driver *it, uint64_t bound) {
    return random_below(&it->calls.random, bound);
}

static bool one_in(driver *it, uint64_t bound) {
    return below(it, bound) == 0;
}

void driver_create(driver *it, bp_pool *pool, meeting_place *place, uint64_t seed) {
    it->calls.pool = pool;
    it->calls.random = seed;
    it->calls.next_stamp = seed << 32;
    it->calls.log.count = 0;
    it->place = place;
    it->held_count = it->opening_count = it->closing_count = 0;
    for (unsigned i = 0; i < MOST_WAITS; i++) {
        atomic_init(&it->waits[i].outcome, NO_WAIT);
    }
    driver_change_mood(it, 1);
}

/* Waiters. */

static bp_ticket ticket_of(void *context) {
    return ((wait *)context)->ticket;
}

static void resume(void *context, wait_outcome outcome, bp_lease lease) {
    wait *goes = context;
    goes->lease = lease;
    int before = atomic_exchange_explicit(&goes->outcome, outcome, memory_order_acq_rel);
    REQUIRE(before == WAITING, "a waiter that does not wait is resumed");
}

static void resume_without(void *context) {
    resume(context, ENDED, (bp_lease){NULL, 0});
}

/* Reconciling, as bp_pool.h describes it. */

static void reconcile(driver *it);

static void finish_opening(driver *it, errand job) {
    void *context;
    if (one_in(it, 6)) {
        cancel_open(&it->calls, job.lease);
        if (job.ticket.value != 0 && claim(&it->calls, job.ticket, &context)) {
            resume_without(context);
        }
        reconcile(it);
        return;
    }
    finish_open(&it->calls, job.lease);
    if (job.ticket.value != 0 && claim(&it->calls, job.ticket, &context)) {
        resume(context, SERVED, job.lease);
    } else if (release(&it->calls, job.lease)) {
        reconcile(it);
    }
}

static void begin_opening(driver *it, bp_ticket ticket, bp_lease permit) {
    errand job = {permit, ticket};
    if (it->opening_count < MOST_IN_HAND) {
        it->opening[it->opening_count++] = job;
    } else {
        finish_opening(it, job);
    }
}

static void finish_closing(driver *it, errand job) {
    finish_close(&it->calls, job.lease);
    reconcile(it);
}

/* The connection is in the state closing. */
static void begin_closing(driver *it, bp_lease lease) {
    errand job = {lease, NO_TICKET};
    if (it->closing_count < MOST_IN_HAND) {
        it->closing[it->closing_count++] = job;
    } else {
        /* The thread that is reconciling continues to do so. */
        finish_close(&it->calls, job.lease);
    }
}

static bool serve_oldest(driver *it) {
    bp_lease lease;
    void *context;
    if (take_idle(&it->calls, &lease)) {
        if (begin_close_above_hard_limit(&it->calls, lease)) {
            begin_closing(it, lease);
        } else if (hand_off(&it->calls, &context, ticket_of)) {
            resume(context, SERVED, lease);
        } else {
            return_idle(&it->calls, lease);
        }
        return true;
    }
    bp_ticket ticket;
    if (begin_open(&it->calls, &ticket, &lease) != BP_OK) {
        return false;
    }
    begin_opening(it, ticket, lease);
    return true;
}

static bool close_excess(driver *it) {
    bp_lease lease;
    if (!take_idle(&it->calls, &lease)) {
        return false;
    }
    if (begin_close_excess(&it->calls, lease)) {
        begin_closing(it, lease);
    } else {
        return_idle(&it->calls, lease);
    }
    return true;
}

static void reconcile(driver *it) {
    bool goes_on = true;
    while (goes_on) {
        if (has_waiters(&it->calls)) {
            goes_on = serve_oldest(it);
        } else {
            goes_on = bp_has_excess(it->calls.pool) && close_excess(it);
        }
    }
}

/* Steps. */

static void join_queue(driver *it) {
    for (unsigned i = 0; i < it->patience; i++) {
        wait *mine = &it->waits[i];
        if (atomic_load_explicit(&mine->outcome, memory_order_relaxed) != NO_WAIT) {
            continue;
        }
        uint64_t prepared;
        if (!prepare(&it->calls, &mine->ticket, &prepared)) {
            return;
        }
        atomic_store_explicit(&mine->outcome, WAITING, memory_order_relaxed);
        if (one_in(it, 4)) {
            atomic_store_explicit(&it->place->mailbox[below(it, MAILBOX)], mine->ticket.value, memory_order_relaxed);
        }
        uint64_t deadline = one_in(it, 3) ? history_now() + below(it, 300000) : BP_NO_DEADLINE;
        if (join(&it->calls, mine->ticket, prepared, mine, deadline)) {
            reconcile(it);
        } else {
            atomic_store_explicit(&mine->outcome, NO_WAIT, memory_order_relaxed);
        }
        return;
    }
}

static void lease_one(driver *it) {
    bp_lease lease;
    if (it->held_count == MOST_IN_HAND) {
        return;
    }
    if (take(&it->calls, &lease)) {
        it->held[it->held_count++] = lease;
    } else if (one_in(it, 2) && it->opening_count < MOST_IN_HAND) {
        if (begin_open_unrequested(&it->calls, &lease) == BP_OK) {
            begin_opening(it, NO_TICKET, lease);
        }
    } else {
        join_queue(it);
    }
}

static void release_lease(driver *it, bp_lease lease) {
    if (release(&it->calls, lease)) {
        reconcile(it);
    }
}

static void close_or_detach(driver *it, bp_lease lease) {
    if (one_in(it, 2)) {
        begin_close(&it->calls, lease);
        begin_closing(it, lease);
    } else {
        detach(&it->calls, lease);
    }
    reconcile(it);
}

static void let_go_of_one(driver *it) {
    if (it->held_count > 0) {
        bp_lease lease = it->held[--it->held_count];
        if (one_in(it, 12)) {
            close_or_detach(it, lease);
        } else {
            release_lease(it, lease);
        }
    }
}

/* Looks at the outcomes of the waits. */
static void look_at_waits(driver *it) {
    for (unsigned i = 0; i < MOST_WAITS; i++) {
        wait *mine = &it->waits[i];
        int outcome = atomic_load_explicit(&mine->outcome, memory_order_acquire);
        if (outcome != SERVED && outcome != ENDED) {
            continue;
        }
        bp_lease lease = mine->lease;
        atomic_store_explicit(&mine->outcome, NO_WAIT, memory_order_relaxed);
        if (outcome == ENDED) {
            continue;
        }
        if (it->held_count < MOST_IN_HAND) {
            it->held[it->held_count++] = lease;
        } else {
            release_lease(it, lease);
        }
    }
}

static void cancel(driver *it, bp_ticket ticket) {
    void *context;
    if (ticket.value != 0 && claim(&it->calls, ticket, &context)) {
        resume_without(context);
    }
}

static void cancel_one(driver *it) {
    if (one_in(it, 2)) {
        _Atomic uint64_t *box = &it->place->mailbox[below(it, MAILBOX)];
        cancel(it, (bp_ticket){atomic_exchange_explicit(box, 0, memory_order_relaxed)});
        return;
    }
    wait *mine = &it->waits[below(it, MOST_WAITS)];
    if (atomic_load_explicit(&mine->outcome, memory_order_relaxed) == WAITING) {
        cancel(it, mine->ticket);
    }
}

static void go_on_errand(driver *it) {
    if (it->opening_count > 0 && one_in(it, 2)) {
        finish_opening(it, it->opening[--it->opening_count]);
    } else if (it->closing_count > 0) {
        finish_closing(it, it->closing[--it->closing_count]);
    }
}

static void expire_some(driver *it, uint64_t now) {
    void *contexts[3];
    size_t count = expire(&it->calls, now, contexts, 1 + below(it, 3), ticket_of);
    for (size_t i = 0; i < count; i++) {
        resume_without(contexts[i]);
    }
}

static void change_limits(driver *it) {
    uint32_t max_size = 1 + (uint32_t)below(it, 4);
    resize(&it->calls, max_size, max_size + (uint32_t)below(it, 4));
    reconcile(it);
}

void driver_change_mood(driver *it, uint64_t mood) {
    static const unsigned appetites[] = {4, 16, 32};
    it->appetite = appetites[below(it, 3)];
    it->patience = (unsigned)(mood % (MOST_WAITS + 1));
}

void driver_step(driver *it) {
    if (below(it, 64) < it->appetite) {
        lease_one(it);
        return;
    }
    uint64_t what = below(it, 64);
    if (what < 24) {
        let_go_of_one(it);
    } else if (what < 36) {
        look_at_waits(it);
    } else if (what < 56) {
        go_on_errand(it);
    } else if (what < 60) {
        cancel_one(it);
    } else if (what < 63) {
        expire_some(it, history_now());
    } else if (one_in(it, 4)) {
        change_limits(it);
    }
}

/* The end. */

void driver_shut_down(driver *it) {
    void *context;
    shut_down(&it->calls);
    while (hand_off(&it->calls, &context, ticket_of)) {
        resume_without(context);
    }
    reconcile(it);
}

void driver_finish(driver *it) {
    look_at_waits(it);
    while (it->held_count > 0) {
        release_lease(it, it->held[--it->held_count]);
    }
    while (it->opening_count > 0 || it->closing_count > 0) {
        go_on_errand(it);
    }
}

void driver_expire_all(driver *it, uint64_t now) {
    size_t before;
    do {
        before = it->calls.log.count;
        expire_some(it, now);
    } while (it->calls.log.count > before);
}
