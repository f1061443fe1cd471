/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EXPLORER_SCENARIO_H
#define EXPLORER_SCENARIO_H

#include "world.h"

typedef struct scenario {
    const char *name;
    unsigned threads;
    void (*set_up)(void); /* Outside of threads; world_create first. */
    void (*body)(unsigned thread);
    /* Checks beyond the rules that hold everywhere. May be NULL. Called at rest, before the pool is shut down. */
    void (*check)(void);
    /* For threads for which others wait by contract, so that freezing them would say nothing about the core. */
    bool is_not_frozen;
} scenario;

extern const scenario leasing_scenarios[], opening_scenarios[], waiting_scenarios[], limit_scenarios[],
    excess_scenarios[], queue_scenarios[], deadline_scenarios[], sweep_scenarios[], requeue_scenarios[],
    rejection_scenarios[], pause_scenarios[], observation_scenarios[], blocking_scenarios[], ending_scenarios[],
    sequential_scenarios[], age_scenarios[], memory_scenarios[], callback_scenarios[], passing_on_scenarios[];

/* All of them, NULL at the end. */
extern const scenario *const suites[];
/* NULL if there is none of this name. */
const scenario *find_scenario(const char *name);

#endif
