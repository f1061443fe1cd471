/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What threads did to a pool, and when: each call that had an effect, with the moments before and after it.
 *
 * Each thread writes its own log, so recording does not order the threads. The moments come from a clock on which all
 * CPUs agree: if one call had ended before another one began, its end is before the other's beginning.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "CBurstPool.h"

#include "require.h"

#include <time.h>

typedef enum {
    /* Calls on a slot. */
    EVENT_TAKE,       /* bp_try_acquire. value: what the previous owner left in the element. */
    EVENT_TAKE_IDLE,  /* bp_take_idle. The same. */
    EVENT_RELEASE,    /* bp_release, bp_release_exclusive, bp_return_idle. value: what is left in the element. */
    EVENT_BEGIN_OPEN, /* For the waiter of the ticket. */
    EVENT_BEGIN_OPEN_UNREQUESTED, /* For the caller. */
    EVENT_FINISH_OPEN,
    EVENT_CANCEL_OPEN,
    EVENT_BEGIN_CLOSE,
    EVENT_BEGIN_CLOSE_EXCESS,
    EVENT_FINISH_CLOSE,
    EVENT_DETACH,
    /* Calls on a waiter. */
    EVENT_JOIN, /* value: the deadline. other: when bp_wait_prepare began. */
    EVENT_HAND_OFF,
    EVENT_CLAIM,  /* bp_wait_claim that removed a waiter which had joined. */
    EVENT_EXPIRE, /* value: the current time that bp_expire was given. */
    /* Calls on the queue. */
    EVENT_FIND_NO_WAITER,         /* bp_has_waiters: no; bp_hand_off: empty. */
    EVENT_FIND_NO_WAITER_TO_OPEN, /* bp_begin_open: empty. */
    EVENT_FIND_NO_SLOT,           /* bp_begin_open: the limit is reached. */
    /* Calls on the pool. */
    EVENT_RESIZE, /* value: the soft limit, other: the hard one. */
    EVENT_SHUT_DOWN,
    EVENT_REST, /* No call was running. */
} event_kind;

const char *event_name(event_kind what);

typedef struct {
    uint64_t begin, end;
    event_kind what;
    union {
        struct {
            const void *slot;
            uint64_t serial;
            uint64_t ticket;
            uint64_t value, other;
        };
        struct {                    /* At rest: */
            uint64_t looked_until;  /* all waiters with a deadline up to then were removed, */
            uint64_t next_deadline; /* and this is the next deadline that the pool reported. */
            bp_pool_statistics statistics;
        };
    };
} event;

typedef struct {
    event *events;
    size_t count, capacity;
} history;

void history_create(history *log, size_t capacity);
void history_destroy(history *log);

/*
 * Returns the current moment in nanoseconds. Earlier operations of the program have happened, and later ones have not
 * begun: the reading is not moved across loads, on either side. On x86-64 that orders nothing that was not ordered
 * anyway.
 */
static inline uint64_t history_now(void) {
    struct timespec time;
#if defined(__aarch64__)
    __asm__ volatile("dsb ish" ::: "memory");
#endif
    clock_gettime(CLOCK_MONOTONIC, &time); /* Begins by waiting for the loads before it. */
#if defined(__x86_64__)
    __asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/*
 * Returns the next entry of a log. It counts when the caller has filled it in, because no other thread reads the log.
 */
static inline event *history_append(history *log, event_kind what, uint64_t begin, uint64_t end) {
    REQUIRE(log->count < log->capacity, "the log of a thread is full at %zu events", log->capacity);
    event *it = &log->events[log->count++];
    it->what = what;
    it->begin = begin;
    it->end = end;
    return it;
}

#endif
