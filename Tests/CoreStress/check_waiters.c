/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The wait queue.
 *
 * A caller certainly waits from the end of its bp_wait_join until the beginning of the call that removes it. It
 * certainly lacks a permit until that call, or the bp_begin_open for it, begins.
 *
 * Each wait ends once. Only a waiter that has joined is removed.
 *
 * First come, first served. If A's join had ended before B's began, B is not served while A waits: no bp_hand_off that
 * removed B may have ended before the call that removed A began, because then A was certainly waiting at every moment
 * at which B can have been chosen. The same holds for permits, among the waiters that lack one. It does not hold for
 * the connection that was opened for B: B may get that one before A is served (Decisions/0004).
 *
 * No caller overtakes a waiter. A thread that takes an idle connection with bp_try_acquire has found an empty queue at
 * some moment of the call. It is wrong if at every moment of the call a caller was certainly waiting, even if several
 * overlapping waits cover that time together. The same holds for calls that report an empty queue, and for permits
 * that were taken without a request, or refused because no waiter lacks one.
 *
 * After a call of bp_shutdown has ended, no bp_wait_prepare that begins later leads to a join. A caller that joins
 * later with a ticket from before has been removed when its join ends.
 *
 * For a queue, linearizability requires only this: no wrong order of two elements, no removal of an absent element, no
 * second removal, and no wrong "empty" (T. A. Henzinger, A. Sezgin, V. Vafeiadis, Aspect-oriented linearizability
 * proofs, CONCUR 2013). So it is enough to compare pairs.
 */
#include "checker.h"

typedef struct {
    const event *join;
    const event *permit; /* NULL: none. */
    const event *gone;   /* NULL: the wait has not ended. */
    uint64_t lacks_until, waits_until;
} wait;

typedef struct {
    uint64_t from, until;
    const event *join;
} span;

static int by_ticket(const void *left, const void *right) {
    const event *a = *(const event *const *)left, *b = *(const event *const *)right;
    if (a->ticket != b->ticket) {
        return a->ticket < b->ticket ? -1 : 1;
    }
    return (a->what != EVENT_JOIN) - (b->what != EVENT_JOIN);
}

static int by_join_end(const void *left, const void *right) {
    const wait *a = left, *b = right;
    return (a->join->end > b->join->end) - (a->join->end < b->join->end);
}

/* Adds an event to its wait. */
static const char *note(wait *it, const event *found) {
    if (found->what == EVENT_BEGIN_OPEN) {
        if (it->permit != NULL) {
            return complain("two permits for one waiter", it->permit, found);
        }
        it->permit = found;
    } else {
        if (it->gone != NULL) {
            return complain("a wait ended twice", it->gone, found);
        }
        it->gone = found;
        if (found->what == EVENT_EXPIRE && it->join->value > found->value) {
            return complain("a wait ended before its deadline", it->join, found);
        }
    }
    return found->end < it->join->begin ? complain("a waiter was found before it joined", found, it->join) : NULL;
}

/* Collects the events of each waiter. */
static const char *gather(const event **found, size_t count, wait *waits, size_t *wait_count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i]->what == EVENT_JOIN) {
            if (used > 0 && waits[used - 1].join->ticket == found[i]->ticket) {
                return complain("a ticket joined twice", waits[used - 1].join, found[i]);
            }
            waits[used++] = (wait){.join = found[i]};
            continue;
        }
        if (used == 0 || waits[used - 1].join->ticket != found[i]->ticket) {
            return complain("a waiter was found that had not joined", found[i], NULL);
        }
        const char *wrong = note(&waits[used - 1], found[i]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    for (size_t i = 0; i < used; i++) {
        wait *it = &waits[i];
        it->waits_until = it->gone == NULL ? UINT64_MAX : it->gone->begin;
        it->lacks_until =
            it->permit != NULL && it->permit->begin < it->waits_until ? it->permit->begin : it->waits_until;
    }
    *wait_count = used;
    return NULL;
}

