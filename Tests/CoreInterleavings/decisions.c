/* SPDX-License-Identifier: Apache-2.0 */

/* Which decision is taken: depth first, at random, or as a schedule says. See decisions.h. */
#include "decisions.h"

#include "scheduler.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint16_t options;
    uint16_t taken;
    uint16_t spent; /* Departures before this one. */
    bool is_free;   /* The current thread could not go on, so another one is no departure. */
} decision;

static policy how;
static decision trail[MAX_DECISIONS];
static unsigned trail_length, fixed_length, spent, bound;
static uint64_t random_state;
static unsigned change_points[8], change_count, switch_chance, weak_chance;
static unsigned priorities[MAX_THREADS];
static unsigned replayed[1024][2], replay_length, replay_next;

static uint64_t next_random(void) {
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool by_chance(unsigned percent) {
    return next_random() % 100 < percent;
}

void schedule_depth_first(unsigned departures) {
    how = BY_DEPTH_FIRST;
    bound = departures;
    fixed_length = 0;
}

bool schedule_next_depth_first(void) {
    for (unsigned i = trail_length; i-- > 0;) {
        unsigned cost = trail[i].is_free ? 0 : 1;
        if (trail[i].taken + 1 < trail[i].options && trail[i].spent + cost <= bound) {
            trail[i].taken++;
            fixed_length = i + 1;
            return true;
        }
    }
    return false;
}

void schedule_at_random(policy chosen, uint64_t seed, unsigned depth, unsigned expected_steps) {
    how = chosen;
    random_state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    change_count = depth < 8 ? depth : 8;
    for (unsigned i = 0; i < change_count; i++) {
        change_points[i] = (unsigned)(next_random() % (expected_steps + 1));
    }
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        priorities[i] = 100 + (unsigned)(next_random() % 1000);
    }
    static const unsigned chances[] = {2, 5, 15, 40};
    switch_chance = chances[next_random() % 4];
    weak_chance = chances[next_random() % 4];
}

bool schedule_replay(const char *text) {
    how = BY_REPLAY;
    replay_length = 0;
    while (*text != '\0' && *text != '\n' && *text != '-') {
        char *end;
        unsigned long at = strtoul(text, &end, 10);
        if (*end != '.' || replay_length == 1024) {
            return false;
        }
        unsigned long option = strtoul(end + 1, &end, 10);
        replayed[replay_length][0] = (unsigned)at;
        replayed[replay_length++][1] = (unsigned)option;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

void schedule_write(char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < trail_length && length + 32 < size; i++) {
        if (trail[i].taken != 0) {
            length +=
                (size_t)snprintf(text + length, size - length, "%s%u.%u", length == 0 ? "" : ",", i, trail[i].taken);
        }
    }
    if (length == 0) {
        snprintf(text, size, "-");
    }
}

unsigned decide(unsigned options, bool is_free, unsigned preferred) {
    if (options <= 1) {
        return 0;
    }
    if (trail_length == MAX_DECISIONS) {
        fail("more decisions than the explorer remembers");
    }
    decision *it = &trail[trail_length];
    unsigned taken = 0;
    if (how == BY_DEPTH_FIRST) {
        taken = trail_length < fixed_length ? it->taken : 0;
        if (trail_length < fixed_length && it->options != options) {
            fail("the explorer is not deterministic");
        }
    } else if (how == BY_REPLAY) {
        while (replay_next < replay_length && replayed[replay_next][0] < trail_length) {
            replay_next++;
        }
        if (replay_next < replay_length && replayed[replay_next][0] == trail_length) {
            /* After a change to the core an old schedule may not fit any more: go on plainly then. */
            taken = replayed[replay_next][1] < options ? replayed[replay_next][1] : 0;
        }
    } else {
        taken = preferred;
    }
    *it = (decision){(uint16_t)options, (uint16_t)taken, (uint16_t)spent, is_free};
    trail_length++;
    spent += taken != 0 && !is_free;
    return taken;
}

static bool decides_at_random(void) {
    return how == BY_PRIORITIES || how == BY_CHANCE;
}

unsigned preferred_choice(unsigned options) {
    return decides_at_random() && by_chance(weak_chance) ? (unsigned)(next_random() % options) : 0;
}

unsigned any_choice(unsigned options) {
    return decides_at_random() ? (unsigned)(next_random() % options) : 0;
}

/* For a random policy: which of the runnable threads should go on. The current one comes first if it can run. */
static unsigned preferred_runnable(const unsigned *options, unsigned count, unsigned current, bool current_can_run) {
    if (how == BY_CHANCE) {
        return current_can_run && !by_chance(switch_chance) ? 0 : (unsigned)(next_random() % count);
    }
    for (unsigned i = 0; i < change_count; i++) {
        if (change_points[i] == run_steps && current < MAX_THREADS) {
            priorities[current] = i;
        }
    }
    unsigned best = 0;
    for (unsigned i = 1; i < count; i++) {
        if (options[i] < MAX_THREADS && priorities[options[i]] > priorities[options[best]]) {
            best = i;
        }
    }
    return best;
}

unsigned preferred_thread(const unsigned *options, unsigned runnable, unsigned count, unsigned current,
                          bool current_can_run) {
    if (!decides_at_random()) {
        return 0;
    }
    return count > runnable && by_chance(weak_chance) ? runnable + (unsigned)(next_random() % (count - runnable))
                                                      : preferred_runnable(options, runnable, current, current_can_run);
}

void decisions_begin(void) {
    trail_length = spent = replay_next = 0;
}

static policy how_before;
static unsigned length_before;

void decisions_set_aside(void) {
    how_before = how;
    length_before = trail_length;
    how = BY_REPLAY;
    replay_next = replay_length;
}

void decisions_go_on(void) {
    how = how_before;
    trail_length = length_before;
}
