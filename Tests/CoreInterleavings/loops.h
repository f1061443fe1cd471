/* SPDX-License-Identifier: Apache-2.0 */

/* Event loops for scenarios: drivers, requests, and threads that run a driver whenever it was posted to. */
#ifndef EXPLORER_LOOPS_H
#define EXPLORER_LOOPS_H

#include "world.h"

#define MOST_LOOPS 2
#define MOST_REQUESTS 4

typedef struct {
    bp_driver *driver; /* NULL when it has ended. */
    unsigned thread;   /* The thread that runs it. */
    int posted;
    bool has_timer;
    uint64_t timer; /* On the clock of bp__now. */
    unsigned timers_fired;
    bp_lease opening[4]; /* Begun by the open function, and not yet finished. */
    unsigned openings;
    bp_lease closing[4];
    unsigned closings;
    unsigned callers; /* The other threads inside calls for the driver that began before it was closed. */
    bool is_running;  /* Inside bp_driver_run. */
    bool is_closing;  /* bp_driver_close or bp_driver_shutdown was called. */
    bool has_ended;
} loop;

/* What a scenario knows about a request, whose own memory is overwritten as soon as it is done. */
typedef struct {
    bp_request request;
    loop *loop;
    bp_status submitted; /* What bp_request_submit returned; BP_EMPTY before that. */
    int done;            /* How often done was called. */
    bp_status status;
    int error;
    bp_lease lease;
    uint64_t latest; /* The deadline, or a later time; known when bp_request_submit has returned. */
    bool is_given;   /* done was called with a lease that was not yet given up. */
    bool keeps;      /* done does not release the lease: the scenario does. */
    bool is_cancelled;
} explored_request;

extern loop loops[MOST_LOOPS];
extern explored_request requests[MOST_REQUESTS];
extern int fail_opens_with;      /* An errno for the next attempts; 0: they succeed. */
extern unsigned opens_to_refuse; /* The number of attempts that fail with it. */
extern bool destroys_pool;       /* The end of a driver destroys the pool, which must succeed. */
extern bool finishes_inside;     /* open and close finish at once, inside the callback. */

/* To be called outside of threads. */
void loops_create(unsigned count); /* Loop n is run by thread n. */

void submit(unsigned request, unsigned loop_index, uint64_t timeout);
void cancel_request(unsigned request);

/* Runs the loop until this number of its requests are done, and then until its driver is closed. */
void run_loop_to_end(unsigned loop_index, unsigned requests_of_it);
/* Runs the loop until this number of connections have been closed. */
void run_loop_until_closed(unsigned loop_index, unsigned closed);
/* Shuts the pool down, and runs the loop until the driver has ended. */
void shut_loop_down(unsigned loop_index);
/* Creates a new driver for a loop whose driver has ended. */
void reopen_loop(unsigned loop_index);
/* Gives up the lease of a request that keeps its lease, if it was given one. */
void release_kept(unsigned request);

void close_for_thread(void *element, void *context); /* A close function for the blocking calls. */
void thread_acquires_and_releases(uint64_t timeout);
void thread_releases(bp_lease lease);

/* For checks at rest: shuts the pool down through its first open driver, runs all loops until they have ended, and
 * destroys the pool. */
void loops_check_and_end(void);

#endif
