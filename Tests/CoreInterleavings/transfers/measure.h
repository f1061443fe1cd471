/* SPDX-License-Identifier: Apache-2.0 */

/* Measuring one contender on a number of simulated CPUs, after a warm-up. */
#ifndef TRANSFERS_MEASURE_H
#define TRANSFERS_MEASURE_H

#include "coherence.h"
#include "contender.h"
#include "cpus.h"

typedef struct {
    uint64_t leases;
    uint64_t waits;
    coherence_counts counts;
} measurement;

/* Transfers, for each lease. */
double per_lease(const measurement *it, activity what, memory_use use);
double sum_per_lease(const measurement *it, activity what);

/* Each CPU has one task and one connection. stripes: 0 for the number that a pool has by default. */
measurement measure_leases(const contender *it, unsigned cpus, unsigned stripes, interleaving order, uint64_t seed);

/* Four tasks for each connection, and one connection for each CPU: nearly every lease begins with a wait. */
measurement measure_waits(const contender *it, unsigned cpus, unsigned stripes, interleaving order, uint64_t seed);

#endif
