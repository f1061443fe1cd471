/*
 * What the scenarios are written in: the pool under exploration, callers that wait with a fake parker, the reconciling
 * loop as bp_pool.h documents it, and checks at every step that has an outcome.
 *
 * Connections know their owner, so that two owners of one are caught at once. Plain variables here are no scheduling
 * points and no part of the memory model: between two points a thread is alone.
 */
#ifndef EXPLORER_WORLD_H
#define EXPLORER_WORLD_H

#include "scheduler.h"

#include "include/CBurstPool.h"

#define MOST_WAITS 32
#define NO_OWNER 0
#define SET_UP_OWNER 1

/* How a wait ended, beside the pool's own words. */
#define RESUMED_OPEN_FAILED ((bp_status)1001)

typedef struct {
    unsigned index;
    unsigned thread; /* Whose wait it is. */
    bp_ticket ticket;
    bool prepared;        /* The ticket is there. */
    bp_status joined;     /* What bp_wait_join answered; BP_EMPTY before that. */
    bool cancelled_early; /* By a call that was told that it had not joined. */
    bool opened_for;      /* bp_begin_open named it. */
    uint64_t join_began;  /* Times are counts of events. */
    uint64_t join_ended;
    uint64_t requeued; /* When it was last sent back into the queue; UINT64_MAX while that is under way. */
    uint64_t deadline;
    int resumed;    /* How often. */
    bool parked;    /* A thread waits here; else the lease is taken back at the end. */
    bool picked_up; /* The lease has found its owner. */
    bp_status outcome;
    bp_lease lease;
} wait;

typedef struct {
    bp_pool *pool;
    uint64_t now;
    wait waits[MOST_WAITS];
    unsigned wait_count;
    bp_lease leases[8]; /* Leased while setting up, for threads to take over. */
    uint32_t stripes;
    unsigned greatest_limit;
    unsigned opens_to_fail;
    unsigned requeues;   /* So many of the waiters whose connection does not open are sent back into the queue. */
    unsigned opens_dead; /* So many connections turn out to be closed when they are looked at. */
    unsigned opened, closed;
    uint64_t timer;          /* The earliest time at which somebody has promised to call bp_expire. */
    uint64_t clock_base;     /* Added to all deadlines. */
    bool is_being_shut_down; /* bp_shutdown was called. */
    uint64_t shut_down_at;   /* It has returned. */
    uint64_t paused_at;      /* bp_pause has returned, and nobody has called bp_resume since; 0: not so. */
    uint32_t max_waiters;    /* 0: without limit. */
    bool checks_contents;
    uint64_t stamp;
    unsigned freeze_allowance; /* What a frozen thread may withhold: 1 unless the scenario hands it more. */
    unsigned counted;          /* For scenarios to count in. */
    void (*when_frozen)(unsigned thread); /* What the scenario checks then beside the rules; NULL: nothing. */
} world_state;

extern world_state world;

/* Setting up and ending, outside of threads. */
void forget_threads(void); /* Before each run. */
void world_create(uint32_t max_size, uint32_t hard_limit, uint32_t stripes);
void world_create_limited(uint32_t max_size, uint32_t hard_limit, uint32_t stripes, uint32_t max_waiters);
/* Excess connections stay idle until they are closed by a sweep. */
void world_create_keeping_excess(uint32_t max_size, uint32_t hard_limit, uint32_t stripes);
void add_idle(unsigned count);
void add_leased(unsigned count);    /* To world.leases. */
bp_lease surrender(unsigned index); /* One of world.leases, to code that does not track owners. */
void reclaim_leases(void);          /* Gives those back that no thread took over. */
void check_at_rest(void);
void check_frozen(unsigned thread);
/* Shuts the pool down, lets everybody finish, and sees that nothing is left. */
bool finish_world(void);

/* How many slots have an owner, or have been given to a waiter that has not gone on yet. */
unsigned slots_held(void);

/* Leases. */
bp_lease try_acquire(void);         /* bp_try_acquire; {NULL, 0} if there is none. */
void release_lease(bp_lease lease); /* Releases and reconciles. */
bool take_permit(bp_lease *permit); /* bp_begin_open_unrequested. */
bool open_with(bp_lease permit);    /* Opens; if that is to fail, cancels and reconciles, and answers false. */
bool acquire(bp_lease *lease);      /* The whole of it: take, or open, or wait. */
bool is_dead(bp_lease lease);       /* connectionIsClosed: counts opens_dead down. */
void discard(bp_lease lease);       /* Closes the connection and reconciles. */
void detach(bp_lease lease);
void reconcile(void);
void resize(uint32_t max_size, uint32_t hard_limit);
void shut_down(void);
void pause_pool(void);
void resume_pool(void);
/* A sweep: looks at up to so many idle connections, closes those that are dead; and then returns the others. */
void sweep_idle(unsigned count);
void sweep_some(unsigned count);
void end_sweep(void);
/* Looks at up to so many idle connections, and closes those that are in excess of max_size. */
void sweep_excess(unsigned count);
void own(bp_lease lease, bool is_open);
void disown(bp_lease lease);
bp_lease take_over(unsigned index); /* One of world.leases, from the set-up to this thread. */

/* Waits. */
wait *prepare(uint64_t deadline);    /* NULL: shut down. */
bool join_queue(wait *it);           /* And reconciles. False: not waiting. */
wait *add_waiter(uint64_t deadline); /* Joins while setting up; no thread waits. */
bool park(wait *it, bp_lease *lease);
void wait_and_release(void);    /* Joins without a deadline, parks, and gives the lease back. */
bool requeue(bp_ticket ticket); /* False: it has gone. */
bool cancel(wait *it);          /* True: it was this call that made it go. */
void expire(uint64_t time, size_t capacity);
void resume(wait *it, bp_status outcome, bp_lease lease);
bool is_waiting(const wait *it);

#endif
