/* SPDX-License-Identifier: Apache-2.0 */

/* The atomic operations of the core under exploration. Under sequential consistency memory is what it is. */
#include "memory.h"

#include "atomics.h"
#include "heap.h"
#include "memory_models.h"
#include "scheduler.h"

memory_model model;
void (*memory_watcher)(const char *operation, const void *cell, uint64_t value);

static void watch(const char *operation, const void *cell, uint64_t value) {
    if (memory_watcher != NULL && threads_run()) {
        memory_watcher(operation, cell, value);
    }
}

void memory_reset(void) {
    tso_reset();
    if (model == MEMORY_VIEW) {
        views_reset();
    }
}

void memory_send(unsigned channel) {
    if (threads_run() && model == MEMORY_VIEW) {
        views_send(this_thread(), channel);
    } else if (threads_run()) {
        memory_drain(this_thread());
    }
}

void memory_receive(unsigned channel) {
    if (threads_run() && model == MEMORY_VIEW) {
        views_receive(this_thread(), channel);
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
        view_store(this_thread(), cell, value, release);
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

bool explored_cas_pair(bp_atomic64 *cells, uint64_t *expected, const uint64_t *desired) {
    REQUIRE(model != MEMORY_VIEW, "pairs are not part of the view model");
    begin_modify(cells);
    if (cells[0].value != expected[0] || cells[1].value != expected[1]) {
        expected[0] = cells[0].value;
        expected[1] = cells[1].value;
        watch("cas of a pair failed", cells, *expected);
        return false;
    }
    cells[0].value = desired[0];
    cells[1].value = desired[1];
    watch("cas of a pair", cells, *desired);
    return true;
}
