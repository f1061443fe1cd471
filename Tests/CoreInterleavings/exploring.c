/* SPDX-License-Identifier: Apache-2.0 */

/* Many runs of one scenario. See exploring.h. */
#include "exploring.h"

#include "decisions.h"
#include "memory.h"
#include "running.h"

/* Depth first up to so many preemptions, even if there is room for more runs. */
#define MOST_PREEMPTIONS 8
#define MOST_PREEMPTIONS_FROZEN 4
#define MOST_PREEMPTIONS_WEAK 4

bool explores_views = true;

static bool run_and_note(result *it) {
    it->failed = !run_and_report();
    it->most_steps = run_steps > it->most_steps ? run_steps : it->most_steps;
    return !it->failed;
}

/* All schedules of one bound after the other, until `runs` were run. False if one failed. */
static bool explore_depth_first(result *it, unsigned long runs, unsigned last, unsigned long *count, int *complete) {
    for (unsigned bound = 0; bound <= last; bound++) {
        schedule_depth_first(bound);
        do {
            if (*count >= runs) {
                return true;
            }
            if (!run_and_note(it)) {
                return false;
            }
            ++*count;
        } while (schedule_next_depth_first());
        *complete = (int)bound;
    }
    return true;
}

static void freeze_somewhere(const result *it, uint64_t seed) {
    uint64_t mixed = seed * UINT64_C(0x9e3779b97f4a7c15);
    frozen_thread = (unsigned)(mixed >> 32) % exploring->threads;
    frozen_after = (unsigned)(mixed >> 40) % (it->most_steps / exploring->threads + 1);
}

static void at_random(const result *it, uint64_t seed) {
    schedule_at_random(seed % 3 == 0 ? BY_CHANCE : BY_PRIORITIES, seed, 1 + (unsigned)(seed % 5), it->most_steps);
}

/* Under the weak models every fourth run has a frozen thread as well. */
static bool explore_at_random(result *it, unsigned long runs, uint64_t seed, unsigned long *count) {
    for (unsigned long i = 0; i < runs; i++, seed++) {
        frozen_thread = NOBODY;
        if (model != MEMORY_SC && seed % 4 == 0 && !exploring->is_not_frozen) {
            freeze_somewhere(it, seed);
        }
        at_random(it, seed);
        if (!run_and_note(it)) {
            return false;
        }
        ++*count;
    }
    frozen_thread = NOBODY;
    return true;
}

/* One thread, after so many of its steps, in all orders within the bound. False: a failure, or enough was run. */
static bool explore_frozen_there(result *it, unsigned long runs, unsigned bound, bool *reached) {
    schedule_depth_first(bound);
    do {
        if (it->frozen >= runs || !run_and_note(it)) {
            return false;
        }
        it->frozen++;
        *reached = *reached || thread_steps[frozen_thread] > frozen_after;
    } while (schedule_next_depth_first());
    return true;
}

static bool explore_frozen_everywhere(result *it, unsigned long runs, unsigned bound) {
    for (frozen_thread = 0; frozen_thread < exploring->threads; frozen_thread++) {
        bool reached = true;
        for (frozen_after = 0; reached; frozen_after++) {
            reached = false;
            if (!explore_frozen_there(it, runs, bound, &reached)) {
                return false;
            }
        }
    }
    return true;
}

/* Each thread at each of its steps, in all orders without preemptions, with one, and so on: three quarters of the runs.
 * Then anywhere in random schedules. */
static bool explore_frozen(result *it, unsigned long runs, uint64_t seed) {
    for (unsigned bound = 0; bound <= MOST_PREEMPTIONS_FROZEN && explore_frozen_everywhere(it, runs - runs / 4, bound);
         bound++) {
        it->frozen_bound = (int)bound;
    }
    for (unsigned long i = 0; i < runs / 4 && !it->failed; i++, seed++) {
        freeze_somewhere(it, seed);
        at_random(it, seed);
        run_and_note(it);
        it->frozen++;
    }
    frozen_thread = NOBODY;
    return !it->failed;
}

static bool explore_weak(result *it, memory_model weak, unsigned long runs, uint64_t seed, unsigned long *count,
                         int *complete) {
    model = weak;
    return explore_depth_first(it, runs / 2, MOST_PREEMPTIONS_WEAK, count, complete) &&
           explore_at_random(it, runs / 2, seed, count);
}

/* The scenario with this number of stripes. */
static bool explore_layout(result *it, uint32_t stripes, unsigned long runs, uint64_t seed) {
    *it = (result){.stripes = stripes, .complete_bound = -1, .frozen_bound = -1, .tso_bound = -1, .view_bound = -1};
    explored_stripes = stripes;
    frozen_thread = NOBODY;
    model = MEMORY_SC;
    if (exploring->threads == 1) {
        /* Nobody else sees in which order its stores come. */
        bool good = explore_depth_first(it, runs / 2, MOST_PREEMPTIONS, &it->schedules, &it->complete_bound) &&
                    explore_at_random(it, runs / 2, seed, &it->by_chance);
        explored_stripes = 0;
        return good;
    }
    bool good = explore_depth_first(it, runs * 3 / 10, MOST_PREEMPTIONS, &it->schedules, &it->complete_bound) &&
                explore_at_random(it, runs / 5, seed, &it->by_chance) &&
                (exploring->is_not_frozen || explore_frozen(it, runs / 5, seed)) &&
                explore_weak(it, MEMORY_TSO, runs * 3 / 20, seed, &it->tso, &it->tso_bound) &&
                (!explores_views || explore_weak(it, MEMORY_VIEW, runs * 3 / 20, seed, &it->view, &it->view_bound));
    model = MEMORY_SC;
    explored_stripes = 0;
    return good;
}

unsigned explore_scenario(const scenario *which, unsigned long runs, uint64_t seed, result found[MOST_LAYOUTS]) {
    exploring = which;
    unsigned count = 0;
    if (!explore_layout(&found[count++], 0, runs, seed)) {
        return count;
    }
    uint32_t own = stripes_of_scenario;
    if (own != 1 && !explore_layout(&found[count++], 1, runs, seed)) {
        return count;
    }
    if (own != 2 && which->threads > 2) {
        explore_layout(&found[count++], 2, runs, seed);
    }
    return count;
}
