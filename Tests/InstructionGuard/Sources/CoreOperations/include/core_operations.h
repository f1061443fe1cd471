/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The operations of the C core, repeated many times, for the guard. Each function performs one kind of operation, so
 * that the counts while it runs belong to that operation.
 */
#ifndef CORE_OPERATIONS_H
#define CORE_OPERATIONS_H

#include <stdint.h>

#include "CBurstPool.h"

/* callgrind writes its counts each time this is called. The function itself does nothing. */
void guard_dump(void);

/* Creates a pool with one stripe, open connections, and memory for tickets. Ends the program if it fails. */
bp_pool *operations_pool_create(uint32_t connections);

void operations_lease(bp_pool *pool, uint32_t times);         /* bp_try_acquire, bp_release_exclusive */
void operations_lease_checked(bp_pool *pool, uint32_t times); /* bp_try_acquire, bp_release */
void operations_join(bp_pool *pool, bp_ticket *tickets, uint32_t count, uint64_t first_deadline);
void operations_claim(bp_pool *pool, const bp_ticket *tickets, uint32_t count); /* In a scattered order. */
void operations_hand_off(bp_pool *pool, uint32_t count);
void operations_expire(bp_pool *pool, uint32_t count);

#endif