/* Returns how many of the waits, sorted by the ends of their joins, had joined before a moment. */
static size_t joined_before(const wait *waits, size_t count, uint64_t time) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (waits[middle].join->end < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const char *check_order(const wait *waits, size_t count) {
    /* Of the first n waits: the one that waits longest, and the one that lacks a permit longest. */
    const wait **last_waiting = malloc((count + 1) * sizeof *last_waiting);
    const wait **last_lacking = malloc((count + 1) * sizeof *last_lacking);
    const char *wrong = NULL;
    last_waiting[0] = last_lacking[0] = NULL;
    for (size_t i = 0; i < count; i++) {
        const wait *it = &waits[i], *waiting = last_waiting[i], *lacking = last_lacking[i];
        last_waiting[i + 1] = waiting == NULL || it->waits_until > waiting->waits_until ? it : waiting;
        last_lacking[i + 1] = lacking == NULL || it->lacks_until > lacking->lacks_until ? it : lacking;
    }
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        const wait *it = &waits[i];
        size_t older = joined_before(waits, count, it->join->begin);
        const wait *waiting = last_waiting[older], *lacking = last_lacking[older];
        if (it->gone != NULL && it->gone->what == EVENT_HAND_OFF && waiting != NULL &&
            waiting->waits_until > it->gone->end) {
            wrong = complain("a waiter was served before an older one", waiting->join, it->gone);
        } else if (it->permit != NULL && lacking != NULL && lacking->lacks_until > it->permit->end) {
            wrong = complain("a waiter got a permit before an older one", lacking->join, it->permit);
        }
    }
    free(last_waiting);
    free(last_lacking);
    return wrong;
}

/* Computes the time spans in which some caller certainly waits, or lacks a permit. Overlapping spans are merged. */
static size_t spans_of(const wait *waits, size_t count, bool without_permit, span *spans) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) { /* By the ends of their joins. */
        uint64_t from = waits[i].join->end, until = without_permit ? waits[i].lacks_until : waits[i].waits_until;
        if (until <= from) {
            continue;
        }
        if (used > 0 && from < spans[used - 1].until) {
            span *last = &spans[used - 1];
            last->until = until > last->until ? until : last->until;
        } else {
            spans[used++] = (span){from, until, waits[i].join};
        }
    }
    return used;
}

/* Returns the span that contains this call, or NULL if there was a moment outside all spans. */
static const span *around(const span *spans, size_t count, const event *it) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (spans[middle].from < it->begin) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && it->end < spans[low - 1].until ? &spans[low - 1] : NULL;
}

static const char *check_new_callers(const event *events, size_t count, const wait *waits, size_t wait_count) {
    span *waiting = malloc((wait_count + 1) * sizeof *waiting), *lacking = malloc((wait_count + 1) * sizeof *lacking);
    size_t waiting_count = spans_of(waits, wait_count, false, waiting);
    size_t lacking_count = spans_of(waits, wait_count, true, lacking);
    const char *wrong = NULL;
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        const event *it = &events[i];
        const span *passed = NULL;
        if (it->what == EVENT_TAKE || it->what == EVENT_FIND_NO_WAITER) {
            passed = around(waiting, waiting_count, it);
        } else if (it->what == EVENT_BEGIN_OPEN_UNREQUESTED || it->what == EVENT_FIND_NO_WAITER_TO_OPEN) {
            passed = around(lacking, lacking_count, it);
        }
        if (passed != NULL) {
            wrong = complain("a caller waited during the whole call, or several did in succession", passed->join, it);
        }
    }
    free(waiting);
    free(lacking);
    return wrong;
}

static const char *check_late_joins(const event *events, size_t count, const wait *waits, size_t wait_count) {
    const event *shutdown = NULL; /* The one that ended first: the events are sorted by their ends. */
    for (size_t i = 0; i < count && shutdown == NULL; i++) {
        shutdown = events[i].what == EVENT_SHUT_DOWN ? &events[i] : NULL;
    }
    for (size_t i = 0; i < wait_count && shutdown != NULL; i++) {
        const event *join = waits[i].join;
        if (join->other > shutdown->end || (join->begin > shutdown->end && waits[i].waits_until > join->end)) {
            return complain("a caller joined after the pool was shut down", shutdown, join);
        }
    }
    return NULL;
}

const char *check_waiters(const event *events, size_t count) {
    const event **found = malloc((count + 1) * sizeof *found);
    wait *waits = malloc((count + 1) * sizeof *waits);
    size_t found_count = 0, wait_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (concerns_waiter(events[i].what)) {
            found[found_count++] = &events[i];
        }
    }
    qsort(found, found_count, sizeof *found, by_ticket);
    const char *wrong = gather(found, found_count, waits, &wait_count);
    if (wrong == NULL) {
        qsort(waits, wait_count, sizeof *waits, by_join_end);
        wrong = check_order(waits, wait_count);
    }
    if (wrong == NULL) {
        wrong = check_new_callers(events, count, waits, wait_count);
    }
    if (wrong == NULL) {
        wrong = check_late_joins(events, count, waits, wait_count);
    }
    free(found);
    free(waits);
    return wrong;
}
