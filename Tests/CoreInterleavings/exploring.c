/* Many runs of one scenario. See exploring.h. */
#include "exploring.h"

#include "decisions.h"
#include "memory.h"
#include "running.h"

#include <time.h>

/* Of the processor, so that a busy machine explores no less. */
static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool run_and_note(result *it) {
    it->failed = !run_and_report();
    it->most_steps = run_steps > it->most_steps ? run_steps : it->most_steps;
    return !it->failed;
}

/* All schedules of one bound after the other, until the time is over. */
static bool explore_depth_first(result *it, double until, unsigned first, unsigned last, unsigned long *count,
                                int *complete) {
    for (unsigned bound = first; bound <= last; bound++) {
        schedule_depth_first(bound);
        do {
            if (!run_and_note(it)) {
                return false;
            }
            ++*count;
            if (*count % 16 == 0 && seconds_now() > until) {
                return true;
            }
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

/* Under the weak models every fourth run has a frozen thread as well. */
static bool explore_at_random(result *it, double until, uint64_t seed, unsigned long *count) {
    for (; seconds_now() < until; seed++) {
        frozen_thread = NOBODY;
        if (model != MEMORY_SC && seed % 4 == 0 && !exploring->is_not_frozen) {
            freeze_somewhere(it, seed);
        }
        schedule_at_random(seed % 3 == 0 ? BY_CHANCE : BY_PRIORITIES, seed, 1 + (unsigned)(seed % 5), it->most_steps);
        if (!run_and_note(it)) {
            return false;
        }
        ++*count;
    }
    frozen_thread = NOBODY;
    return true;
}

/* One thread, after so many of its steps, in all orders within the bound. False: a failure, or the time is over. */
static bool explore_frozen_there(result *it, double until, unsigned bound, bool *reached) {
    schedule_depth_first(bound);
    do {
        if (!run_and_note(it)) {
            return false;
        }
        it->frozen++;
        *reached = *reached || thread_steps[frozen_thread] > frozen_after;
        if (seconds_now() > until) {
            return false;
        }
    } while (schedule_next_depth_first());
    return true;
}

static bool explore_frozen_everywhere(result *it, double until, unsigned bound) {
    for (frozen_thread = 0; frozen_thread < exploring->threads; frozen_thread++) {
        bool reached = true;
        for (frozen_after = 0; reached; frozen_after++) {
            reached = false;
            if (!explore_frozen_there(it, until, bound, &reached)) {
                return false;
            }
        }
    }
    return true;
}

/* Each thread at each of its steps, in all orders without preemptions, with one, ...; then anywhere in random
 * schedules. */
static bool explore_frozen(result *it, double until, uint64_t seed) {
    double until_all = until - (until - seconds_now()) / 4;
    for (unsigned bound = 0; bound <= 4 && explore_frozen_everywhere(it, until_all, bound); bound++) {
        it->frozen_bound = (int)bound;
    }
    for (; !it->failed && seconds_now() < until; seed++) {
        freeze_somewhere(it, seed);
        schedule_at_random(seed % 3 == 0 ? BY_CHANCE : BY_PRIORITIES, seed, 1 + (unsigned)(seed % 4), it->most_steps);
        run_and_note(it);
        it->frozen++;
    }
    frozen_thread = NOBODY;
    return !it->failed;
}

bool explore_scenario(const scenario *which, double seconds, uint64_t seed, result *it) {
    exploring = which;
    double start = seconds_now();
    frozen_thread = NOBODY;
    *it = (result){.complete_bound = -1, .frozen_bound = -1, .tso_bound = -1, .view_bound = -1};
    model = MEMORY_SC;
    if (!explore_depth_first(it, start + seconds * 0.3, 0, 8, &it->schedules, &it->complete_bound) ||
        !explore_at_random(it, start + seconds * 0.5, seed, &it->by_chance)) {
        return false;
    }
    if (!exploring->is_not_frozen && !explore_frozen(it, start + seconds * 0.7, seed)) {
        return false;
    }
    for (model = MEMORY_TSO; model <= MEMORY_VIEW; model++) {
        unsigned long *count = model == MEMORY_TSO ? &it->tso : &it->view;
        int *complete = model == MEMORY_TSO ? &it->tso_bound : &it->view_bound;
        double until = start + seconds * (model == MEMORY_TSO ? 0.85 : 1.0);
        if (!explore_depth_first(it, (seconds_now() + until) / 2, 0, 4, count, complete) ||
            !explore_at_random(it, until, seed, count)) {
            return false;
        }
    }
    model = MEMORY_SC;
    return true;
}
