/* SPDX-License-Identifier: Apache-2.0 */

#include "recorded_pool.h"

#include <sched.h>

void pause_somewhat(recorder *it) {
    uint64_t what = random_below(&it->random, 512);
    if (what < 32) {
        for (volatile uint64_t i = random_below(&it->random, 300); i > 0; i--) {
        }
    } else if (what < 48) {
        sched_yield();
    } else if (what < 50) {
        nanosleep(&(struct timespec){.tv_nsec = (long)random_below(&it->random, 50000)}, NULL);
    }
}

/* Each call is made between these two functions. */
static uint64_t begin(recorder *it) {
    pause_somewhat(it);
    return history_now();
}

static event *record(recorder *it, event_kind what, uint64_t begun) {
    return history_append(&it->log, what, begun, history_now());
}

static event *record_slot(recorder *it, event_kind what, uint64_t begun, bp_lease lease) {
    event *made = record(it, what, begun);
    made->slot = lease.slot;
    made->serial = lease.serial;
    return made;
}

static event *record_waiter(recorder *it, event_kind what, uint64_t begun, uint64_t ended, bp_ticket ticket,
                            uint64_t value) {
    event *made = history_append(&it->log, what, begun, ended);
    made->ticket = ticket.value;
    made->value = value;
    return made;
}

static void require_ok(bp_status status, const char *call) {
    REQUIRE(status == BP_OK, "%s answers %s", call, bp_status_name(status));
}

/* Leases. */

bool take(recorder *it, bp_lease *lease) {
    uint64_t begun = begin(it);
    *lease = bp_try_acquire(it->pool);
    if (lease->slot == NULL) {
        return false;
    }
    event *made = record_slot(it, EVENT_TAKE, begun, *lease);
    made->value = element_of(it, *lease)->stamp;
    return true;
}

bool take_idle(recorder *it, bp_lease *lease) {
    uint64_t begun = begin(it);
    bp_status status = bp_take_idle(it->pool, lease);
    if (status == BP_EMPTY) {
        return false;
    }
    event *made = record_slot(it, EVENT_TAKE_IDLE, begun, *lease);
    require_ok(status, "bp_take_idle");
    made->value = element_of(it, *lease)->stamp;
    return true;
}

void return_idle(recorder *it, bp_lease lease) {
    uint64_t stamp = element_of(it, lease)->stamp;
    uint64_t begun = begin(it);
    bp_status status = bp_return_idle(it->pool, lease);
    record_slot(it, EVENT_RELEASE, begun, lease)->value = stamp;
    require_ok(status, "bp_return_idle");
}

bool release(recorder *it, bp_lease lease) {
    uint64_t stamp = ++it->next_stamp;
    bool exclusive = random_below(&it->random, 2) == 0;
    element_of(it, lease)->stamp = stamp;
    uint64_t begun = begin(it);
    bp_status status = exclusive ? bp_release_exclusive(it->pool, lease) : bp_release(it->pool, lease);
    record_slot(it, EVENT_RELEASE, begun, lease)->value = stamp;
    REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_release answers %s", bp_status_name(status));
    if (random_below(&it->random, 16) == 0) {
        bp_status again = bp_release(it->pool, lease);
        REQUIRE(again == BP_STALE_LEASE, "a second release answers %s", bp_status_name(again));
    }
    return status == BP_RECONCILE;
}

/* Opening. */

bp_status begin_open(recorder *it, bp_ticket *ticket, bp_lease *permit) {
    uint64_t begun = begin(it);
    bp_status status = bp_begin_open(it->pool, ticket, permit);
    if (status == BP_OK) {
        record_slot(it, EVENT_BEGIN_OPEN, begun, *permit)->ticket = ticket->value;
    } else if (status == BP_EMPTY) {
        record(it, EVENT_FIND_NO_WAITER_TO_OPEN, begun);
    } else {
        record(it, EVENT_FIND_NO_SLOT, begun);
        REQUIRE(status == BP_LIMIT_REACHED, "bp_begin_open answers %s", bp_status_name(status));
    }
    return status;
}

bp_status begin_open_unrequested(recorder *it, bp_lease *permit) {
    uint64_t begun = begin(it);
    bp_status status = bp_begin_open_unrequested(it->pool, permit);
    if (status == BP_OK) {
        record_slot(it, EVENT_BEGIN_OPEN_UNREQUESTED, begun, *permit);
    } else {
        REQUIRE(status == BP_EMPTY || status == BP_LIMIT_REACHED || status == BP_SHUT_DOWN,
                "bp_begin_open_unrequested answers %s", bp_status_name(status));
    }
    return status;
}

void finish_open(recorder *it, bp_lease permit) {
    element_of(it, permit)->stamp = ++it->next_stamp;
    uint64_t begun = begin(it);
    bp_status status = bp_finish_open(it->pool, permit);
    record_slot(it, EVENT_FINISH_OPEN, begun, permit);
    require_ok(status, "bp_finish_open");
}

void cancel_open(recorder *it, bp_lease permit) {
    uint64_t begun = begin(it);
    bp_status status = bp_cancel_open(it->pool, permit);
    record_slot(it, EVENT_CANCEL_OPEN, begun, permit);
    require_ok(status, "bp_cancel_open");
}

/* Closing. */

void begin_close(recorder *it, bp_lease lease) {
    uint64_t begun = begin(it);
    bp_status status = bp_begin_close(it->pool, lease);
    record_slot(it, EVENT_BEGIN_CLOSE, begun, lease);
    require_ok(status, "bp_begin_close");
}

