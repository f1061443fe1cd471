/* SPDX-License-Identifier: Apache-2.0 */

/* The calls of bp_pool.h. The thread that makes a call records it, and pauses for a random time before it. */
#ifndef RECORDED_POOL_H
#define RECORDED_POOL_H

#include "history.h"
#include "random.h"

/* What a thread needs to make its calls. */
typedef struct {
    bp_pool *pool;
    history log;
    uint64_t random;
    uint64_t next_stamp;
} recorder;

/* The element of a slot. Not atomic: only the owner accesses it, and what one owner writes is there for the next. */
typedef struct {
    uint64_t stamp;
} element;

static inline element *element_of(const recorder *it, bp_lease lease) {
    return bp_element(it->pool, lease);
}

/* Does nothing, works a little, yields, or sleeps. */
void pause_somewhat(recorder *it);

/* Leases. Taking returns whether there was a connection; releasing returns whether to reconcile. */
bool take(recorder *it, bp_lease *lease);
bool take_idle(recorder *it, bp_lease *lease);
void return_idle(recorder *it, bp_lease lease);
bool release(recorder *it, bp_lease lease);

/* Opening. BP_OK, BP_EMPTY or BP_LIMIT_REACHED; also BP_SHUT_DOWN for an unrequested permit. */
bp_status begin_open(recorder *it, bp_ticket *ticket, bp_lease *permit);
bp_status begin_open_unrequested(recorder *it, bp_lease *permit);
void finish_open(recorder *it, bp_lease permit);
void cancel_open(recorder *it, bp_lease permit);

/* Closing. */
void begin_close(recorder *it, bp_lease lease);
bool begin_close_excess(recorder *it, bp_lease lease);
bool begin_close_above_hard_limit(recorder *it, bp_lease lease);
void finish_close(recorder *it, bp_lease lease);
void detach(recorder *it, bp_lease lease);

/* Waiting. Joining returns whether the caller waits; claiming returns whether this call removed the waiter. */
bool prepare(recorder *it, bp_ticket *ticket, uint64_t *begun);
bool join(recorder *it, bp_ticket ticket, uint64_t prepared, void *context, uint64_t deadline);
bool claim(recorder *it, bp_ticket ticket, void **context);
/* ticket_of returns the ticket of the removed waiter, for the log. */
bool hand_off(recorder *it, void **context, bp_ticket (*ticket_of)(void *context));
size_t expire(recorder *it, uint64_t now, void **contexts, size_t capacity, bp_ticket (*ticket_of)(void *context));

bool has_waiters(recorder *it);

/* The pool. */
void resize(recorder *it, uint32_t max_size, uint32_t hard_limit);
void shut_down(recorder *it);
/* Call this when no other call is running. looked_until: no deadline up to then can be left. */
void rest(recorder *it, uint64_t looked_until);

#endif
