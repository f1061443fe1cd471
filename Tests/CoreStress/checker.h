/*
 * Whether a history could have been produced by a pool that does each call at one moment between its begin and its end.
 *
 * Calls that overlap may have happened in either order, so a rule is broken only if it is broken however they happened.
 * What that means for each rule is said where the rule is checked:
 *
 *   check_slots.c    one owner at a time, nothing lost, each connection opened and closed once
 *   check_total.c   never more connections than the hard limit, none closed that is not excess
 *   check_waiters.c  first come first served, nobody overtakes a waiter, each wait ends once
 *   check_rest.c     at rest: statistics are exact, nobody waits beside what could serve it, no time has run out
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "history.h"

typedef struct {
    uint32_t max_size, hard_limit;
} pool_limits;

/*
 * All events of one pool from its creation on, in any order; the order is changed. first: the limits it was made with.
 * NULL, or what is wrong, with the events that show it, until the next call.
 */
const char *check_history(event *events, size_t count, pool_limits first);

/* The parts, each with the events sorted by their ends. */
const char *check_slots(const event *events, size_t count);
const char *check_total(const event *events, size_t count, pool_limits first);
const char *check_waiters(const event *events, size_t count);
const char *check_rest(const event *events, size_t count, pool_limits first);

/* What is wrong, followed by up to two events that show it. */
const char *complain(const char *what, const event *one, const event *other);

/* Whether the state of the pool is changed by this event alone, and by how many in each state. */
typedef struct {
    int idle, in_use, opening, closing;
} change;

change change_by(event_kind what);

/* Whether it is about a waiter: the event has a ticket. */
static inline bool concerns_waiter(event_kind what) {
    return what == EVENT_JOIN || what == EVENT_HAND_OFF || what == EVENT_CLAIM || what == EVENT_EXPIRE ||
           what == EVENT_BEGIN_OPEN;
}

static inline int total_changed_by(event_kind what) {
    change it = change_by(what);
    return it.idle + it.in_use + it.opening + it.closing;
}

/* Which limits were in force when. */
typedef struct {
    const event **resizes; /* Shutdowns too, by their begins. */
    uint64_t *begins;      /* Theirs. */
    uint64_t *latest_end;  /* Of each and those before it. */
    uint64_t *ends;        /* In ascending order. */
    uint64_t *superseded;  /* Parallel to the ends: the latest begin of those that had ended by then. */
    size_t count;
    pool_limits first;
} limits_in_force;

void limits_create(limits_in_force *all, const event *events, size_t count, pool_limits first);
void limits_destroy(limits_in_force *all);
/* The highest hard limit and the lowest soft limit that may have been in force. */
pool_limits limits_between(const limits_in_force *all, uint64_t begin, uint64_t end);

#endif
