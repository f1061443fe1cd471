/* SPDX-License-Identifier: Apache-2.0 */

/* The calls of waiting.c and opening_closing.c that reconcile.c and the drivers need in addition to bp_pool.h. */
#ifndef BP_WAITING_H
#define BP_WAITING_H

#include "waiter_queue.h"

/* Does the same as bp_wait_join, for a waiter with a home: see bp__waiter_join. */
bp_status bp__wait_join(bp_pool *pool, bp_ticket ticket, void *context, bp_atomic64 *home, uint64_t deadline,
                        bool *arm_timer);

/* Does the same as bp_begin_open. home: see bp__waiter_begin_opening. */
bp_status bp__begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit, bp_atomic64 **home);

/*
 * Does the same as bp_expire, for a caller that wants to know the next deadline even if another caller was told an
 * earlier time.
 */
bp_waiter_expiry bp__expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity);

#endif
