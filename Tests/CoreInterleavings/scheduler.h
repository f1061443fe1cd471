/*
 * Runs the threads of one scenario under one schedule.
 *
 * A schedule is a sequence of decisions: which thread continues, which value a load sees, which buffered store becomes
 * visible. At each decision option 0 is the plain one (the same thread continues, the newest value). A replay string
 * contains only the other options.
 */
#ifndef EXPLORER_SCHEDULER_H
#define EXPLORER_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_THREADS 5
#define NOBODY UINT32_MAX
#define MAX_DECISIONS 65536

/* How decisions are made. */
typedef enum {
    BY_DEPTH_FIRST, /* All schedules with at most `bound` departures from option 0 where that could have been taken. */
    BY_PRIORITIES,  /* PCT: the thread of highest priority runs; at a few random steps it becomes the lowest. */
    BY_CHANCE,      /* A random option at each decision. */
    BY_REPLAY,      /* The decisions in a string. */
} policy;

typedef struct {
    unsigned threads;
    void (*body)(unsigned thread);
    unsigned frozen_thread;               /* NOBODY: no thread is frozen. */
    unsigned frozen_after;                /* The number of its steps before that. */
    void (*when_frozen)(unsigned thread); /* Called when the other threads can do no more. Then the thread continues. */
} program;

/* Sets the decisions of the following runs. */
void schedule_depth_first(unsigned bound);
bool schedule_next_depth_first(void); /* Returns false after the last one. */
void schedule_at_random(policy how, uint64_t seed, unsigned depth, unsigned expected_steps);
bool schedule_replay(const char *decisions);
/* Writes the decisions of the last run that were not option 0, in the form that replay reads. */
void schedule_write(char *text, size_t size);

/* Runs until no thread can continue. Returns false if a check failed: see failure_text. */
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
/* Blocks until *flag is not 0. */
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
