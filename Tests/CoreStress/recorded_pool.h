/*
 * The calls of bp_pool.h, each recorded by the thread that makes it, with a pause of random length before it.
 */
#ifndef RECORDED_POOL_H
#define RECORDED_POOL_H

#include "history.h"
#include "random.h"

/* What a thread makes its calls with. */
typedef struct {
    bp_pool *pool;
    history log;
    uint64_t random;
    uint64_t next_stamp;
} recorder;

/* What is in a slot. Not atomic: its owner alone may touch it, and what one owner writes is there for the next. */
typedef struct {
    uint64_t stamp;
} element;

static inline element *element_of(const recorder *it, bp_lease lease) {
    return bp_element(it->pool, lease);
}

/* Nothing, a little work, another thread's turn, or a nap. */
void pause_somewhat(recorder *it);

/* Leases. Taking returns whether there was one; releasing, whether to reconcile. */
bool take(recorder *it, bp_lease *lease);
bool take_idle(recorder *it, bp_lease *lease);
void return_idle(recorder *it, bp_lease lease);
bool release(recorder *it, bp_lease lease);

/* Opening. BP_OK, BP_EMPTY or BP_LIMIT_REACHED; also BP_SHUT_DOWN where nobody asked. */
bp_status begin_open(recorder *it, bp_ticket *ticket, bp_lease *permit);
bp_status begin_open_unrequested(recorder *it, bp_lease *permit);
void finish_open(recorder *it, bp_lease permit);
void cancel_open(recorder *it, bp_lease permit);

/* Closing. */
void begin_close(recorder *it, bp_lease lease);
bool begin_close_excess(recorder *it, bp_lease lease);
void finish_close(recorder *it, bp_lease lease);
void detach(recorder *it, bp_lease lease);

/* Waiting. Joining returns whether the caller waits; claiming, whether it was this call that made the waiter go. */
bool prepare(recorder *it, bp_ticket *ticket, uint64_t *begun);
bool join(recorder *it, bp_ticket ticket, uint64_t prepared, void *context, uint64_t deadline);
bool claim(recorder *it, bp_ticket ticket, void **context);
/* The ticket of whoever goes is told by ticket_of, for the log. */
bool hand_off(recorder *it, void **context, bp_ticket (*ticket_of)(void *context));
size_t expire(recorder *it, uint64_t now, void **contexts, size_t capacity, bp_ticket (*ticket_of)(void *context));

bool somebody_waits(recorder *it);

/* The pool. */
void resize(recorder *it, uint32_t max_size, uint32_t hard_limit);
void shut_down(recorder *it);
/* To be called when no other call is under way. looked_until: no deadline up to then can be left. */
void rest(recorder *it, uint64_t looked_until);

#endif
