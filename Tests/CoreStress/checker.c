/* SPDX-License-Identifier: Apache-2.0 */

#include "checker.h"

static char complaint[2048];

static size_t describe(size_t at, const event *it) {
    if (it == NULL || at >= sizeof complaint) {
        return at;
    }
    return at + (size_t)snprintf(complaint + at, sizeof complaint - at,
                                 "\n  %s from %llu to %llu, slot %p, serial %llu, ticket %llu, values %llu and %llu",
                                 event_name(it->what), (unsigned long long)it->begin, (unsigned long long)it->end,
                                 it->what == EVENT_REST ? NULL : it->slot,
                                 it->what == EVENT_REST ? 0 : (unsigned long long)it->serial,
                                 it->what == EVENT_REST ? 0 : (unsigned long long)it->ticket,
                                 it->what == EVENT_REST ? 0 : (unsigned long long)it->value,
                                 it->what == EVENT_REST ? 0 : (unsigned long long)it->other);
}

const char *complain(const char *what, const event *one, const event *other) {
    size_t at = (size_t)snprintf(complaint, sizeof complaint, "%s", what);
    describe(describe(at, one), other);
    return complaint;
}

change change_by(event_kind what) {
    switch (what) {
    case EVENT_TAKE:
    case EVENT_TAKE_IDLE:
        return (change){.idle = -1, .in_use = +1};
    case EVENT_RELEASE:
        return (change){.in_use = -1, .idle = +1};
    case EVENT_BEGIN_OPEN:
    case EVENT_BEGIN_OPEN_UNREQUESTED:
        return (change){.opening = +1};
    case EVENT_FINISH_OPEN:
        return (change){.opening = -1, .in_use = +1};
    case EVENT_CANCEL_OPEN:
        return (change){.opening = -1};
    case EVENT_BEGIN_CLOSE:
    case EVENT_BEGIN_CLOSE_EXCESS:
        return (change){.in_use = -1, .closing = +1};
    case EVENT_FINISH_CLOSE:
        return (change){.closing = -1};
    case EVENT_DETACH:
        return (change){.in_use = -1};
    default:
        return (change){0};
    }
}

static int by_end(const void *left, const void *right) {
    const event *a = left, *b = right;
    return (a->end > b->end) - (a->end < b->end);
}

const char *check_history(event *events, size_t count, pool_limits first) {
    qsort(events, count, sizeof *events, by_end);
    const char *wrong = check_slots(events, count);
    wrong = wrong != NULL ? wrong : check_total(events, count, first);
    wrong = wrong != NULL ? wrong : check_waiters(events, count);
    return wrong != NULL ? wrong : check_rest(events, count, first);
}
