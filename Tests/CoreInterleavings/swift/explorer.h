/* SPDX-License-Identifier: Apache-2.0 */

/* What the Swift core and its C interface use of the explorer. The cells are the words of Atomic.swift. */
#ifndef EXPLORER_FOR_SWIFT_H
#define EXPLORER_FOR_SWIFT_H

#include "include/bp_pool.h"

#include "inspect.h"

uint64_t explored_load(const void *cell, bool acquire);
void explored_store(void *cell, uint64_t value, bool release);
bool explored_cas(void *cell, uint64_t *expected, uint64_t desired);
uint64_t explored_exchange(void *cell, uint64_t value);
uint64_t explored_add(void *cell, uint64_t delta);
/* Two words that are next to each other. */
bool explored_cas_pair(void *cells, uint64_t *expected, const uint64_t *desired);

void *explored_calloc(size_t size);
void explored_free(void *block);

uint32_t explored_home_number(void);
extern uint64_t explored_purge_slack;
extern uint64_t explored_purge_limit;

/* Swift does not read variables of C that may change. */
static inline uint64_t explored_slack(void) {
    return explored_purge_slack;
}

static inline uint64_t explored_limit(void) {
    return explored_purge_limit;
}

void look_begin(void);
void look_end(void);
unsigned this_thread(void);

#endif