/* Begins to close a connection if begin_close finds too many. */
static bool begin_close_if(recorder *it, bp_lease lease, bp_status (*begin_close)(bp_pool *pool, bp_lease lease)) {
    uint64_t begun = begin(it);
    bp_status status = begin_close(it->pool, lease);
    if (status == BP_EMPTY) {
        return false;
    }
    record_slot(it, EVENT_BEGIN_CLOSE_EXCESS, begun, lease);
    require_ok(status, "the begin of a close");
    return true;
}

bool begin_close_excess(recorder *it, bp_lease lease) {
    return begin_close_if(it, lease, bp_begin_close_excess);
}

bool begin_close_above_hard_limit(recorder *it, bp_lease lease) {
    return begin_close_if(it, lease, bp_begin_close_above_hard_limit);
}

void finish_close(recorder *it, bp_lease lease) {
    uint64_t begun = begin(it);
    bp_status status = bp_finish_close(it->pool, lease);
    record_slot(it, EVENT_FINISH_CLOSE, begun, lease);
    require_ok(status, "bp_finish_close");
}

void detach(recorder *it, bp_lease lease) {
    uint64_t begun = begin(it);
    bp_status status = bp_detach(it->pool, lease);
    record_slot(it, EVENT_DETACH, begun, lease);
    require_ok(status, "bp_detach");
}

/* Waiting. */

bool prepare(recorder *it, bp_ticket *ticket, uint64_t *begun) {
    *begun = begin(it);
    bp_status status = bp_wait_prepare(it->pool, ticket);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_wait_prepare answers %s", bp_status_name(status));
    return status == BP_OK;
}

bool join(recorder *it, bp_ticket ticket, uint64_t prepared, void *context, uint64_t deadline) {
    uint64_t begun = begin(it);
    bp_status status = bp_wait_join(it->pool, ticket, context, deadline, NULL);
    uint64_t ended = history_now();
    if (status == BP_OK) {
        record_waiter(it, EVENT_JOIN, begun, ended, ticket, deadline)->other = prepared;
    } else {
        REQUIRE(status == BP_CANCELLED || status == BP_SHUT_DOWN, "bp_wait_join answers %s", bp_status_name(status));
    }
    return status == BP_OK;
}

bool claim(recorder *it, bp_ticket ticket, void **context) {
    uint64_t begun = begin(it);
    bp_status status = bp_wait_claim(it->pool, ticket, context);
    uint64_t ended = history_now();
    if (status == BP_OK && *context != NULL) {
        record_waiter(it, EVENT_CLAIM, begun, ended, ticket, 0);
    }
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_wait_claim answers %s", bp_status_name(status));
    return status == BP_OK && *context != NULL;
}

bool hand_off(recorder *it, void **context, bp_ticket (*ticket_of)(void *context)) {
    uint64_t begun = begin(it);
    bp_status status = bp_hand_off(it->pool, context);
    uint64_t ended = history_now();
    if (status == BP_OK) {
        record_waiter(it, EVENT_HAND_OFF, begun, ended, ticket_of(*context), 0);
    } else {
        REQUIRE(status == BP_EMPTY, "bp_hand_off answers %s", bp_status_name(status));
        history_append(&it->log, EVENT_FIND_NO_WAITER, begun, ended);
    }
    return status == BP_OK;
}

size_t expire(recorder *it, uint64_t now, void **contexts, size_t capacity, bp_ticket (*ticket_of)(void *context)) {
    uint64_t next;
    uint64_t begun = begin(it);
    size_t count = bp_expire(it->pool, now, contexts, capacity, &next);
    uint64_t ended = history_now();
    for (size_t i = 0; i < count; i++) {
        record_waiter(it, EVENT_EXPIRE, begun, ended, ticket_of(contexts[i]), now);
    }
    return count;
}

bool has_waiters(recorder *it) {
    uint64_t begun = begin(it);
    bool found = bp_has_waiters(it->pool);
    if (!found) {
        record(it, EVENT_FIND_NO_WAITER, begun);
    }
    return found;
}

/* The pool. */

void resize(recorder *it, uint32_t max_size, uint32_t hard_limit) {
    uint64_t begun = begin(it);
    bp_status status = bp_resize(it->pool, max_size, hard_limit);
    if (status != BP_SHUT_DOWN) {
        event *made = record(it, EVENT_RESIZE, begun);
        made->value = max_size;
        made->other = hard_limit;
        require_ok(status, "bp_resize");
    }
}

void shut_down(recorder *it) {
    uint64_t begun = begin(it);
    bp_status status = bp_shutdown(it->pool);
    record(it, EVENT_SHUT_DOWN, begun);
    require_ok(status, "bp_shutdown");
}

void rest(recorder *it, uint64_t looked_until) {
    bp_pool_statistics statistics;
    uint64_t begun = history_now();
    require_ok(bp_pool_statistics_get(it->pool, &statistics), "bp_pool_statistics_get");
    uint64_t next_deadline = bp_next_deadline(it->pool);
    REQUIRE(bp_total(it->pool) == statistics.idle + statistics.in_use + statistics.opening + statistics.closing,
            "bp_total answers %u at rest", bp_total(it->pool));
    event *made = record(it, EVENT_REST, begun);
    made->looked_until = looked_until;
    made->next_deadline = next_deadline;
    made->statistics = statistics;
}
