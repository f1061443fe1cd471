/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The decisions of a schedule: who goes on, which value a load sees, which buffered store becomes visible.
 *
 * At each decision option 0 is the plain one (the same thread goes on, the newest value), and in a replay string only
 * the others are written down.
 */
#ifndef EXPLORER_DECISIONS_H
#define EXPLORER_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_DECISIONS 65536

/* How decisions are made. */
typedef enum {
    BY_DEPTH_FIRST, /* All schedules with at most `bound` departures from option 0 where that could have been taken. */
    BY_PRIORITIES,  /* PCT: the thread of highest priority runs; at a few random steps it becomes the lowest. */
    BY_CHANCE,      /* A random walk. */
    BY_REPLAY,      /* As a string says. */
} policy;

/* For one run after another. */
void schedule_depth_first(unsigned bound);
bool schedule_next_depth_first(void); /* False: that was all of them. */
void schedule_at_random(policy how, uint64_t seed, unsigned depth, unsigned expected_steps);
bool schedule_replay(const char *decisions);
/* The decisions of the last run that were not plain, as replay takes them. */
void schedule_write(char *text, size_t size);

/* For the scheduler. */

/* Before each run. */
void decisions_begin(void);
/*
 * Takes a decision: which of the options. is_free: the current thread could not go on, so another one is no departure.
 * preferred: what a random policy wants.
 */
unsigned decide(unsigned options, bool is_free, unsigned preferred);
/* What a random policy wants of ways on that are not another thread's; 0 under other policies. */
unsigned preferred_choice(unsigned options);
/* What a random policy wants if no way is plainer than another. */
unsigned any_choice(unsigned options);
/* The same of threads, and behind the runnable ones of store buffers. */
unsigned preferred_thread(const unsigned *options, unsigned runnable, unsigned count, unsigned current,
                          bool current_can_run);
/* Between these, all decisions are plain, and they are no part of the schedule. */
void decisions_set_aside(void);
void decisions_go_on(void);

#endif
