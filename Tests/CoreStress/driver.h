/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What one thread does to a pool that it shares with other threads: it acquires, releases, waits, cancels, opens,
 * fails to open, closes and resizes, in random order, and reconciles as bp_pool.h describes.
 *
 * A wait blocks no thread. A thread has several waits at the same time, and looks at their outcomes now and then, so
 * there are more waiters than threads. The thread that removes a waiter leaves the connection in the waiter's record.
 * Opens and closes also end in a later step.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "recorded_pool.h"

#include <stdatomic.h>

#define MOST_WAITS 4
#define MOST_IN_HAND 2
#define MAILBOX 4

/* What the threads of one pool share, besides the pool. */
typedef struct {
    /* Tickets for other threads to cancel. */
    _Atomic uint64_t mailbox[MAILBOX];
} meeting_place;

typedef enum { NO_WAIT, WAITING, SERVED, ENDED } wait_outcome;

typedef struct {
    bp_ticket ticket;
    bp_lease lease;      /* Valid if it was served. */
    _Atomic int outcome; /* A wait_outcome. Written last, by the thread that removes the waiter. */
} wait;

/* A connection that is being opened or closed. */
typedef struct {
    bp_lease lease;
    bp_ticket ticket; /* The waiter that it is opened for; 0: the thread itself. */
} errand;

typedef struct {
    recorder calls;
    meeting_place *place;
    wait waits[MOST_WAITS];
    bp_lease held[MOST_IN_HAND];
    errand opening[MOST_IN_HAND], closing[MOST_IN_HAND];
    unsigned held_count, opening_count, closing_count;
    /*
     * How eager the thread is, which changes now and then: how many of 64 steps acquire, and how many waits it may
     * have.
     */
    unsigned appetite, patience;
} driver;

void driver_create(driver *it, bp_pool *pool, meeting_place *place, uint64_t seed);

/*
 * Makes the thread more or less eager. mood: a number that all threads share, so that either all wait much or none
 * does.
 */
void driver_change_mood(driver *it, uint64_t mood);

/* Performs a random step. */
void driver_step(driver *it);

/* Shuts the pool down and removes the waiters. */
void driver_shut_down(driver *it);

/*
 * Ends everything that the thread has begun, and releases its leases. Call it again when all other threads have done
 * so.
 */
void driver_finish(driver *it);

/* Removes all waiters whose deadline has passed. */
void driver_expire_all(driver *it, uint64_t now);

#endif
