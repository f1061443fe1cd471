/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The view model is the operational reading of C11's release, acquire and relaxed (as in "A Promising Semantics",
 * POPL 2017, without promises): each location keeps its last values, numbered; a thread's view says how old a value it
 * may still see at each location. A release store carries the thread's view, and an acquire load takes it over; a
 * relaxed store carries only what the thread knew at its last full barrier, and a relaxed load keeps what it was given
 * until the next one. A read-modify-write is a full barrier, as the backend's contract says: it exchanges views with
 * all others that came before it. Older values at a load model both a store that comes late and a load that came early.
 * Not modelled: a plain store that loses against another thread's read-modify-write of the same cell that came later
 * (that is what TSO is for), and values out of thin air.
 */
#include "memory_models.h"

#include "memory.h"
#include "scheduler.h"

#include <string.h>

#define LOCATIONS 256
#define KEPT 8 /* Values of one location that can still be seen. */
#define HASH_SIZE 1024

typedef struct {
    uint16_t at[LOCATIONS];
} view;

typedef struct {
    const bp_atomic64 *cell;
    uint16_t newest;
    uint64_t value[KEPT];
    view carried[KEPT];
} location;

static location locations[LOCATIONS];
static unsigned location_count;
static uint16_t hashed[HASH_SIZE]; /* Index + 1. */
static view views[MAX_THREADS];
static view at_barrier[MAX_THREADS]; /* The view at the thread's last full barrier. */
static view not_yet[MAX_THREADS];    /* What relaxed loads were given since. */
static view barrier;                 /* What all read-modify-writes so far have known. */
static view channels[MEMORY_CHANNELS];

void views_reset(void) {
    location_count = 0;
    memset(hashed, 0, sizeof hashed);
    memset(views, 0, sizeof views);
    memset(at_barrier, 0, sizeof at_barrier);
    memset(not_yet, 0, sizeof not_yet);
    memset(channels, 0, sizeof channels);
    memset(&barrier, 0, sizeof barrier);
}

static void join(view *into, const view *from) {
    for (unsigned i = 0; i < location_count; i++) {
        into->at[i] = into->at[i] > from->at[i] ? into->at[i] : from->at[i];
    }
}

static location *find(const bp_atomic64 *cell) {
    unsigned slot = (unsigned)(((uintptr_t)cell >> 3) * 2654435761u) % HASH_SIZE;
    while (hashed[slot] != 0) {
        if (locations[hashed[slot] - 1].cell == cell) {
            return &locations[hashed[slot] - 1];
        }
        slot = (slot + 1) % HASH_SIZE;
    }
    REQUIRE(location_count < LOCATIONS, "the explorer has room for %d locations only", LOCATIONS);
    location *made = &locations[location_count++];
    hashed[slot] = (uint16_t)location_count;
    made->cell = cell;
    made->newest = 0;
    made->value[0] = cell->value;
    memset(&made->carried[0], 0, sizeof made->carried[0]);
    return made;
}

uint64_t view_load(unsigned thread, const bp_atomic64 *cell, bool acquire) {
    location *it = find(cell);
    unsigned at = (unsigned)(it - locations);
    unsigned oldest = views[thread].at[at];
    if (oldest + KEPT <= it->newest) {
        oldest = it->newest - KEPT + 1u;
    }
    unsigned seen = it->newest - choose(it->newest - oldest + 1);
    views[thread].at[at] = (uint16_t)seen;
    join(acquire ? &views[thread] : &not_yet[thread], &it->carried[seen % KEPT]);
    return it->value[seen % KEPT];
}

static void view_append(unsigned thread, location *it, uint64_t value, const view *carried) {
    unsigned at = (unsigned)(it - locations), index = ++it->newest % KEPT;
    views[thread].at[at] = it->newest;
    it->value[index] = value;
    it->carried[index] = *carried;
    it->carried[index].at[at] = it->newest;
    ((bp_atomic64 *)it->cell)->value = value;
}

void view_store(unsigned thread, bp_atomic64 *cell, uint64_t value, bool release) {
    view_append(thread, find(cell), value, release ? &views[thread] : &at_barrier[thread]);
}

void view_modify(unsigned thread, bp_atomic64 *cell, uint64_t value) {
    location *it = find(cell);
    join(&views[thread], &it->carried[it->newest % KEPT]);
    join(&views[thread], &not_yet[thread]);
    join(&views[thread], &barrier);
    view_append(thread, it, value, &views[thread]);
    barrier = at_barrier[thread] = views[thread];
}

void view_look(unsigned thread, const bp_atomic64 *cell) {
    location *it = find(cell);
    views[thread].at[it - locations] = it->newest;
    join(&views[thread], &it->carried[it->newest % KEPT]);
}

void views_send(unsigned thread, unsigned channel) {
    join(&channels[channel % MEMORY_CHANNELS], &views[thread]);
}

void views_receive(unsigned thread, unsigned channel) {
    join(&views[thread], &channels[channel % MEMORY_CHANNELS]);
}
