/* SPDX-License-Identifier: Apache-2.0 */

/* The table of what was explored. See table.h. */
#include "table.h"

#include "scenario.h"

#include <stdio.h>

static void print_bound(int bound, unsigned long count, char *text, size_t size) {
    snprintf(text, size, bound < 0 ? "%lu" : "%lu (all of %d)", count, bound);
}

static void print_row(const scenario *it, const result *found) {
    char stripes[16] = "-", depth_first[64], frozen[64], tso[64], view[64];
    if (found->stripes != 0) {
        snprintf(stripes, sizeof stripes, "%u", found->stripes);
    }
    print_bound(found->complete_bound, found->schedules, depth_first, sizeof depth_first);
    print_bound(found->frozen_bound, found->frozen, frozen, sizeof frozen);
    print_bound(found->tso_bound, found->tso, tso, sizeof tso);
    print_bound(found->view_bound, found->view, view, sizeof view);
    printf("%-30s %u %1s %18s %9lu %18s %18s %18s %6u  %s\n", it->name, it->threads, stripes, depth_first,
           found->by_chance, frozen, tso, view, found->most_steps, found->failed ? "FAILED" : "ok");
}

void print_table(const work *done, unsigned count, unsigned *passed, unsigned *failed) {
    printf("%-30s t s %18s %9s %18s %18s %18s %6s\n", "scenario", "depth first", "random", "frozen", "x86-TSO", "views",
           "steps");
    for (unsigned i = 0; i < count; i++) {
        const work *it = &done[i];
        for (unsigned layout = 0; layout < it->results; layout++) {
            print_row(it->scenario, &it->found[layout]);
        }
        if (it->begun) {
            bool good = it->results != 0 && !it->found[it->results - 1].failed;
            if (it->results == 0) {
                printf("%-30s %u CRASHED\n", it->scenario->name, it->scenario->threads);
            }
            *passed += good;
            *failed += !good;
        }
    }
    printf("t: threads. s: stripes, if not the scenario's own. all of N: all schedules with at most N preemptions\n");
}
