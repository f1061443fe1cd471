/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decides whether a pool that executes each call at one moment between its begin and its end could have produced a
 * history.
 *
 * Calls that overlap may have happened in either order, so a rule is broken only if it is broken in every possible
 * order. The file that checks a rule says what that means for the rule:
 *
 *   check_slots.c    one owner at a time, nothing lost, each connection opened and closed once
 *   check_total.c    never more connections than the hard limit, no connection closed as excess unless it is
 *   check_waiters.c  first come, first served; no caller overtakes a waiter; each wait ends once
 *   check_rest.c     at rest: statistics are exact, no waiter waits beside what could serve it or after its deadline
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "history.h"

typedef struct {
    uint32_t max_size, hard_limit;
} pool_limits;

/*
 * Checks all events of one pool from its creation on, in any order. The call changes their order. first: the limits
 * that the pool was created with. Returns NULL, or a description of what is wrong, with the events that show it, which
 * is valid until the next call.
 */
const char *check_history(event *events, size_t count, pool_limits first);

/* The parts, each for events that are sorted by their ends. */
const char *check_slots(const event *events, size_t count);
const char *check_total(const event *events, size_t count, pool_limits first);
const char *check_waiters(const event *events, size_t count);
const char *check_rest(const event *events, size_t count, pool_limits first);

/* Returns a description of what is wrong, followed by up to two events that show it. */
const char *complain(const char *what, const event *one, const event *other);

/* Whether this event alone changes the state of the pool, and by how much in each state. */
typedef struct {
    int idle, in_use, opening, closing;
} change;

change change_by(event_kind what);

/* Returns whether the event is about a waiter, and so has a ticket. */
static inline bool concerns_waiter(event_kind what) {
    return what == EVENT_JOIN || what == EVENT_HAND_OFF || what == EVENT_CLAIM || what == EVENT_EXPIRE ||
           what == EVENT_BEGIN_OPEN;
}

static inline int total_changed_by(event_kind what) {
    change it = change_by(what);
    return it.idle + it.in_use + it.opening + it.closing;
}

/* The limits that were in force at each time. */
typedef struct {
    const event **resizes; /* Including shutdowns, sorted by their begins. */
    uint64_t *begins;      /* The begins of the resizes. */
    uint64_t *latest_end;  /* The latest end of each resize and all before it. */
    uint64_t *ends;        /* In ascending order. */
    uint64_t *superseded;  /* Parallel to the ends: the latest begin of the resizes that had ended by then. */
    size_t count;
    pool_limits first;
} limits_in_force;

void limits_create(limits_in_force *all, const event *events, size_t count, pool_limits first);
void limits_destroy(limits_in_force *all);
/* Returns the highest hard limit and the lowest soft limit that may have been in force. */
pool_limits limits_between(const limits_in_force *all, uint64_t begin, uint64_t end);

#endif
