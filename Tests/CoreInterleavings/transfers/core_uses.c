/* SPDX-License-Identifier: Apache-2.0 */

/* Not instrumented, and calls nothing that is, because it runs while an access is counted. */
#include "core_uses.h"

#include "coherence.h"

#include "pool.h"
#include "waiter_node.h"

static const bp_pool *pool;

static bool is_in(const void *address, const void *start, size_t size) {
    return (uintptr_t)address - (uintptr_t)start < size;
}

static bool is_in_table(const void *address, const bp_table *table) {
    for (unsigned chunk = 0; chunk < BP_TABLE_CHUNKS; chunk++) {
        const void *start = (const void *)(uintptr_t)table->chunks[chunk].value;
        if (start != NULL && is_in(address, start, ((size_t)1 << chunk) * table->stride)) {
            return true;
        }
    }
    return false;
}

static memory_use use_in_core(const void *address) {
    size_t stripes = (size_t)pool->idle.mask + 2; /* With the one of the sweep. */
    if (is_in(address, &pool->waiting, LINE_SIZE)) {
        return USE_WORDS;
    }
    if (is_in(address, pool->idle.stripes, stripes * sizeof(bp_stripe))) {
        return USE_STRIPES;
    }
    if (is_in(address, &pool->inside, LINE_SIZE)) {
        return USE_INSIDE;
    }
    if (is_in(address, &pool->queue, sizeof pool->queue) || is_in_table(address, &pool->queue.nodes)) {
        return USE_QUEUE;
    }
    return is_in_table(address, &pool->slots) ? USE_SLOTS : USE_OTHER;
}

void set_uses_of(const bp_pool *it) {
    pool = it;
    use_of = use_in_core;
}
