#ifndef EXPLORER_SCENARIO_H
#define EXPLORER_SCENARIO_H

#include "world.h"

typedef struct {
    const char *name;
    unsigned threads;
    void (*set_up)(void); /* Outside of threads; world_create first. */
    void (*body)(unsigned thread);
    /* Beyond the rules that hold everywhere; may be NULL. Called at rest, before the pool is shut down. */
    void (*check)(void);
    /* Not every thread can be frozen where others wait for it by contract, not by the core. */
    bool is_not_frozen;
} scenario;

extern const scenario leasing_scenarios[], opening_scenarios[], waiting_scenarios[], limit_scenarios[],
    excess_scenarios[], queue_scenarios[], deadline_scenarios[], sweep_scenarios[], requeue_scenarios[],
    rejection_scenarios[], pause_scenarios[], observation_scenarios[], blocking_scenarios[], ending_scenarios[],
    callback_scenarios[];

#endif
