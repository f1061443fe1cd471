/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A sequential model of the pool: what bp_pool.h says, in the simplest form. It has no atomics, no stripes and no
 * nodes.
 *
 * The scenarios in scenarios_sequential.c call the pool from one thread in any order, and compare what each call
 * returns, and then the answer of every query, with the model.
 */
#ifndef EXPLORER_MODEL_H
#define EXPLORER_MODEL_H

#include "include/bp_pool.h"

#define MODEL_SLOTS 8
#define MODEL_WAITERS 12
#define MODEL_NOT_OBSERVED UINT64_MAX

typedef struct {
    bp_slot_state state;
    bp_lease lease;
    uint64_t observed_at; /* When the lease was observed first. */
    bool is_set_aside;    /* A sweep has looked at it. */
    bool is_fresh;        /* It was released since the sweep has begun, so that the sweep may miss it. */
} model_slot;

typedef enum { MODEL_PREPARED, MODEL_CANCELLED, MODEL_WAITING, MODEL_OPENING, MODEL_GONE } model_waiter_state;

typedef struct {
    model_waiter_state state;
    bp_ticket ticket;
    uint64_t deadline;
} model_waiter;

typedef struct {
    uint32_t max_size, hard_limit, max_waiters;
    bool keeps_excess, is_paused, is_shut_down;
    bool always_reconciles; /* Set by bp_always_reconcile. */
    model_slot slots[MODEL_SLOTS];
    unsigned slot_count;
    model_waiter waiters[MODEL_WAITERS];
    unsigned waiter_count;
    uint64_t now;
    uint64_t promised;    /* The earliest time at which a caller was told to call bp_expire. */
    uint64_t observed_at; /* The time of the latest observation of leases; 0: none. */
} model_state;

extern model_state model_pool;

unsigned model_count(bp_slot_state state);
unsigned model_total(void);
unsigned model_waiting(void);
unsigned model_queued(void);
/* Whether more connections exist than this, those closing not counted. */
bool model_has_more_than(unsigned limit);

bool model_has_excess(void);
bool model_needs_reconcile(void);
uint64_t model_oldest_age(void);
/* A slot in this state, or NULL. */
model_slot *model_find(bp_slot_state state);
/* The slot of this lease, or NULL if it was never used. */
model_slot *model_slot_of(bp_lease lease);
/* Whether max_waiters waiters have no permit and no free slot. */
bool model_is_full(void);
/* The oldest waiter that waits, or that waits without a permit; NULL if there is none. */
model_waiter *model_oldest(bool without_permit);

/* Asks every query of the pool, and compares the answers with the model. */
void model_check_queries(void);

#endif
