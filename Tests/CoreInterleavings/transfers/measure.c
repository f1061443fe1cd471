/* SPDX-License-Identifier: Apache-2.0 */

#include "measure.h"

/* How often all tasks lease together: in the warm-up, and while it counts. */
#define WARM_UP_LEASES 20
#define COUNTED_LEASES 6000

static const contender *measured;
static uint64_t leases;
static uint64_t first_leases, last_leases;
static measurement result;

/* Begins or ends to count. The tasks go on in between, so that the beginning and the end are not counted. */
static void note_lease(void) {
    leases++;
    if (leases == first_leases) {
        counted = (coherence_counts){0};
        waits = 0;
    } else if (leases == last_leases) {
        result = (measurement){last_leases - first_leases, waits, counted};
    }
}

static void lease_again_and_again(unsigned task) {
    (void)task;
    while (leases < last_leases) {
        begin_activity(ACQUIRING);
        measured->acquire();
        between_calls();
        begin_activity(RELEASING);
        measured->release();
        note_lease();
        between_calls();
    }
}

static measurement measure(const contender *it, const simulation *run, unsigned stripes) {
    measured = it;
    leases = 0;
    first_leases = (uint64_t)WARM_UP_LEASES * run->cpus * run->tasks_per_cpu;
    last_leases = first_leases + COUNTED_LEASES;
    coherence_reset();
    it->create(run->cpus, run->cpus, stripes);
    simulate(run);
    return result;
}

measurement measure_leases(const contender *it, unsigned cpus, unsigned stripes, interleaving order, uint64_t seed) {
    const simulation run = {cpus, 1, lease_again_and_again, order, seed};
    return measure(it, &run, stripes);
}

measurement measure_waits(const contender *it, unsigned cpus, unsigned stripes, interleaving order, uint64_t seed) {
    const simulation run = {cpus, 4, lease_again_and_again, order, seed};
    return measure(it, &run, stripes);
}

double per_lease(const measurement *it, activity what, memory_use use) {
    return (double)it->counts.transfers[what][use] / (double)it->leases;
}

double sum_per_lease(const measurement *it, activity what) {
    double sum = 0;
    for (memory_use use = 0; use < USES; use++) {
        sum += per_lease(it, what, use);
    }
    return sum;
}
