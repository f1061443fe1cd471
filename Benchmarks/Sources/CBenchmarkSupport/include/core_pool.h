/* The C API, called as a program in C calls it: in loops, with the status of each call looked at. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "CBurstPool.h"

#include <stdint.h>

/* A pool with that many idle connections. stripes: 0 for the default. NULL when there is no memory. */
bp_pool *core_pool_create(uint32_t connections, uint32_t stripes);
void core_pool_destroy(bp_pool *pool);

/* Lease and return, so many times. False if a call did not do what it should. */
bool core_pool_lease_checked(bp_pool *pool, uint64_t times);   /* bp_release */
bool core_pool_lease_exclusive(bp_pool *pool, uint64_t times); /* bp_release_exclusive */

/* As many waiters as there are tickets join; the context of each is its index + 1. deadline: of the first; + 1 each. */
bool core_pool_join(bp_pool *pool, bp_ticket *tickets, uint64_t count, uint64_t deadline);

/* The waiters of these tickets leave. */
bool core_pool_leave(bp_pool *pool, const bp_ticket *tickets, uint64_t count);

/* The oldest so many are served. */
bool core_pool_serve(bp_pool *pool, uint64_t count);

/* All whose deadline is not after now leave. Returns how many. */
uint64_t core_pool_expire(bp_pool *pool, uint64_t now);

#endif
