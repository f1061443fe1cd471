/*
 * What one thread does to a pool that it shares with others: leases, returns, waits, cancels, opens, fails to open,
 * closes, resizes, in random order, and reconciles as bp_pool.h tells.
 *
 * A wait blocks nobody: a thread has several under way and looks now and then what has become of them, so there are
 * more waiters than threads, and whoever makes a waiter go leaves the connection at its door. Opening and closing take
 * until a later step too.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "recorded_pool.h"

#include <stdatomic.h>

#define MOST_WAITS 4
#define MOST_IN_HAND 2
#define MAILBOX 4

/* What threads of one pool share beside it. */
typedef struct {
    /* Tickets for others to cancel. */
    _Atomic uint64_t mailbox[MAILBOX];
} meeting_place;

typedef enum { NO_WAIT, WAITING, SERVED, ENDED } wait_outcome;

typedef struct {
    bp_ticket ticket;
    bp_lease lease;      /* When served. */
    _Atomic int outcome; /* A wait_outcome. Written last by whoever makes it go. */
} wait;

/* A connection on its way in or out. */
typedef struct {
    bp_lease lease;
    bp_ticket ticket; /* Of whom it is opened for; 0: of the thread itself. */
} errand;

typedef struct {
    recorder calls;
    meeting_place *place;
    wait waits[MOST_WAITS];
    bp_lease held[MOST_IN_HAND];
    errand opening[MOST_IN_HAND], closing[MOST_IN_HAND];
    unsigned held_count, opening_count, closing_count;
    /* How eager it is, which changes now and then: of 64 steps so many lease, and so many waits it may have under way.
     */
    unsigned appetite, patience;
} driver;

void driver_create(driver *it, bp_pool *pool, meeting_place *place, uint64_t seed);

/* From now on it is more eager, or less. mood: a number that all threads share, so that all wait much, or none. */
void driver_change_mood(driver *it, uint64_t mood);

/* One thing at random. */
void driver_step(driver *it);

/* Shuts the pool down and sends away those who wait. */
void driver_shut_down(driver *it);

/* Ends what is under way and gives back what it has. To be called again when all other threads have done so too. */
void driver_finish(driver *it);

/* Makes all go whose time is up. */
void driver_expire_all(driver *it, uint64_t now);

#endif
