/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Many runs of one scenario: depth first, at random, with a frozen thread, and under each memory model; with the
 * scenario's own number of stripes, with one, and with fewer stripes than threads.
 *
 * How much is explored is counted in runs and not in time, so that it does not depend on the machine.
 */
#ifndef EXPLORER_EXPLORING_H
#define EXPLORER_EXPLORING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct scenario scenario;

typedef struct {
    uint32_t stripes;        /* 0: as many as the scenario chooses. */
    unsigned long schedules; /* Depth first, all bounds, sequentially consistent. */
    int complete_bound;      /* All schedules within this many preemptions were run; -1: not even those without. */
    unsigned long by_chance, frozen, tso, view;
    int frozen_bound, tso_bound, view_bound;
    unsigned most_steps;
    bool failed;
} result;

/* A scenario is explored with at most so many numbers of stripes. */
#define MOST_LAYOUTS 3

/* Whether the view model is explored, too. */
extern bool explores_views;

/*
 * Explores a scenario with each number of stripes. runs: how many for each of them, at most. Stops at the first run
 * that fails. Returns the number of results.
 */
unsigned explore_scenario(const scenario *it, unsigned long runs, uint64_t seed, result found[MOST_LAYOUTS]);

#endif
