/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The backend of the interleaving explorer: before every atomic operation another thread may run.
 *
 * The contract is in CSources/CBurstPool/atomics.h, and memory.c defines what an operation does to memory. The stack
 * is the core's own tagged_stack.h on these operations, so that each step of a push or a pop is a scheduling point as
 * well.
 */
#ifndef BP_ATOMICS_SCHEDULED_H
#define BP_ATOMICS_SCHEDULED_H

typedef struct {
    uint64_t value;
} bp_atomic64;

uint64_t explored_load(const bp_atomic64 *cell, bool acquire);
void explored_store(bp_atomic64 *cell, uint64_t value, bool release);
bool explored_cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired);
uint64_t explored_exchange(bp_atomic64 *cell, uint64_t value);
uint64_t explored_add(bp_atomic64 *cell, uint64_t delta);
/* Two cells that are next to each other: the stack of the Swift core. */
bool explored_cas_pair(bp_atomic64 *cells, uint64_t *expected, const uint64_t *desired);

/* Freed memory stays allocated until the run has ended, and an atomic operation on it fails the run. */
void *explored_calloc(size_t size);
void explored_free(void *block);
#define BP_CALLOC(size) explored_calloc(size)
#define BP_FREE(block) explored_free(block)

/* A thread may be on another CPU at each call. */
uint32_t explored_home_number(void);
#define BP_HOME_NUMBER() explored_home_number()

/* The explorer also has the thread records: see threads.c. */
#define BP_THREADS_ARE_FIBERS

/* Constants that keep rare paths rare in production. Here each scenario chooses them. */
extern uint64_t explored_purge_slack;
extern uint64_t explored_purge_limit;
#define BP_PURGE_SLACK explored_purge_slack
#define BP_PURGE_LIMIT explored_purge_limit

static inline uint64_t bp__load(const bp_atomic64 *cell) {
    return explored_load(cell, true);
}

static inline uint64_t bp__load_relaxed(const bp_atomic64 *cell) {
    return explored_load(cell, false);
}

static inline void bp__store(bp_atomic64 *cell, uint64_t value) {
    explored_store(cell, value, true);
}

static inline void bp__store_relaxed(bp_atomic64 *cell, uint64_t value) {
    explored_store(cell, value, false);
}

static inline bool bp__cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    return explored_cas(cell, expected, desired);
}

static inline uint64_t bp__exchange(bp_atomic64 *cell, uint64_t value) {
    return explored_exchange(cell, value);
}

static inline uint64_t bp__add(bp_atomic64 *cell, uint64_t delta) {
    return explored_add(cell, delta);
}

#include "tagged_stack.h"

#endif
