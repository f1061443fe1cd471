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
    unsigned frozen_thread;               /* NOBODY: none is. */
    unsigned frozen_after;                /* So many of its steps. */
    void (*when_frozen)(unsigned thread); /* The others can do no more: look, then it thaws. */
} program;

/* Runs until no thread can go on. False if a check failed: see failure_text. */
bool run(const program *it);
/* Lets the threads that run left blocked go on, one after the other; to be called after whatever unblocks them. */
bool run_on(void);

extern char failure_text[512];
extern unsigned run_steps; /* Atomic operations of all threads. */
extern unsigned thread_steps[MAX_THREADS];

/* For the code under exploration. */

/* A scheduling point. Only when threads run; else it returns at once. */
void point(void);
/* False while setting up and checking: then operations take effect at once and are no points. */
bool threads_run(void);
/* Between these, a thread looks at memory as a check does. */
void look_begin(void);
void look_end(void);
unsigned this_thread(void); /* NOBODY outside. */
/* Chooses one of several ways on that are not another thread's: 0 is the plain one. */
unsigned choose(unsigned options);
/* The same where no way is plainer than another: a random schedule prefers none. */
unsigned choose_evenly(unsigned options);
/* Goes on when *flag is not 0. */
void block_until(const int *flag);
/* Goes on when *flag is not 0 or, whenever the scheduler likes, without it: a wait with a timeout. */
void block_for_a_while(const int *flag);
bool thread_is_blocked(unsigned thread);

/* Runs a check outside of threads. False if it failed. */
bool passes(void (*check)(void));

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define REQUIRE(condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail(__VA_ARGS__);                                                                                         \
        }                                                                                                              \
    } while (0)

#endif
