/* SPDX-License-Identifier: Apache-2.0 */

#include "promises.h"

#include "measure.h"

#include <stdio.h>

static const char *order_name(interleaving order) {
    return order == BY_CALLS ? "by calls" : "by steps";
}

static bool check_leases(const contender *it, unsigned cpus, interleaving order, uint64_t seed) {
    measurement leases = measure_leases(it, cpus, 0, order, seed);
    double transfers = sum_per_lease(&leases, ACQUIRING) + sum_per_lease(&leases, RELEASING);
    if (transfers == 0 && leases.waits == 0) {
        return true;
    }
    printf("FAILED %s on %u CPUs, %s: %.3f transfers per lease\n", it->name, cpus, order_name(order), transfers);
    return false;
}

static bool have_waited(const measurement *it) {
    if (it->waits * 10 >= it->leases * 9) {
        return true;
    }
    printf("FAILED only %.2f of the leases have waited\n", (double)it->waits / (double)it->leases);
    return false;
}

static bool check_waits(unsigned cpus, interleaving order, uint64_t seed) {
    double most = order == BY_CALLS ? MOST_PER_WAIT_BY_CALLS : MOST_PER_WAIT_BY_STEPS;
    measurement it = measure_waits(&joining_calls, cpus, 0, order, seed);
    if (!have_waited(&it)) {
        return false;
    }
    double transfers = sum_per_lease(&it, ACQUIRING) + sum_per_lease(&it, RELEASING);
    if (transfers <= most) {
        return true;
    }
    printf("FAILED %s on %u CPUs, %s: %.1f transfers per wait, of at most %.0f\n", joining_calls.name, cpus,
           order_name(order), transfers, most);
    return false;
}

static bool check_blocking_waits(unsigned cpus, interleaving order, uint64_t seed) {
    bool is_by_calls = order == BY_CALLS;
    double most = is_by_calls ? MOST_BESIDE_STRIPES_BY_CALLS : MOST_BESIDE_STRIPES_BY_STEPS;
    double most_of_stripes =
        MOST_STRIPES + cpus * (is_by_calls ? MOST_STRIPES_PER_CPU_BY_CALLS : MOST_STRIPES_PER_CPU_BY_STEPS);
    measurement it = measure_waits(&blocking_calls, cpus, 0, order, seed);
    double stripes = per_lease(&it, ACQUIRING, USE_STRIPES) + per_lease(&it, RELEASING, USE_STRIPES);
    double others = sum_per_lease(&it, ACQUIRING) + sum_per_lease(&it, RELEASING) - stripes;
    if (!have_waited(&it)) {
        return false;
    }
    if (others <= most && stripes <= most_of_stripes) {
        return true;
    }
    printf(
        "FAILED %u CPUs, %s: %.1f transfers of stripes per wait, of at most %.1f, and %.1f others, of at most %.0f\n",
        cpus, order_name(order), stripes, most_of_stripes, others, most);
    return false;
}

/* With one stripe for all CPUs, each lease is a transfer at least: shows that the check of leases can fail. */
static bool check_control(uint64_t seed) {
    measurement it = measure_leases(&checked_calls, 2, 1, BY_STEPS, seed);
    if (sum_per_lease(&it, ACQUIRING) >= 1) {
        return true;
    }
    printf("FAILED the control: one stripe for 2 CPUs has too few transfers\n");
    return false;
}

bool check_promises(uint64_t seed) {
    static const contender *const calls[] = {&joining_calls, &blocking_calls, &checked_calls, &exclusive_calls};
    bool is_good = check_control(seed);
    for (unsigned cpus = 1; is_good && cpus <= MOST_CPUS; cpus *= 2) {
        for (interleaving order = BY_CALLS; is_good && order <= BY_STEPS; order++) {
            for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
                is_good = check_leases(calls[i], cpus, order, seed) && is_good;
            }
            is_good = check_waits(cpus, order, seed) && is_good;
            is_good = check_blocking_waits(cpus, order, seed) && is_good;
        }
    }
    return is_good;
}
