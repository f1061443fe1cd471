/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tests the checker with histories that are written by hand. Each history that breaks a rule must be rejected for the
 * right reason. Histories that only seem to break one must be accepted.
 *
 * Moments are small numbers. Each case lists its events in order; S is a slot, T a ticket.
 */
#include "checker.h"

#include <string.h>

#define MOST_EVENTS 16

static char slots[4]; /* Only their addresses are used. */

typedef struct {
    const char *name;
    const char *wrong; /* The beginning of the complaint; NULL: none. */
    event events[MOST_EVENTS];
} example;

/* Events: begin, end, and other values. */
#define SLOT(KIND, FROM, UNTIL, S, SERIAL)                                                                             \
    { .what = EVENT_##KIND, .begin = FROM, .end = UNTIL, .slot = &slots[S], .serial = SERIAL }
#define LEFT(KIND, FROM, UNTIL, S, SERIAL, VALUE)                                                                      \
    { .what = EVENT_##KIND, .begin = FROM, .end = UNTIL, .slot = &slots[S], .serial = SERIAL, .value = VALUE }
#define OPEN_FOR(FROM, UNTIL, S, SERIAL, T)                                                                            \
    { .what = EVENT_BEGIN_OPEN, .begin = FROM, .end = UNTIL, .slot = &slots[S], .serial = SERIAL, .ticket = T }
#define WAITER(KIND, FROM, UNTIL, T)                                                                                   \
    { .what = EVENT_##KIND, .begin = FROM, .end = UNTIL, .ticket = T }
#define JOIN(FROM, UNTIL, T)                                                                                           \
    { .what = EVENT_JOIN, .begin = FROM, .end = UNTIL, .ticket = T, .value = BP_NO_DEADLINE }
#define TIMED(KIND, FROM, UNTIL, T, TIME)                                                                              \
    { .what = EVENT_##KIND, .begin = FROM, .end = UNTIL, .ticket = T, .value = TIME }
#define POOL(KIND, FROM, UNTIL)                                                                                        \
    { .what = EVENT_##KIND, .begin = FROM, .end = UNTIL }
#define RESIZE(FROM, UNTIL, SOFT, HARD)                                                                                \
    { .what = EVENT_RESIZE, .begin = FROM, .end = UNTIL, .value = SOFT, .other = HARD }
#define REST_UNTIL(AT, LOOKED, NEXT, IDLE, LEASED, OPENING, CLOSING, WAITING, SOFT, HARD)                              \
    {                                                                                                                  \
        .what = EVENT_REST, .begin = AT, .end = AT + 1, .looked_until = LOOKED, .next_deadline = NEXT, .statistics = { \
            .idle = IDLE,                                                                                              \
            .in_use = LEASED,                                                                                          \
            .opening = OPENING,                                                                                        \
            .closing = CLOSING,                                                                                        \
            .waiting = WAITING,                                                                                        \
            .max_size = SOFT,                                                                                          \
            .hard_limit = HARD                                                                                         \
        }                                                                                                              \
    }
#define REST(AT, IDLE, LEASED, OPENING, CLOSING, WAITING)                                                              \
    REST_UNTIL(AT, 0, BP_NO_DEADLINE, IDLE, LEASED, OPENING, CLOSING, WAITING, 2, 2)

/* A connection that is open and idle: serial 1, from 1 to 6. */
#define IDLE_CONNECTION(S)                                                                                             \
    SLOT(BEGIN_OPEN_UNREQUESTED, 1, 2, S, 1), SLOT(FINISH_OPEN, 3, 4, S, 1), SLOT(RELEASE, 5, 6, S, 1)
/* A connection that is in use: serial 1, from 1 to 4. */
#define LEASED_CONNECTION(S) SLOT(BEGIN_OPEN_UNREQUESTED, 1, 2, S, 1), SLOT(FINISH_OPEN, 3, 4, S, 1)

/* All pools are created with a soft and a hard limit of 2. */
static const example examples[] = {
    /* Slots. */
    {"leased twice in succession",
     NULL,
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 11, 0, 2), SLOT(RELEASE, 12, 13, 0, 2), SLOT(TAKE, 14, 15, 0, 3)}},
    {"taken while it is released",
     NULL,
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 11, 0, 2), SLOT(RELEASE, 20, 30, 0, 2), SLOT(TAKE, 15, 25, 0, 3)}},
    {"two owners, before the first one releases",
     "a slot has its next owner before",
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 11, 0, 2), SLOT(RELEASE, 30, 31, 0, 2), SLOT(TAKE, 20, 21, 0, 3)}},
    {"two owners with one serial",
     "a slot is not in the state",
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 20, 0, 2), SLOT(TAKE, 11, 21, 0, 2)}},
    {"two owners, neither of which releases",
     "a slot is not in the state",
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 11, 0, 2), SLOT(TAKE_IDLE, 30, 31, 0, 3)}},
    {"released twice",
     "a slot is not in the state",
     {IDLE_CONNECTION(0), SLOT(TAKE, 10, 11, 0, 2), SLOT(RELEASE, 12, 13, 0, 2), SLOT(RELEASE, 12, 13, 0, 2)}},
    {"a permit for a slot in use",
     "a slot is not in the state",
     {LEASED_CONNECTION(0), SLOT(BEGIN_OPEN_UNREQUESTED, 10, 11, 0, 2)}},
    {"closed twice",
     "a slot is not in the state",
     {LEASED_CONNECTION(0), SLOT(BEGIN_CLOSE, 10, 11, 0, 1), SLOT(FINISH_CLOSE, 12, 13, 0, 1),
      SLOT(FINISH_CLOSE, 14, 15, 0, 1)}},
    {"taken after it was closed",
     "a slot is not in the state",
     {LEASED_CONNECTION(0), SLOT(BEGIN_CLOSE, 10, 11, 0, 1), SLOT(FINISH_CLOSE, 12, 13, 0, 1),
      SLOT(TAKE, 14, 15, 0, 2)}},
    {"the next owner finds what the previous one left",
     NULL,
     {IDLE_CONNECTION(0), LEFT(TAKE, 10, 11, 0, 2, 0), LEFT(RELEASE, 12, 13, 0, 2, 7), LEFT(TAKE, 14, 15, 0, 3, 7)}},
    {"the next owner does not find what the previous one left",
     "an owner does not find",
     {IDLE_CONNECTION(0), LEFT(RELEASE, 12, 13, 0, 2, 7), LEFT(TAKE, 10, 11, 0, 2, 0), LEFT(TAKE, 14, 15, 0, 3, 6)}},

    /* Limits. */
    {"as many connections as allowed", NULL, {LEASED_CONNECTION(0), LEASED_CONNECTION(1)}},
    {"one connection too many",
     "a permit beyond the hard limit",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), SLOT(BEGIN_OPEN_UNREQUESTED, 10, 11, 2, 1)}},
    {"one more connection while another one closes",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), SLOT(BEGIN_CLOSE, 5, 6, 0, 1), SLOT(FINISH_CLOSE, 12, 20, 0, 1),
      SLOT(BEGIN_OPEN_UNREQUESTED, 10, 15, 2, 1)}},
    {"one more connection before the close has begun to end",
     "a permit beyond the hard limit",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), SLOT(BEGIN_CLOSE, 5, 6, 0, 1), SLOT(FINISH_CLOSE, 12, 20, 0, 1),
      SLOT(BEGIN_OPEN_UNREQUESTED, 9, 11, 2, 1)}},
    {"one more connection after the limit was raised",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), RESIZE(5, 6, 2, 3), SLOT(BEGIN_OPEN_UNREQUESTED, 10, 11, 2, 1)}},
    {"one more connection after the limit was lowered again",
     "a permit beyond the hard limit",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), RESIZE(5, 6, 2, 3), RESIZE(7, 8, 2, 2),
      SLOT(BEGIN_OPEN_UNREQUESTED, 10, 11, 2, 1)}},
    {"one more connection while the limit is lowered again",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), RESIZE(5, 6, 2, 3), RESIZE(7, 10, 2, 2),
      SLOT(BEGIN_OPEN_UNREQUESTED, 10, 11, 2, 1)}},
    {"closed as excess after the limit was lowered",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), RESIZE(5, 6, 1, 2), SLOT(BEGIN_CLOSE_EXCESS, 10, 11, 0, 1)}},
    {"closed as excess while none is",
     "a connection was closed as excess",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), SLOT(BEGIN_CLOSE_EXCESS, 10, 11, 0, 1)}},
    {"closed as excess beside a thread that looks for a waiter to open for",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), POOL(FIND_NO_WAITER_TO_OPEN, 9, 12),
      SLOT(BEGIN_CLOSE_EXCESS, 10, 11, 0, 1)}},
    {"two closed as excess while one is",
     "a connection was closed as excess",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), RESIZE(5, 6, 1, 2), SLOT(BEGIN_CLOSE_EXCESS, 10, 11, 0, 1),
      SLOT(BEGIN_CLOSE_EXCESS, 12, 13, 1, 1)}},

    /* Waiters. */
    {"served in the order of joining",
     NULL,
     {JOIN(1, 2, 1), JOIN(3, 4, 2), WAITER(HAND_OFF, 5, 6, 1), WAITER(HAND_OFF, 7, 8, 2)}},
    {"overtaken",
     "a waiter was served before an older one",
     {JOIN(1, 2, 1), JOIN(3, 4, 2), WAITER(HAND_OFF, 7, 8, 1), WAITER(HAND_OFF, 5, 6, 2)}},
    {"overtaken, and never served",
     "a waiter was served before an older one",
     {JOIN(1, 2, 1), JOIN(3, 4, 2), WAITER(HAND_OFF, 5, 6, 2)}},
    {"overtaken, and served by its own connection later",
     "a waiter was served before an older one",
     {JOIN(1, 2, 1), OPEN_FOR(3, 4, 0, 1, 1), JOIN(5, 6, 2), WAITER(HAND_OFF, 7, 8, 2), WAITER(CLAIM, 9, 10, 1)}},
    {"joined at the same time, served in either order",
     NULL,
     {JOIN(1, 4, 1), JOIN(2, 3, 2), WAITER(HAND_OFF, 7, 8, 1), WAITER(HAND_OFF, 5, 6, 2)}},
    {"served at the same time",
     NULL,
     {JOIN(1, 2, 1), JOIN(3, 4, 2), WAITER(HAND_OFF, 7, 9, 1), WAITER(HAND_OFF, 5, 8, 2)}},
    {"served while the older one leaves",
     NULL,
     {JOIN(1, 2, 1), JOIN(3, 4, 2), WAITER(CLAIM, 6, 9, 1), WAITER(HAND_OFF, 5, 7, 2)}},
    {"served before its join has ended", NULL, {JOIN(1, 9, 1), WAITER(HAND_OFF, 3, 4, 1)}},
    {"got its own connection before an older waiter",
     NULL,
     {JOIN(1, 2, 1), JOIN(3, 4, 2), OPEN_FOR(5, 6, 0, 1, 1), OPEN_FOR(7, 8, 1, 1, 2), WAITER(CLAIM, 9, 10, 2),
      WAITER(HAND_OFF, 11, 12, 1)}},
    {"permits in the order of joining",
     NULL,
     {JOIN(1, 2, 1), JOIN(3, 4, 2), OPEN_FOR(5, 6, 0, 1, 1), OPEN_FOR(7, 8, 1, 1, 2)}},
    {"overtaken by a permit",
     "a waiter got a permit before an older one",
     {JOIN(1, 2, 1), JOIN(3, 4, 2), OPEN_FOR(5, 6, 0, 1, 2), OPEN_FOR(7, 8, 1, 1, 1)}},
    {"two permits for one waiter",
     "two permits for one waiter",
     {JOIN(1, 2, 1), OPEN_FOR(5, 6, 0, 1, 1), OPEN_FOR(7, 8, 1, 1, 1)}},
    {"ended twice", "a wait ended twice", {JOIN(1, 2, 1), WAITER(CLAIM, 5, 6, 1), WAITER(HAND_OFF, 5, 7, 1)}},
    {"served, and never joined", "a waiter was found that had not joined", {WAITER(HAND_OFF, 5, 6, 1)}},
    {"served before it joined", "a waiter was found before it joined", {JOIN(7, 8, 1), WAITER(HAND_OFF, 5, 6, 1)}},
    {"joined twice", "a ticket joined twice", {JOIN(1, 2, 1), WAITER(HAND_OFF, 3, 4, 1), JOIN(7, 8, 1)}},
    {"expired in time", NULL, {TIMED(JOIN, 1, 2, 1, 50), TIMED(EXPIRE, 60, 61, 1, 60)}},
    {"expired before its deadline",
     "a wait ended before its deadline",
     {TIMED(JOIN, 1, 2, 1, 50), TIMED(EXPIRE, 40, 41, 1, 40)}},

    /* New callers. */
    {"taken when no caller waited any more",
     NULL,
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), WAITER(CLAIM, 10, 13, 1), SLOT(TAKE, 9, 12, 0, 2)}},
    {"taken although a caller waited",
     "a caller waited during the whole call",
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), WAITER(CLAIM, 13, 14, 1), SLOT(TAKE, 9, 12, 0, 2)}},
    {"taken although a caller waited, and still waits",
     "a caller waited during the whole call",
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), SLOT(TAKE, 9, 12, 0, 2)}},
    {"taken although two callers waited in succession",
     "a caller waited during the whole call",
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), JOIN(10, 11, 2), WAITER(CLAIM, 12, 13, 1), WAITER(CLAIM, 20, 21, 2),
      SLOT(TAKE, 9, 19, 0, 2)}},
    {"taken at the moment between two waits",
     NULL,
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), WAITER(CLAIM, 12, 13, 1), JOIN(12, 14, 2), SLOT(TAKE, 9, 19, 0, 2)}},
    {"taken although a connection was being opened for a waiter",
     "a caller waited during the whole call",
     {IDLE_CONNECTION(0), JOIN(7, 8, 1), OPEN_FOR(9, 10, 1, 1, 1), SLOT(TAKE, 11, 12, 0, 2)}},
    {"an unrequested permit, while the waiter has one",
     NULL,
     {JOIN(1, 2, 1), OPEN_FOR(3, 4, 0, 1, 1), SLOT(BEGIN_OPEN_UNREQUESTED, 5, 6, 1, 1)}},
    {"an unrequested permit, although a caller waits for one",
     "a caller waited during the whole call",
     {JOIN(1, 2, 1), SLOT(BEGIN_OPEN_UNREQUESTED, 5, 6, 1, 1)}},
    {"found no waiter when there was none", NULL, {POOL(FIND_NO_WAITER, 1, 2), JOIN(3, 4, 1)}},
    {"found no waiter although a caller waited",
     "a caller waited during the whole call",
     {JOIN(3, 4, 1), POOL(FIND_NO_WAITER, 5, 6)}},
    {"found no waiter to open for, because all have permits",
     NULL,
     {JOIN(1, 2, 1), OPEN_FOR(3, 4, 0, 1, 1), POOL(FIND_NO_WAITER_TO_OPEN, 5, 6)}},
    {"found no waiter to open for although a caller waited",
     "a caller waited during the whole call",
     {JOIN(1, 2, 1), POOL(FIND_NO_WAITER_TO_OPEN, 5, 6)}},

    /* Rest. */
    {"one idle at rest", NULL, {IDLE_CONNECTION(0), REST(10, 1, 0, 0, 0, 0)}},
    {"one in each state at rest",
     NULL,
     {RESIZE(0, 1, 4, 4), IDLE_CONNECTION(0), LEASED_CONNECTION(1), SLOT(BEGIN_OPEN_UNREQUESTED, 7, 8, 2, 1),
      SLOT(BEGIN_CLOSE, 9, 10, 1, 1), REST_UNTIL(20, 0, BP_NO_DEADLINE, 1, 0, 1, 1, 0, 4, 4)}},
    {"a lost connection", "at rest the pool reports", {IDLE_CONNECTION(0), REST(10, 0, 0, 0, 0, 0)}},
    {"a connection too many", "at rest the pool reports", {IDLE_CONNECTION(0), REST(10, 2, 0, 0, 0, 0)}},
    {"counted as in use after it was released",
     "at rest the pool reports",
     {IDLE_CONNECTION(0), REST(10, 0, 1, 0, 0, 0)}},
    {"a caller waits and is not counted",
     "at rest the pool reports",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), JOIN(7, 8, 1), REST(10, 0, 2, 0, 0, 0)}},
    {"a caller has left and is counted",
     "at rest the pool reports",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), JOIN(7, 8, 1), WAITER(CLAIM, 8, 9, 1), REST(10, 0, 2, 0, 0, 1)}},
    {"a caller waits, and all connections are in use",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), JOIN(7, 8, 1), REST(10, 0, 2, 0, 0, 1)}},
    {"left waiting beside an idle connection",
     "at rest a caller waits beside an idle connection",
     {IDLE_CONNECTION(0), LEASED_CONNECTION(1), JOIN(7, 8, 1), REST(10, 1, 1, 0, 0, 1)}},
    {"left waiting beside a free slot",
     "at rest a caller waits beside a free slot",
     {LEASED_CONNECTION(0), JOIN(7, 8, 1), REST(10, 0, 1, 0, 0, 1)}},
    {"waits for its own connection beside a free slot",
     NULL,
     {JOIN(7, 8, 1), OPEN_FOR(9, 10, 0, 1, 1), REST(20, 0, 0, 1, 0, 1)}},
    {"an excess connection left idle",
     "at rest an excess connection is idle",
     {IDLE_CONNECTION(0), IDLE_CONNECTION(1), RESIZE(7, 8, 1, 2),
      REST_UNTIL(10, 0, BP_NO_DEADLINE, 2, 0, 0, 0, 0, 1, 2)}},
    {"limits that were never set",
     "at rest the limits are not the latest ones",
     {RESIZE(7, 8, 1, 2), REST_UNTIL(10, 0, BP_NO_DEADLINE, 0, 0, 0, 0, 0, 2, 3)}},
    {"waits after its deadline",
     "at rest a caller waits after its deadline",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), TIMED(JOIN, 7, 8, 1, 50),
      REST_UNTIL(60, 55, 50, 0, 2, 0, 0, 1, 2, 2)}},
    {"the alarm is set too late",
     "at rest the next deadline is later",
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), TIMED(JOIN, 7, 8, 1, 50), TIMED(JOIN, 7, 8, 2, 70),
      REST_UNTIL(30, 0, 70, 0, 2, 0, 0, 2, 2, 2)}},
    {"the alarm is set in time",
     NULL,
     {LEASED_CONNECTION(0), LEASED_CONNECTION(1), TIMED(JOIN, 7, 8, 1, 50), TIMED(JOIN, 7, 8, 2, 70),
      REST_UNTIL(30, 0, 50, 0, 2, 0, 0, 2, 2, 2)}},

    /* After shutdown. */
    {"joined while it was shut down", NULL, {POOL(SHUT_DOWN, 5, 8), JOIN(7, 9, 1), WAITER(HAND_OFF, 10, 11, 1)}},
    {"joined after it was shut down",
     "a caller joined after the pool was shut down",
     {POOL(SHUT_DOWN, 5, 8), JOIN(9, 10, 1), WAITER(HAND_OFF, 20, 21, 1)}},
    {"joined after it was shut down, and removed meanwhile",
     NULL,
     {POOL(SHUT_DOWN, 5, 8), JOIN(9, 12, 1), WAITER(HAND_OFF, 11, 13, 1)}},
    {"prepared and joined after it was shut down, and removed meanwhile",
     "a caller joined after the pool was shut down",
     {POOL(SHUT_DOWN, 5, 8),
      {.what = EVENT_JOIN, .begin = 10, .end = 12, .ticket = 1, .other = 9, .value = BP_NO_DEADLINE},
      WAITER(HAND_OFF, 11, 13, 1)}},
    {"leased after it was shut down",
     "the pool leases or opens after it was shut down",
     {IDLE_CONNECTION(0), POOL(SHUT_DOWN, 7, 8), SLOT(TAKE, 9, 10, 0, 2)}},
    {"opened after it was shut down",
     "a permit beyond the hard limit",
     {POOL(SHUT_DOWN, 5, 8), SLOT(BEGIN_OPEN_UNREQUESTED, 9, 10, 0, 1)}},
};

static size_t count_events(const event *events) {
    size_t count = 0;
    while (count < MOST_EVENTS && events[count].end != 0) {
        count++;
    }
    return count;
}

int main(void) {
    unsigned failed = 0, refused = 0, count = sizeof examples / sizeof *examples;
    for (unsigned i = 0; i < count; i++) {
        const example *it = &examples[i];
        event events[MOST_EVENTS];
        memcpy(events, it->events, sizeof events);
        const char *wrong = check_history(events, count_events(events), (pool_limits){2, 2});
        bool is_right =
            it->wrong == NULL ? wrong == NULL : wrong != NULL && strncmp(wrong, it->wrong, strlen(it->wrong)) == 0;
        refused += wrong != NULL;
        if (!is_right) {
            failed++;
            fprintf(stderr, "%s: expected: %s\n  found: %s\n", it->name,
                    it->wrong == NULL ? "nothing wrong" : it->wrong, wrong == NULL ? "nothing wrong" : wrong);
        }
    }
    printf("%u histories, %u rejected, %u wrongly decided\n", count, refused, failed);
    return failed > 0;
}
