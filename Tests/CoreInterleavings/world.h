/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The vocabulary of the scenarios: the pool under exploration, callers that wait with a fake parker, the reconciling
 * loop as bp_pool.h documents it, and checks at every step that has an outcome.
 *
 * Connections know their owner, so that a second owner is noticed immediately. Plain variables here are no scheduling
 * points, and no part of the memory model: between two points a thread is alone.
 */
#ifndef EXPLORER_WORLD_H
#define EXPLORER_WORLD_H

#include "registers.h"
#include "scheduler.h"

#include "include/CBurstPool.h"

#define MOST_WAITS 32
#define MOST_LEASE_NOTES 32
#define NO_OWNER 0
#define SET_UP_OWNER 1

/* Outcomes of a wait that are not statuses of the pool. */
#define RESUMED_OPEN_FAILED ((bp_status)1001)

#define MOST_REQUEST_DEADLINES 16

typedef struct {
    unsigned index;
    unsigned thread; /* The thread that waits. */
    bp_ticket ticket;
    bool prepared;        /* The ticket is valid. */
    bp_status joined;     /* The result of bp_wait_join; BP_EMPTY before that. */
    bool cancelled_early; /* By a call that found that it had not joined. */
    bool opened_for;      /* bp_begin_open has returned its ticket. */
    uint64_t join_began;  /* Times are counts of events. */
    uint64_t join_ended;
    uint64_t requeued; /* When it was last requeued; UINT64_MAX during the call. */
    uint64_t deadline;
    int resumed;    /* The number of times. */
    bool parked;    /* A thread waits here. Otherwise the end releases the lease. */
    bool picked_up; /* A thread has taken the lease. */
    bp_status outcome;
    bp_lease lease;
} wait;

/* A lease that a thread had. */
typedef struct {
    const bp_slot *slot;
    uint64_t began, ended; /* ended: 0 while it goes on. */
    uint64_t dated;        /* Its observation may have this time, of a call that was under way when it began. */
    bool is_latest;        /* Of its slot. */
    uint64_t observed;     /* With this time a call has observed it; 0: none. */
} lease_note;

typedef struct {
    bp_pool *pool;
    uint64_t now;
    wait waits[MOST_WAITS];
    unsigned wait_count;
    lease_note lease_notes[MOST_LEASE_NOTES];
    unsigned lease_count;
    uint64_t observing; /* The time of the observation that is under way; 0: none is. */
    bp_lease leases[8]; /* Leased while setting up, for threads to take over. */
    uint32_t stripes;
    unsigned greatest_limit;
    unsigned opens_to_fail;
    unsigned requeues;   /* The number of failed openings whose waiters are requeued. */
    unsigned opens_dead; /* The number of connections that are found closed. */
    unsigned opened, closed;
    uint64_t timer;          /* The earliest time at which a thread has promised to call bp_expire. */
    unsigned times_told;     /* How often a call told a thread such a time. */
    uint64_t clock_base;     /* Added to all deadlines. */
    bool is_being_shut_down; /* bp_shutdown was called. */
    uint64_t shut_down_at;   /* It has returned. */
    uint64_t paused_at;      /* bp_pause has returned, and nobody has called bp_resume since; 0: not so. */
    value_register limits;   /* Of limits_value. */
    value_register pauses;   /* Whether it is paused. */
    uint64_t request_deadlines[MOST_REQUEST_DEADLINES]; /* The deadlines that requests may have. */
    unsigned request_deadline_count;
    uint64_t expired_at;  /* The latest time with which bp_expire was called. */
    uint32_t max_waiters; /* 0: without limit. */
    bool keeps_excess;
    bool checks_contents;
    uint64_t stamp;
    unsigned freeze_allowance;            /* How much a frozen thread may withhold: 1 unless the scenario needs more. */
    unsigned counted;                     /* A counter for scenarios. */
    void (*when_frozen)(unsigned thread); /* The check of the scenario beside the rules; NULL: nothing. */
} world_state;

extern world_state world;

/* Instead of what the scenario chooses; 0: as it chooses. */
extern uint32_t explored_stripes;
/* What the scenario that was set up last has chosen. */
extern uint32_t stripes_of_scenario;

/* Setting up and ending, outside of threads. */
void forget_threads(void); /* Before each run. */
void world_create(uint32_t max_size, uint32_t hard_limit, uint32_t stripes);
void world_create_limited(uint32_t max_size, uint32_t hard_limit, uint32_t stripes, uint32_t max_waiters);
/* Keeps excess connections idle until a sweep closes them. */
void world_create_keeping_excess(uint32_t max_size, uint32_t hard_limit, uint32_t stripes);
void add_idle(unsigned count);
void add_leased(unsigned count);    /* To world.leases. */
bp_lease surrender(unsigned index); /* One of world.leases, to code that does not track owners. */
void reclaim_leases(void);          /* Releases the leases that no thread took over. */
void check_at_rest(void);
void check_frozen(unsigned thread);
/* Shuts the pool down, lets all threads finish, and checks that nothing is left. */
bool finish_world(void);

/* Returns the number of slots that have an owner, or were given to a waiter that has not continued yet. */
unsigned slots_held(void);

/* Leases. */
bp_lease try_acquire(void);         /* bp_try_acquire; {NULL, 0} if there is none. */
void release_lease(bp_lease lease); /* Releases and reconciles. */
bool take_permit(bp_lease *permit); /* bp_begin_open_unrequested. */
bool open_with(bp_lease permit);    /* Opens. If that must fail: cancels, reconciles, returns false. */
bool acquire(bp_lease *lease);      /* Acquires as a pool does: takes, opens or waits. */
bool is_dead(bp_lease lease);       /* connectionIsClosed: counts opens_dead down. */
void discard(bp_lease lease);       /* Closes the connection and reconciles. */
void detach(bp_lease lease);
void reconcile(void);
void resize(uint32_t max_size, uint32_t hard_limit); /* And reconciles. */
void set_limits(uint32_t max_size, uint32_t hard_limit);
uint64_t limits_value(uint32_t max_size, uint32_t hard_limit);
/* Around a call that shuts the pool down, so that the limits are known. */
void begin_shutdown(void);
void end_shutdown(void);
void shut_down(void);
void pause_pool(void);
void resume_pool(void);
/* Sweeps: looks at up to this many idle connections, closes the dead ones, and then returns the others. */
void sweep_idle(unsigned count);
void sweep_some(unsigned count);
void end_sweep(void);
/* Looks at up to this many idle connections, and closes the excess ones. */
void sweep_excess(unsigned count);
void own(bp_lease lease, bool is_open);
void disown(bp_lease lease);
bp_lease take_over(unsigned index); /* One of world.leases, from the set-up to this thread. */

/* Waits. */
wait *prepare(uint64_t deadline);    /* NULL: shut down. */
bool join_queue(wait *it);           /* And reconciles. False: not waiting. */
wait *add_waiter(uint64_t deadline); /* Joins during the set-up; no thread waits. */
bool park(wait *it, bp_lease *lease);
void wait_and_release(void);    /* Joins without a deadline, parks, and releases the lease. */
bool requeue(bp_ticket ticket); /* False: the waiter has left. */
bool cancel(wait *it);          /* True: this call has removed the waiter. */
void expire(uint64_t time, size_t capacity);
void resume(wait *it, bp_status outcome, bp_lease lease);
bool is_waiting(const wait *it);

#endif
