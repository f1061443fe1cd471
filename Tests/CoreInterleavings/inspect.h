/* SPDX-License-Identifier: Apache-2.0 */

/* Inspects the structures of a pool at rest: where each slot and each waiter's node is. */
#ifndef EXPLORER_INSPECT_H
#define EXPLORER_INSPECT_H

#include "include/bp_pool.h"

typedef struct {
    /* Slots. */
    unsigned used_slots, idle, vacant, in_use, opening, closing;
    unsigned swept;   /* The idle slots that a sweep has set aside. */
    unsigned nowhere; /* In no stack, and not in use, opening or closing: held by a thread that was stopped. */
    /* Counters. */
    unsigned total, total_closing, waiting, waiting_without_permit, hard_limit, max_size;
    uint64_t dead;
    /* Nodes of waiters. */
    unsigned used_nodes, linked, free_nodes, linked_dead, linked_handed_off, alive, alive_without_permit;
    bool tail_is_last;
    bool is_paused;
    bool keeps_excess;
    const char *broken; /* What is wrong with the structure, or NULL. */
} inspection;

inspection inspect(const bp_pool *pool);
/* The state in a slot's word, without a scheduling point. */
bp_slot_state inspect_state(const bp_slot *slot);
bp_slot *inspect_slot(const bp_pool *pool, unsigned index);

/* Stores the name of a cell, for traces. */
void inspect_name(const bp_pool *pool, const void *cell, char *name, size_t size);

typedef enum { TICKET_NONE, TICKET_PREPARED, TICKET_WAITING, TICKET_OPENING, TICKET_GONE } ticket_state;
/* Returns the state in the ticket's node, without a scheduling point. */
ticket_state inspect_ticket(const bp_pool *pool, bp_ticket ticket);

#endif
