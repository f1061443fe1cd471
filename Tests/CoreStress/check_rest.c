/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pool at rest, and after it was shut down.
 *
 * At rest, that is at a moment within no call, the counts are the sums of the calls before. No waiter waits beside an
 * idle connection, and no waiter lacks a permit while a slot is free. No idle connection is excess. No waiter waits
 * whose deadline had passed when deadlines were last looked at, or in a pool that was shut down. The next deadline
 * that the pool reports is no later than the deadline of any waiter.
 *
 * After a call of bp_shutdown has ended, no call that begins later leases or opens. check_waiters.c checks joins.
 */
#include "checker.h"

typedef struct {
    change is;
    int waiting, lacking;
} state;

static int by_ticket(const void *left, const void *right) {
    const event *a = *(const event *const *)left, *b = *(const event *const *)right;
    return (a->ticket > b->ticket) - (a->ticket < b->ticket);
}

/* Counts the waiters at a moment of rest. found: the events of waiters, sorted by tickets. */
static const char *count_waiters(const event **found, size_t count, const event *rest, state *now) {
    for (size_t first = 0, next; first < count; first = next) {
        const event *join = NULL;
        bool has_permit = false, is_gone = false;
        for (next = first; next < count && found[next]->ticket == found[first]->ticket; next++) {
            const event *it = found[next];
            if (it->begin < rest->begin) {
                join = it->what == EVENT_JOIN ? it : join;
                has_permit |= it->what == EVENT_BEGIN_OPEN;
                is_gone |= it->what != EVENT_JOIN && it->what != EVENT_BEGIN_OPEN;
            }
        }
        if (join != NULL && !is_gone) {
            now->waiting++;
            now->lacking += !has_permit;
            if (join->value <= rest->looked_until) {
                return complain("at rest a caller waits after its deadline", join, rest);
            }
            /* A deadline that has passed need not be reported, if the reported deadline has passed too. */
            if (join->value < rest->next_deadline && rest->begin < rest->next_deadline) {
                return complain("at rest the next deadline is later than that of a waiter", join, rest);
            }
        }
    }
    return NULL;
}

static const char *check_state(const state *now, const event *rest, const limits_in_force *limits) {
    const bp_pool_statistics *told = &rest->statistics;
    const change *is = &now->is;
    if ((int)told->idle != is->idle || (int)told->in_use != is->in_use || (int)told->opening != is->opening ||
        (int)told->closing != is->closing || (int)told->waiting != now->waiting) {
        static char text[256];
        snprintf(
            text, sizeof text,
            "at rest the pool reports %u idle, %u in use, %u opening, %u closing, %u waiting, but the calls add up "
            "to %d, %d, %d, %d, %d",
            told->idle, told->in_use, told->opening, told->closing, told->waiting, is->idle, is->in_use, is->opening,
            is->closing, now->waiting);
        return complain(text, rest, NULL);
    }
    int total = is->idle + is->in_use + is->opening + is->closing;
    /* If resizes overlapped, either limit may be in force. The pool must report one of them. */
    pool_limits possible = limits_between(limits, rest->begin, rest->end);
    if (told->max_size < possible.max_size || told->hard_limit > possible.hard_limit) {
        return complain("at rest the limits are not the latest ones", rest, NULL);
    }
    if (now->waiting > 0 && told->is_shut_down) {
        return complain("at rest a caller waits in a pool that was shut down", rest, NULL);
    }
    if (now->waiting > 0 && is->idle > 0) {
        return complain("at rest a caller waits beside an idle connection", rest, NULL);
    }
    if (now->lacking > 0 && total < (int)told->hard_limit) {
        return complain("at rest a caller waits beside a free slot", rest, NULL);
    }
    if (is->idle > 0 && total - is->closing > (int)told->max_size) {
        return complain("at rest an excess connection is idle", rest, NULL);
    }
    return NULL;
}

static bool is_of_business(event_kind what) {
    return what == EVENT_TAKE || what == EVENT_BEGIN_OPEN || what == EVENT_BEGIN_OPEN_UNREQUESTED ||
           what == EVENT_RESIZE;
}

static const char *check_shutdown(const event *events, size_t count) {
    const event *shutdown = NULL; /* The one that ended first: the events are sorted by their ends. */
    for (size_t i = 0; i < count; i++) {
        const event *it = &events[i];
        if (it->what == EVENT_SHUT_DOWN && shutdown == NULL) {
            shutdown = it;
        } else if (shutdown != NULL && is_of_business(it->what) && it->begin > shutdown->end) {
            return complain("the pool leases or opens after it was shut down", shutdown, it);
        }
    }
    return NULL;
}

static const char *check_rests(const event *events, size_t count, const event **found, size_t found_count,
                               const limits_in_force *limits) {
    state now = {0};
    for (size_t i = 0; i < count; i++) {
        const event *it = &events[i];
        change by = change_by(it->what);
        now.is.idle += by.idle;
        now.is.in_use += by.in_use;
        now.is.opening += by.opening;
        now.is.closing += by.closing;
        if (it->what == EVENT_REST) {
            now.waiting = now.lacking = 0;
            const char *wrong = count_waiters(found, found_count, it, &now);
            wrong = wrong != NULL ? wrong : check_state(&now, it, limits);
            if (wrong != NULL) {
                return wrong;
            }
        }
    }
    return NULL;
}

const char *check_rest(const event *events, size_t count, pool_limits first) {
    limits_in_force limits;
    limits_create(&limits, events, count, first);
    const event **found = malloc((count + 1) * sizeof *found);
    size_t found_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (concerns_waiter(events[i].what)) {
            found[found_count++] = &events[i];
        }
    }
    qsort(found, found_count, sizeof *found, by_ticket);
    const char *wrong = check_rests(events, count, found, found_count, &limits);
    wrong = wrong != NULL ? wrong : check_shutdown(events, count);
    free(found);
    limits_destroy(&limits);
    return wrong;
}
