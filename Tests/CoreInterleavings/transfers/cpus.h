/* SPDX-License-Identifier: Apache-2.0 */

/* The simulated CPUs, and the tasks that run on them. */
#ifndef TRANSFERS_CPUS_H
#define TRANSFERS_CPUS_H

#include "coherence.h"

#include <stdbool.h>
#include <stdint.h>

/* When another CPU may go on. */
typedef enum {
    BY_CALLS, /* Between two calls: one call runs at a time. */
    BY_STEPS, /* Before each atomic operation: many calls run at the same time. */
} interleaving;

typedef struct {
    unsigned cpus;
    unsigned tasks_per_cpu; /* A task stays on its CPU. */
    void (*body)(unsigned task);
    interleaving order;
    uint64_t seed; /* Which CPU goes on is drawn at random. */
} simulation;

/* Runs until all tasks have ended. The program ends if the tasks wait for each other. */
void simulate(const simulation *it);

/* Functions for tasks. */

/* Between two calls. Another CPU may go on, or another task of this CPU. */
void between_calls(void);
/* Before each atomic operation. */
void before_operation(void);
/* Continues when what the task waits for is over. Another task of this CPU may run meanwhile. */
void sleep_until(bool (*is_over)(const void *what), const void *what);

/* What the task is doing from now on. */
void begin_activity(activity what);
activity this_activity(void);

/* The CPU of the task that runs; during the set-up what set_up_on says. */
unsigned this_cpu(void);
/* The number of the task that runs. */
unsigned this_task(void);
/* False during the set-up, which does not count. */
bool tasks_run(void);
void set_up_on(unsigned cpu);

/* How often tasks have begun to sleep in bp__parking_wait. */
extern uint64_t waits;

#endif
