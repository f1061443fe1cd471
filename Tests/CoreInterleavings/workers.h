/* SPDX-License-Identifier: Apache-2.0 */

/* Explores many scenarios, in several processes at the same time. */
#ifndef EXPLORER_WORKERS_H
#define EXPLORER_WORKERS_H

#include "exploring.h"

#define MOST_WORK 512

/* A scenario to be explored, and what came of it. */
typedef struct {
    const scenario *scenario;
    const char *name;
    unsigned long runs;
    unsigned results; /* 0: it was not explored, or the explorer did not survive it. */
    result found[MOST_LAYOUTS];
    bool begun;
} work;

/* Explores the chosen scenarios, in this many processes. stop: ends after the first failure. */
const work *explore_all(const work *chosen, unsigned count, uint64_t seed, unsigned jobs, bool stop);

/* From now on, a crash is a failure: its schedule is printed and saved, and the process ends. */
void report_crashes(void);

#endif
