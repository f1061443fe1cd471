/* SPDX-License-Identifier: Apache-2.0 */

/* What is measured: this core, and two things that one would write without it. */
#ifndef TRANSFERS_CONTENDER_H
#define TRANSFERS_CONTENDER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;
    /* Sets up so many idle connections, for so many CPUs. stripes: 0 for the number that a pool has by default. */
    void (*create)(unsigned connections, unsigned cpus, unsigned stripes);
    /* Acquires a connection, and waits if there is none and the contender can wait. */
    void (*acquire)(void);
    /* Releases what the task has acquired. */
    void (*release)(void);
} contender;

extern const contender joining_calls;   /* bp_wait_join, bp_release_to_waiter; as the Swift pool */
extern const contender blocking_calls;  /* bp_acquire, bp_release_and_reconcile */
extern const contender checked_calls;   /* bp_try_acquire, bp_release; cannot wait */
extern const contender exclusive_calls; /* bp_try_acquire, bp_release_exclusive; cannot wait */
extern const contender shared_stack;    /* Cannot wait. */
extern const contender mutex_and_array;

/* The atomic loads of one call that finds no idle connection. */
typedef struct {
    uint64_t one_search;   /* bp_try_acquire */
    uint64_t two_searches; /* bp_take_idle, on behalf of a waiter */
} miss_cost;

miss_cost count_miss(unsigned stripes);

#endif
