/*
 * The operations of the C core, many times over, for the guard: each function performs one kind of operation only, so
 * that what is counted while it runs is its own.
 */
#ifndef CORE_OPERATIONS_H
#define CORE_OPERATIONS_H

#include <stdint.h>

#include "CBurstPool.h"

/* callgrind writes down its counts each time this is called. Does nothing itself. */
void guard_mark(void);

/* A pool on one stripe with open connections, and room for tickets. Ends the program where it cannot. */
bp_pool *operations_pool_create(uint32_t connections);

void operations_lease(bp_pool *pool, uint32_t times);         /* bp_try_acquire, bp_release_exclusive */
void operations_lease_checked(bp_pool *pool, uint32_t times); /* bp_try_acquire, bp_release */
void operations_join(bp_pool *pool, bp_ticket *tickets, uint32_t count, uint64_t first_deadline);
void operations_claim(bp_pool *pool, const bp_ticket *tickets, uint32_t count); /* In an order as if by chance. */
void operations_hand_over(bp_pool *pool, uint32_t count);
void operations_expire(bp_pool *pool, uint32_t count);

#endif
