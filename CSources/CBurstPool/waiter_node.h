/* SPDX-License-Identifier: Apache-2.0 */

/* The layout of the wait queue's nodes, for the files of the queue and for the explorer. */
#ifndef BP_WAITER_NODE_H
#define BP_WAITER_NODE_H

#include "waiter_queue.h"

#include <limits.h>

#define BP_HEAD 0

#ifndef BP_GROUP_SIZE
#define BP_GROUP_SIZE 64 /* The nodes that share one earliest deadline. Tests choose less. */
#endif

/* A link, from bit 0: the index of the next node (0: no node), the deleted bit, the tag. */
#define BP_INDEX_BITS 26
#define BP_INDEX_MASK ((UINT64_C(1) << BP_INDEX_BITS) - 1)
#define BP_DELETED (UINT64_C(1) << BP_INDEX_BITS)
#define BP_TAG_ONE (BP_DELETED << 1)

/* A state, from bit 0: the status, and the generation of the node. A ticket has an index and a generation. */
#define BP_STATUS_BITS 3
#define BP_STATUS_MASK ((UINT64_C(1) << BP_STATUS_BITS) - 1)
#define BP_GENERATION_MASK ((UINT64_C(1) << (64 - BP_INDEX_BITS)) - 1)

#define BP_IN_QUEUE ((1u << BP_WAITER_WAITING) | (1u << BP_WAITER_OPENING))

typedef struct {
    bp_stack_entry entry; /* In the free stack. First, so that entries are aligned. */
    bp_atomic64 link;
    bp_atomic64 state;
    bp_atomic64 context;
    bp_atomic64 deadline;
    bp_atomic64 home; /* The address of a counter, or 0: see bp__waiter_join. */
    uint32_t index;
} bp_waiter;

#define BP_FIRST_WAITERS 4 /* The nodes in the first chunk of the table, the head included. */
#define BP_WAITER_STRIDE 64
_Static_assert(sizeof(bp_waiter) <= BP_WAITER_STRIDE, "a waiter fits a cache line");

static inline bp_waiter *bp__waiter_at(const bp_waiter_queue *queue, uint64_t index) {
    return bp__table_at(&queue->nodes, (uint32_t)index);
}

static inline uint64_t bp__link_index(uint64_t link) {
    return link & BP_INDEX_MASK;
}

static inline bool bp__link_is_deleted(uint64_t link) {
    return (link & BP_DELETED) != 0;
}

/* Returns the link that replaces this one: to another node, with the tag raised and the deleted bit clear. */
static inline uint64_t bp__link_to(uint64_t before, uint64_t index) {
    return ((before & ~(BP_TAG_ONE - 1)) + BP_TAG_ONE) | index;
}

static inline bp_waiter_status bp__state_status(uint64_t state) {
    return (bp_waiter_status)(state & BP_STATUS_MASK);
}

static inline uint64_t bp__state_with(uint64_t state, bp_waiter_status status) {
    return (state & ~BP_STATUS_MASK) | (uint64_t)status;
}

static inline uint64_t bp__ticket_index(bp_ticket ticket) {
    return ticket.value & BP_INDEX_MASK;
}

static inline uint64_t bp__ticket_state(bp_ticket ticket, bp_waiter_status status) {
    return ((ticket.value >> BP_INDEX_BITS) << BP_STATUS_BITS) | (uint64_t)status;
}

/* Returns the node of a ticket, or NULL if no such ticket was ever given out. */
static inline bp_waiter *bp__ticket_node(const bp_waiter_queue *queue, bp_ticket ticket) {
    uint64_t index = bp__ticket_index(ticket);
    return index == BP_HEAD || index >= bp__table_used(&queue->nodes) ? NULL : bp__waiter_at(queue, index);
}

/* The list: waiter_list.c. */

/* The result of a walk: a node's index (0: none), and its state when the walk saw it in the list. */
typedef struct {
    uint64_t index;
    uint64_t state;
} bp_found;

#define BP_KEEP_GOING UINT_MAX

/* Appends a node that is not in the list. A full barrier. */
void bp__waiter_append(bp_waiter_queue *queue, bp_waiter *node);

/*
 * Walks from the head to the first waiter with one of these statuses (bits: 1 << status), and takes out the dead nodes
 * on the way. When another thread changes the list at the same position, the walk starts again, up to this many times.
 * Then it ends and finds no waiter.
 */
bp_found bp__waiter_walk(bp_waiter_queue *queue, unsigned statuses, unsigned restarts);

/* Deadlines: waiter_deadlines.c. */

/* Records the deadline of a node that has joined. Returns whether it is now the earliest of all. */
bool bp__waiter_add_deadline(bp_waiter_queue *queue, const bp_waiter *node, uint64_t deadline);

/*
 * Ends the wait of the waiter in this node if the node still has this generation. Returns the waiter's status before,
 * or BP_WAITER_FREE if another thread has ended the wait. In waiter_queue.c.
 */
bp_waiter_status bp__waiter_end(bp_waiter_queue *queue, bp_waiter *node, uint64_t generation, void **context);

#endif
