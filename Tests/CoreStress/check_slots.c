/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Each slot goes through its states one after another, with one owner at a time.
 *
 * A thread that takes a slot certainly owns it from the end of that call until the beginning of the call that releases
 * it. These spans must not overlap. Serial numbers give the order of the owners, so it is enough to compare
 * neighbours: the later call must not have ended before the earlier one began. The states ensure that a connection is
 * opened once, passed from owner to owner, and closed once. Together this means that no connection is lost or closed
 * twice. The checks at rest find a connection that is forgotten at the end.
 *
 * What an owner left in the element must be what the next owner finds there.
 */
#include "checker.h"

typedef enum { VACANT, OPENING, LEASED, IDLE, CLOSING } slot_state;

/* The order of the calls that one owner can make, which have one serial number. */
static int rank(event_kind what) {
    switch (what) {
    case EVENT_TAKE:
    case EVENT_TAKE_IDLE:
    case EVENT_BEGIN_OPEN:
    case EVENT_BEGIN_OPEN_UNREQUESTED:
        return 0;
    case EVENT_FINISH_OPEN:
        return 1;
    case EVENT_BEGIN_CLOSE:
    case EVENT_BEGIN_CLOSE_EXCESS:
        return 2;
    default:
        return 3;
    }
}

static int by_slot_and_turn(const void *left, const void *right) {
    const event *a = *(const event *const *)left, *b = *(const event *const *)right;
    if (a->slot != b->slot) {
        return (uintptr_t)a->slot < (uintptr_t)b->slot ? -1 : 1;
    }
    if (a->serial != b->serial) {
        return a->serial < b->serial ? -1 : 1;
    }
    if (rank(a->what) != rank(b->what)) {
        return rank(a->what) - rank(b->what);
    }
    return (a->begin > b->begin) - (a->begin < b->begin);
}

/* The state that the slot must be in for this call, and its state afterwards. */
static slot_state state_before(event_kind what) {
    switch (what) {
    case EVENT_TAKE:
    case EVENT_TAKE_IDLE:
        return IDLE;
    case EVENT_BEGIN_OPEN:
    case EVENT_BEGIN_OPEN_UNREQUESTED:
        return VACANT;
    case EVENT_FINISH_OPEN:
    case EVENT_CANCEL_OPEN:
        return OPENING;
    case EVENT_FINISH_CLOSE:
        return CLOSING;
    default:
        return LEASED;
    }
}

static slot_state state_after(event_kind what) {
    switch (what) {
    case EVENT_BEGIN_OPEN:
    case EVENT_BEGIN_OPEN_UNREQUESTED:
        return OPENING;
    case EVENT_RELEASE:
        return IDLE;
    case EVENT_BEGIN_CLOSE:
    case EVENT_BEGIN_CLOSE_EXCESS:
        return CLOSING;
    case EVENT_CANCEL_OPEN:
    case EVENT_FINISH_CLOSE:
    case EVENT_DETACH:
        return VACANT;
    default:
        return LEASED;
    }
}

static const char *check_turns(const event **turns, size_t count) {
    const event *before = NULL;
    slot_state state = VACANT;
    for (size_t i = 0; i < count; before = turns[i], i++) {
        const event *it = turns[i];
        if (before == NULL || before->slot != it->slot) {
            before = NULL;
            state = VACANT;
        }
        if (state_before(it->what) != state) {
            return complain("a slot is not in the state for this call: it has two owners, or was lost", before, it);
        }
        if (before != NULL && it->end < before->begin) {
            return complain("a slot has its next owner before the previous one began to release it", before, it);
        }
        if (before != NULL && before->what == EVENT_RELEASE && before->value != it->value) {
            return complain("an owner does not find what the previous one left", before, it);
        }
        state = state_after(it->what);
    }
    return NULL;
}

const char *check_slots(const event *events, size_t count) {
    const event **turns = malloc(count * sizeof *turns);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        change by = change_by(events[i].what);
        if (by.idle != 0 || by.in_use != 0 || by.opening != 0 || by.closing != 0) {
            turns[used++] = &events[i];
        }
    }
    qsort(turns, used, sizeof *turns, by_slot_and_turn);
    const char *wrong = check_turns(turns, used);
    free(turns);
    return wrong;
}
