/*
 * The three memory models.
 *
 * SC needs no state. TSO has a store buffer for each thread.
 *
 * The view model is the operational form of C11's release, acquire and relaxed (as in "A Promising Semantics", POPL
 * 2017, without promises). Each location keeps its last values, with numbers. A thread's view says how old a value it
 * may still see at each location. A release store carries the thread's view, and an acquire load takes it over. A
 * relaxed store carries only what the thread knew at its last full barrier, and a relaxed load keeps the view that it
 * got until the next full barrier. A read-modify-write is a full barrier, as the contract of the backend says: it
 * exchanges views with all read-modify-writes before it. Older values at a load model both a store that comes late and
 * a load that came early.
 *
 * Not modelled: a plain store that loses against a later read-modify-write of another thread on the same cell (TSO
 * covers that), and values out of thin air.
 */
#include "memory.h"

#include "atomics.h"
#include "heap.h"
#include "scheduler.h"

#include <string.h>

memory_model model;
void (*memory_watcher)(const char *operation, const void *cell, uint64_t value);

static void watch(const char *operation, const void *cell, uint64_t value) {
    if (memory_watcher != NULL && threads_run()) {
        memory_watcher(operation, cell, value);
    }
}

/* Store buffers. */

#define BUFFER_SIZE 16

typedef struct {
    bp_atomic64 *cell;
    uint64_t value;
} pending_store;

static pending_store buffers[MAX_THREADS][BUFFER_SIZE];
static unsigned buffered[MAX_THREADS];

bool memory_has_pending(unsigned thread) {
    return buffered[thread] != 0;
}

void memory_flush_one(unsigned thread) {
    buffers[thread][0].cell->value = buffers[thread][0].value;
    buffered[thread]--;
    memmove(buffers[thread], buffers[thread] + 1, buffered[thread] * sizeof(pending_store));
}

void memory_drain(unsigned thread) {
    while (buffered[thread] != 0) {
        memory_flush_one(thread);
    }
}

void memory_drain_all(void) {
    for (unsigned thread = 0; thread < MAX_THREADS; thread++) {
        memory_drain(thread);
    }
}

static uint64_t tso_load(unsigned thread, const bp_atomic64 *cell) {
    for (unsigned i = buffered[thread]; i-- > 0;) {
        if (buffers[thread][i].cell == cell) {
            return buffers[thread][i].value;
        }
    }
    return cell->value;
}

static void tso_store(unsigned thread, bp_atomic64 *cell, uint64_t value) {
    if (buffered[thread] == BUFFER_SIZE) {
        memory_flush_one(thread);
    }
    buffers[thread][buffered[thread]++] = (pending_store){cell, value};
}

/* Views. */

#define LOCATIONS 256
#define KEPT 8 /* The number of values of one location that can still be seen. */
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
static view not_yet[MAX_THREADS];    /* The views that relaxed loads got since then. */
static view barrier;                 /* The views of all read-modify-writes so far. */
static view channels[MEMORY_CHANNELS];

void memory_reset(void) {
    memset(buffered, 0, sizeof buffered);
    if (model == MEMORY_VIEW) {
        location_count = 0;
        memset(hashed, 0, sizeof hashed);
        memset(views, 0, sizeof views);
        memset(at_barrier, 0, sizeof at_barrier);
        memset(not_yet, 0, sizeof not_yet);
        memset(channels, 0, sizeof channels);
        memset(&barrier, 0, sizeof barrier);
    }
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

static uint64_t view_load(unsigned thread, const bp_atomic64 *cell, bool acquire) {
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

/* A read-modify-write that succeeds. */
static void view_modify(unsigned thread, bp_atomic64 *cell, uint64_t value) {
    location *it = find(cell);
    join(&views[thread], &it->carried[it->newest % KEPT]);
    join(&views[thread], &not_yet[thread]);
    join(&views[thread], &barrier);
    view_append(thread, it, value, &views[thread]);
    barrier = at_barrier[thread] = views[thread];
}

/* A read-modify-write that fails: an acquire load. */
static void view_look(unsigned thread, const bp_atomic64 *cell) {
    location *it = find(cell);
    views[thread].at[it - locations] = it->newest;
    join(&views[thread], &it->carried[it->newest % KEPT]);
}

void memory_send(unsigned channel) {
    if (threads_run() && model == MEMORY_VIEW) {
        join(&channels[channel % MEMORY_CHANNELS], &views[this_thread()]);
    } else if (threads_run()) {
        memory_drain(this_thread());
    }
}

void memory_receive(unsigned channel) {
    if (threads_run() && model == MEMORY_VIEW) {
        join(&views[this_thread()], &channels[channel % MEMORY_CHANNELS]);
    }
}

/* The operations. During set-up and checks they act on memory directly. */

uint64_t explored_load(const bp_atomic64 *cell, bool acquire) {
    if (!threads_run()) {
        return cell->value;
    }
    point();
    heap_require_alive(cell);
    uint64_t value = model == MEMORY_VIEW  ? view_load(this_thread(), cell, acquire)
                     : model == MEMORY_TSO ? tso_load(this_thread(), cell)
                                           : cell->value;
    watch("load", cell, value);
    return value;
}

void explored_store(bp_atomic64 *cell, uint64_t value, bool release) {
    if (!threads_run()) {
        cell->value = value;
        return;
    }
    point();
    heap_require_alive(cell);
    if (model == MEMORY_VIEW) {
        view_append(this_thread(), find(cell), value, release ? &views[this_thread()] : &at_barrier[this_thread()]);
    } else if (model == MEMORY_TSO) {
        tso_store(this_thread(), cell, value);
    } else {
        cell->value = value;
    }
    watch("store", cell, value);
}

/* Called before a read-modify-write reads the cell. */
static void begin_modify(const bp_atomic64 *cell) {
    if (threads_run()) {
        point();
        heap_require_alive(cell);
        memory_drain(this_thread());
    }
}

static void end_modify(bp_atomic64 *cell, uint64_t value) {
    if (threads_run() && model == MEMORY_VIEW) {
        view_modify(this_thread(), cell, value);
    } else {
        cell->value = value;
    }
}

bool explored_cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    begin_modify(cell);
    if (cell->value != *expected) {
        *expected = cell->value;
        if (threads_run() && model == MEMORY_VIEW) {
            view_look(this_thread(), cell);
        }
        watch("cas failed", cell, *expected);
        return false;
    }
    end_modify(cell, desired);
    watch("cas", cell, desired);
    return true;
}

uint64_t explored_exchange(bp_atomic64 *cell, uint64_t value) {
    begin_modify(cell);
    uint64_t before = cell->value;
    end_modify(cell, value);
    watch("exchange", cell, value);
    return before;
}

uint64_t explored_add(bp_atomic64 *cell, uint64_t delta) {
    begin_modify(cell);
    uint64_t before = cell->value;
    end_modify(cell, before + delta);
    watch("add", cell, before + delta);
    return before;
}
