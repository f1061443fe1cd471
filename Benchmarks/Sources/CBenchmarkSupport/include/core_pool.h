/* SPDX-License-Identifier: Apache-2.0 */

/* The C API as a program in C calls it: in loops, with a check of the status of each call. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "CBurstPool.h"

#include <stdint.h>

/* Creates a pool with that many idle connections. stripes: 0 for the default. Returns NULL without memory. */
bp_pool *core_pool_create(uint32_t connections, uint32_t stripes);
void core_pool_destroy(bp_pool *pool);

/* Acquires and releases, this number of times. Returns false if a call failed. */
bool core_pool_lease_checked(bp_pool *pool, uint64_t times);   /* bp_release */
bool core_pool_lease_exclusive(bp_pool *pool, uint64_t times); /* bp_release_exclusive */

/*
 * Joins as many waiters as there are tickets. The context of each is its index + 1. deadline: that of the first
 * waiter; each following one is 1 later.
 */
bool core_pool_join(bp_pool *pool, bp_ticket *tickets, uint64_t count, uint64_t deadline);

/* Makes the waiters of these tickets leave. */
bool core_pool_leave(bp_pool *pool, const bp_ticket *tickets, uint64_t count);

/* Serves the oldest waiters, this many. */
bool core_pool_serve(bp_pool *pool, uint64_t count);

/* Removes all waiters whose deadline is not after now. Returns their number. */
uint64_t core_pool_expire(bp_pool *pool, uint64_t now);

#endif
