/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs the threads of one scenario under one schedule.
 *
 * At each scheduling point a decision is taken: see decisions.h.
 */
#ifndef EXPLORER_SCHEDULER_H
#define EXPLORER_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_THREADS 5
#define NOBODY UINT32_MAX

typedef struct {
    unsigned threads;
    void (*body)(unsigned thread);
    unsigned frozen_thread;               /* NOBODY: no thread is frozen. */
    unsigned frozen_after;                /* The number of its steps before that. */
    void (*when_frozen)(unsigned thread); /* Called when the other threads can do no more. Then the thread continues. */
} program;

/* Runs until no thread can go on. False if a check failed: see failure_text. */
bool run(const program *it);
/* Lets the blocked threads continue, one after the other. Call it after unblocking them. */
bool run_on(void);

extern char failure_text[512];
extern unsigned run_steps; /* Atomic operations of all threads. */
extern unsigned thread_steps[MAX_THREADS];

/* Functions for the code under exploration. */

/* A scheduling point. Returns immediately while no threads run. */
void point(void);
/* False during set-up and checks. Then operations take effect immediately and are no scheduling points. */
bool threads_run(void);
/* Between these two calls, a thread sees memory as a check does. */
void look_begin(void);
void look_end(void);
unsigned this_thread(void); /* NOBODY outside of threads. */
/* Chooses one of several continuations of the current thread. 0 is the plain one. */
unsigned choose(unsigned options);
/* The same where no way is plainer than another: a random schedule prefers none. */
unsigned choose_evenly(unsigned options);
/* Goes on when *flag is not 0. */
void block_until(const int *flag);
/* Blocks until *flag is not 0, or until the scheduler ends the wait: a wait with a timeout. */
void block_for_a_while(const int *flag);
bool thread_is_blocked(unsigned thread);

/* Runs a check outside of threads. Returns false if it failed. */
bool passes(void (*check)(void));

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define REQUIRE(condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail(__VA_ARGS__);                                                                                         \
        }                                                                                                              \
    } while (0)

#endif
