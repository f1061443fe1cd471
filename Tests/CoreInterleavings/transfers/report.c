/* SPDX-License-Identifier: Apache-2.0 */

#include "report.h"

#include "chart.h"
#include "measure.h"

#include <limits.h>
#include <stdio.h>

static double sum(const measurement *it) {
    return sum_per_lease(it, ACQUIRING) + sum_per_lease(it, RELEASING);
}

static double both(const measurement *it, memory_use use) {
    return per_lease(it, ACQUIRING, use) + per_lease(it, RELEASING, use);
}

static void write_leases(FILE *page, interleaving order, uint64_t seed, chart *drawn) {
    static const contender *const contenders[] = {&joining_calls, &shared_stack, &mutex_and_array};
    fprintf(page, "| CPUs | this pool | one shared `ck_stack` | a mutex and an array |\n|---|---|---|---|\n");
    for (unsigned point = 0; point < CHART_POINTS; point++) {
        fprintf(page, "| %u", 1u << point);
        for (unsigned i = 0; i < 3; i++) {
            measurement it = measure_leases(contenders[i], 1u << point, 0, order, seed);
            fprintf(page, " | %.1f", sum(&it));
            if (drawn != NULL) {
                drawn->lines[i].values[point] = sum(&it);
            }
        }
        fprintf(page, " |\n");
    }
}

static void write_waits(FILE *page, interleaving order, uint64_t seed, chart *drawn) {
    fprintf(page,
            "| CPUs | a wait | a hand-off | both | of it stripes | queue | waiter's stack | slots | words | inside "
            "| a mutex: a wait | a hand-off | both |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned point = 0; point < CHART_POINTS; point++) {
        measurement ours = measure_waits(&joining_calls, 1u << point, 0, order, seed);
        measurement mutex = measure_waits(&mutex_and_array, 1u << point, 0, order, seed);
        fprintf(page,
                "| %u | %.1f | %.1f | **%.1f** | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | **%.1f** |\n",
                1u << point, sum_per_lease(&ours, ACQUIRING), sum_per_lease(&ours, RELEASING), sum(&ours),
                both(&ours, USE_STRIPES), both(&ours, USE_QUEUE), both(&ours, USE_STACKS), both(&ours, USE_SLOTS),
                both(&ours, USE_WORDS), both(&ours, USE_INSIDE), sum_per_lease(&mutex, ACQUIRING),
                sum_per_lease(&mutex, RELEASING), sum(&mutex));
        if (drawn != NULL) {
            drawn->lines[0].values[point] = sum(&ours);
            drawn->lines[1].values[point] = sum(&ours) - both(&ours, USE_STRIPES);
            drawn->lines[2].values[point] = sum(&mutex);
        }
    }
}

static void write_misses(FILE *page) {
    fprintf(page, "| stripes | loads of one search | of two searches, for a waiter |\n|---|---|---|\n");
    for (unsigned stripes = 1; stripes <= 1024; stripes *= 2) {
        miss_cost cost = count_miss(stripes);
        fprintf(page, "| %u | %llu | %llu |\n", stripes, (unsigned long long)cost.one_search,
                (unsigned long long)cost.two_searches);
    }
}

bool write_report(const char *folder, uint64_t seed) {
    char path[PATH_MAX];
    chart leases = {
        .title = "Transfers of cache lines per lease and release, by the number of CPUs",
        .unit = "transfers; simulated, one call at a time; less is better",
        .line_count = 3,
        .lines = {{.label = "this pool"}, {.label = "one shared ck_stack"}, {.label = "a mutex, an array"}}};
    chart waits = {.title = "Transfers of cache lines per wait and hand-off, by the number of CPUs",
                   .unit = "transfers; simulated, one call at a time; less is better",
                   .line_count = 3,
                   .lines = {{.label = "this pool"},
                             {.label = "this pool, without its stripes"},
                             {.label = "a mutex, an array, a list"}}};
    snprintf(path, sizeof path, "%s/transfers.md", folder);
    FILE *page = fopen(path, "w");
    if (page == NULL) {
        return false;
    }
    fprintf(page, "# Transfers of cache lines\n\n"
                  "Written by `make -C Tests/CoreInterleavings/transfers report`, which simulates 1 to 128 CPUs. Each "
                  "figure is a mean of 6,000 leases\nafter a warm-up. *By calls* means that one call runs at a time, "
                  "and *by steps* that all CPUs are inside calls all the time.\n\n"
                  "## A lease and its release\n\nEach CPU has a connection.\n\nBy calls:\n\n");
    write_leases(page, BY_CALLS, seed, &leases);
    fprintf(page, "\nBy steps:\n\n");
    write_leases(page, BY_STEPS, seed, NULL);
    fprintf(page, "\n## A wait and the hand-off that ends it\n\nEach CPU has a connection and 4 tasks, so that every "
                  "lease begins with a wait. The words are those that the fast path reads.\n\nBy calls:\n\n");
    write_waits(page, BY_CALLS, seed, &waits);
    fprintf(page, "\nBy steps:\n\n");
    write_waits(page, BY_STEPS, seed, NULL);
    fprintf(page, "\n## A miss\n\nThe atomic loads of a call that finds no idle connection.\n\n");
    write_misses(page);
    bool is_written = fclose(page) == 0;
    snprintf(path, sizeof path, "%s/transfers-lease.svg", folder);
    is_written = chart_write(&leases, path) && is_written;
    snprintf(path, sizeof path, "%s/transfers-wait.svg", folder);
    return chart_write(&waits, path) && is_written;
}
