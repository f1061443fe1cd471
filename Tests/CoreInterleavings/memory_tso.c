/* SPDX-License-Identifier: Apache-2.0 */

/* x86-TSO: a store buffer for each thread. */
#include "memory_models.h"

#include "memory.h"
#include "scheduler.h"

#include <string.h>

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

uint64_t tso_load(unsigned thread, const bp_atomic64 *cell) {
    for (unsigned i = buffered[thread]; i-- > 0;) {
        if (buffers[thread][i].cell == cell) {
            return buffers[thread][i].value;
        }
    }
    return cell->value;
}

void tso_store(unsigned thread, bp_atomic64 *cell, uint64_t value) {
    if (buffered[thread] == BUFFER_SIZE) {
        memory_flush_one(thread);
    }
    buffers[thread][buffered[thread]++] = (pending_store){cell, value};
}

void tso_reset(void) {
    memset(buffered, 0, sizeof buffered);
}
