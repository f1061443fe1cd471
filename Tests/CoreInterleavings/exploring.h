/* Many runs of one scenario: depth first, at random, with a frozen thread, and under each memory model. */
#ifndef EXPLORER_EXPLORING_H
#define EXPLORER_EXPLORING_H

#include "scenario.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned long schedules; /* Depth first, all bounds, sequentially consistent. */
    int complete_bound;      /* All schedules within this many preemptions were run; -1: not even those without. */
    unsigned long by_chance, frozen, tso, view;
    int frozen_bound, tso_bound, view_bound;
    unsigned most_steps;
    bool failed;
} result;

/* False if a run failed. seconds: of the processor. */
bool explore_scenario(const scenario *it, double seconds, uint64_t seed, result *found);

#endif
