/* SPDX-License-Identifier: Apache-2.0 */

/* What the core promises about transfers, for 1 to 128 CPUs. */
#ifndef TRANSFERS_PROMISES_H
#define TRANSFERS_PROMISES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A wait and the hand-off that ends it, as in the Swift pool: at most so many transfers at any number of CPUs, if one
 * call runs at a time; and if all CPUs are inside calls all the time, so that they make each other try again.
 */
#define MOST_PER_WAIT_BY_CALLS 16
#define MOST_PER_WAIT_BY_STEPS 120

/*
 * bp_acquire and bp_release_and_reconcile make each connection idle before a waiter gets it. A search of the stripes
 * finds those changed whose CPUs have handed off a connection since. So this part grows with the number of CPUs: at
 * most 4, and so many more for each CPU. Beside the stripes there is a limit, too.
 */
#define MOST_BESIDE_STRIPES_BY_CALLS 20
#define MOST_BESIDE_STRIPES_BY_STEPS 80
#define MOST_STRIPES 4
#define MOST_STRIPES_PER_CPU_BY_CALLS 0.3
#define MOST_STRIPES_PER_CPU_BY_STEPS 1.1

/* Checks the limits, and that a pool with one stripe exceeds them. Prints what is wrong. */
bool check_promises(uint64_t seed);

#endif
