#include "waiter_queue.h"

#include <limits.h>

#define BP_HEAD 0

/* Tests choose these smaller, so that what they make rare happens often. */
#ifndef BP_GROUP_SIZE
#define BP_GROUP_SIZE 64 /* Nodes that share one earliest deadline. */
#endif
#ifndef BP_TIDY_SLACK
#define BP_TIDY_SLACK 64   /* So many dead nodes, and half as many as are alive, are left alone. */
#define BP_TIDY_LIMIT 1024 /* So many, and twice as many as are alive, are swept even beside another sweep. */
#endif

/* A link: index of the next node (0: none), mark, tag. */
#define BP_INDEX_BITS 26
#define BP_INDEX_MASK ((UINT64_C(1) << BP_INDEX_BITS) - 1)
#define BP_MARK (UINT64_C(1) << BP_INDEX_BITS)
#define BP_TAG_ONE (BP_MARK << 1)

/* A state: status, and the generation of the node, which a ticket has too. */
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
    uint32_t index;
} bp_waiter;

#define BP_WAITER_STRIDE 64
_Static_assert(sizeof(bp_waiter) <= BP_WAITER_STRIDE, "a waiter fits a cache line");

static bp_waiter *bp_waiter_at(const bp_waiter_queue *queue, uint64_t index) {
    return bp_table_at(&queue->nodes, (uint32_t)index);
}

static uint64_t bp_link_index(uint64_t link) {
    return link & BP_INDEX_MASK;
}

static bool bp_link_is_marked(uint64_t link) {
    return (link & BP_MARK) != 0;
}

/* The link that follows this one: another target, the tag raised. */
static uint64_t bp_link_to(uint64_t before, uint64_t index) {
    return ((before & ~(BP_TAG_ONE - 1)) + BP_TAG_ONE) | index;
}

static bp_waiter_status bp_state_status(uint64_t state) {
    return (bp_waiter_status)(state & BP_STATUS_MASK);
}

static uint64_t bp_state_with(uint64_t state, bp_waiter_status status) {
    return (state & ~BP_STATUS_MASK) | (uint64_t)status;
}

static uint64_t bp_ticket_index(bp_ticket ticket) {
    return ticket.value & BP_INDEX_MASK;
}

static uint64_t bp_ticket_state(bp_ticket ticket, bp_waiter_status status) {
    return ((ticket.value >> BP_INDEX_BITS) << BP_STATUS_BITS) | (uint64_t)status;
}

/* The node of a ticket; NULL if no such ticket can have been given out. */
static bp_waiter *bp_ticket_node(const bp_waiter_queue *queue, bp_ticket ticket) {
    uint64_t index = bp_ticket_index(ticket);
    return index == BP_HEAD || index >= bp_table_used(&queue->nodes) ? NULL : bp_waiter_at(queue, index);
}

bool bp_waiter_queue_create(bp_waiter_queue *queue) {
    queue->nodes.stride = BP_WAITER_STRIDE;
    queue->earliest.stride = sizeof(bp_atomic64);
    bp_store_relaxed(&queue->earliest_of_all, BP_NO_DEADLINE);
    /* All zero: the head's link leads nowhere, and the tail is the head. */
    return bp_table_extend(&queue->nodes, 1) == BP_HEAD;
}

void bp_waiter_queue_destroy(bp_waiter_queue *queue) {
    bp_table_destroy(&queue->nodes);
    bp_table_destroy(&queue->earliest);
}

size_t bp_waiter_queue_memory(const bp_waiter_queue *queue) {
    return bp_table_memory(&queue->nodes) + bp_table_memory(&queue->earliest);
}

/* Deadlines. */

/* A group's earliest deadline is kept as a difference from BP_NO_DEADLINE, so that zeroed memory means: none. */
static uint64_t bp_complement(uint64_t deadline) {
    return BP_NO_DEADLINE - deadline;
}

static bp_atomic64 *bp_group_earliest(const bp_waiter_queue *queue, uint32_t group) {
    return bp_table_at(&queue->earliest, group);
}

/*
 * A group whose members are being looked at is marked, with a number never used before in place of its deadline: all
 * who come meanwhile look as well, so that nothing hangs on the one who looks, and whoever joins meanwhile changes the
 * mark, so that the one who looks does not write down what it found without the newcomer. Deadlines so small that they
 * could be marks are kept as marks.
 */
static bool bp_is_mark(uint64_t deadline) {
    return deadline <= UINT32_MAX;
}

static uint64_t bp_new_mark(bp_waiter_queue *queue) {
    return bp_add(&queue->marks, 1) & UINT32_MAX;
}

static void bp_group_lower(bp_waiter_queue *queue, bp_atomic64 *group, uint64_t deadline) {
    uint64_t found = bp_load(group);
    for (;;) {
        uint64_t earliest = bp_complement(found);
        if (!bp_is_mark(earliest) && earliest <= deadline) {
            return;
        }
        bool marks = bp_is_mark(earliest) || bp_is_mark(deadline);
        if (bp_cas(group, &found, bp_complement(marks ? bp_new_mark(queue) : deadline))) {
            return;
        }
    }
}

/* Whether the members of a group must be looked at: it is marked then, and *found the mark. */
static bool bp_group_begin_look(bp_waiter_queue *queue, bp_atomic64 *group, uint64_t now, uint64_t *found) {
    *found = bp_load(group);
    for (;;) {
        uint64_t earliest = bp_complement(*found);
        if (bp_is_mark(earliest) || earliest > now) {
            return bp_is_mark(earliest);
        }
        uint64_t mark = bp_complement(bp_new_mark(queue));
        if (bp_cas(group, found, mark)) {
            *found = mark;
            return true;
        }
    }
}

/* Writes down what a look at the members has found, if nobody has joined meanwhile. */
static void bp_group_end_look(bp_atomic64 *group, uint64_t found, uint64_t earliest) {
    if (!bp_is_mark(earliest)) {
        bp_cas(group, &found, bp_complement(earliest));
    }
}

/* Lowers the earliest deadline of all; true if it was this call that lowered it. */
static bool bp_lower_earliest_of_all(bp_waiter_queue *queue, uint64_t deadline) {
    uint64_t found = bp_load(&queue->earliest_of_all);
    while (found > deadline) {
        if (bp_cas(&queue->earliest_of_all, &found, deadline)) {
            return true;
        }
    }
    return false;
}

uint64_t bp_waiter_next_deadline(const bp_waiter_queue *queue) {
    return bp_load(&queue->earliest_of_all);
}

/* The list. */

static void bp_waiter_append(bp_waiter_queue *queue, bp_waiter *node) {
    /* The node is not in the list, so its link is the caller's to write; the tag goes on from where it was. */
    bp_store_relaxed(&node->link, bp_link_to(bp_load_relaxed(&node->link), 0));
    for (;;) {
        uint64_t tail = bp_load(&queue->tail);
        bp_waiter *last = bp_waiter_at(queue, bp_link_index(tail));
        uint64_t link = bp_load(&last->link);
        /* The tail still being the same after its link was read tells that the node was in the list just then. */
        if (bp_load(&queue->tail) != tail) {
            continue;
        }
        if (bp_link_index(link) != 0) {
            bp_cas(&queue->tail, &tail, bp_link_to(tail, bp_link_index(link)));
        } else if (bp_cas(&last->link, &link, bp_link_to(link, node->index))) {
            /* Makes the node and all that was written to it visible; pairs with the loads of links in the walk. */
            bp_cas(&queue->tail, &tail, bp_link_to(tail, node->index));
            return;
        }
    }
}

/* What a walk found: the node's index (0: none) and its state when it was seen in the list. */
typedef struct {
    uint64_t index;
    uint64_t state;
} bp_found;

#define BP_KEEP_GOING UINT_MAX

/*
 * Walks from the head to the first waiter with one of these statuses, and takes out the dead nodes it meets.
 * When others change the list under it the walk starts again; after that many restarts it gives up and finds none.
 */
static bp_found bp_waiter_walk(bp_waiter_queue *queue, unsigned statuses, unsigned restarts) {
restart:;
    bp_waiter *before = bp_waiter_at(queue, BP_HEAD);
    uint64_t to_node = bp_load(&before->link);
    for (;;) {
        uint64_t index = bp_link_index(to_node);
        if (index == 0) {
            return (bp_found){0, 0};
        }
        bp_waiter *node = bp_waiter_at(queue, index);
        uint64_t link = bp_load(&node->link);
        uint64_t state = bp_load(&node->state);
        /* Unchanged: the node was in the list, behind an unmarked one, when its link and state were read. */
        if (bp_load(&before->link) != to_node) {
            goto interference;
        }
        if ((statuses & (1u << bp_state_status(state))) != 0) {
            return (bp_found){index, state};
        }
        uint64_t next = bp_link_index(link);
        if (next == 0) {
            /* The link was read first: somebody may have joined behind it before it came to the state it was found in. */
            if (bp_load(&node->link) != link) {
                continue;
            }
            return (bp_found){0, 0}; /* The last, and if dead it stays, for others to append to. */
        }
        if (bp_state_status(state) < BP_WAITER_SERVED) {
            before = node;
            to_node = link;
            continue;
        }
        if (!bp_link_is_marked(link)) {
            uint64_t marked = (link + BP_TAG_ONE) | BP_MARK;
            if (!bp_cas(&node->link, &link, marked)) {
                continue; /* Its successor went, or another walk marked it: look at the node again. */
            }
        }
        /*
         * Since the node has a successor the tail has reached it. See to it that the tail has passed it, for a tail in
         * a node that is reused would lead out of the list; passed, it never comes back.
         */
        uint64_t tail = bp_load(&queue->tail);
        if (bp_link_index(tail) == index) {
            /* The tail must have been in this node, not in one that was taken out and appended anew since. */
            if (bp_load(&before->link) != to_node) {
                goto interference;
            }
            bp_cas(&queue->tail, &tail, bp_link_to(tail, next));
        }
        uint64_t past_node = bp_link_to(to_node, next);
        if (!bp_cas(&before->link, &to_node, past_node)) {
            goto interference;
        }
        /* Whoever took the node out gives it back; nobody else can have, the tag of the link before it has changed. */
        if (bp_state_status(state) == BP_WAITER_GONE) {
            bp_add(&queue->dead, (uint64_t)-1);
        }
        bp_stack_push(&queue->free, &node->entry);
        to_node = past_node;
    }
interference:
    if (restarts == 0) {
        return (bp_found){0, 0};
    }
    if (restarts != BP_KEEP_GOING) {
        restarts--;
    }
    goto restart;
}

bp_status bp_waiter_prepare(bp_waiter_queue *queue, bp_ticket *ticket) {
    bp_waiter *node = (bp_waiter *)bp_stack_pop(&queue->free);
    if (node == NULL) {
        uint32_t index = bp_table_extend(&queue->nodes, BP_MAX_WAITERS + 1);
        if (index == BP_TABLE_NONE) {
            return bp_table_used(&queue->nodes) > BP_MAX_WAITERS ? BP_TOO_MANY_WAITERS : BP_OUT_OF_MEMORY;
        }
        node = bp_waiter_at(queue, index);
        node->index = index;
    }
    if (!bp_table_reserve(&queue->earliest, node->index / BP_GROUP_SIZE)) {
        bp_stack_push(&queue->free, &node->entry);
        return BP_OUT_OF_MEMORY;
    }
    uint64_t generation = ((bp_load_relaxed(&node->state) >> BP_STATUS_BITS) + 1) & BP_GENERATION_MASK;
    bp_store(&node->state, (generation << BP_STATUS_BITS) | BP_WAITER_PREPARED);
    *ticket = (bp_ticket){(generation << BP_INDEX_BITS) | node->index};
    return BP_OK;
}

/* Gives the node back of a waiter that never was in the list. False if its status is another one. Seldom called. */
static __attribute__((noinline)) bool bp_waiter_free(bp_waiter_queue *queue, bp_ticket ticket,
                                                     bp_waiter_status status) {
    bp_waiter *node = bp_ticket_node(queue, ticket);
    uint64_t state = bp_ticket_state(ticket, status);
    if (node == NULL || !bp_cas(&node->state, &state, bp_ticket_state(ticket, BP_WAITER_FREE))) {
        return false;
    }
    bp_stack_push(&queue->free, &node->entry);
    return true;
}

bp_status bp_waiter_withdraw(bp_waiter_queue *queue, bp_ticket ticket) {
    if (bp_waiter_free(queue, ticket, BP_WAITER_PREPARED)) {
        return BP_OK;
    }
    return bp_waiter_free(queue, ticket, BP_WAITER_CANCELLED) ? BP_CANCELLED : BP_STALE_TICKET;
}

bp_status bp_waiter_join(bp_waiter_queue *queue, bp_ticket ticket, void *context, uint64_t deadline,
                         bool *is_earliest) {
    *is_earliest = false;
    bp_waiter *node = bp_ticket_node(queue, ticket);
    if (node == NULL) {
        return BP_STALE_TICKET;
    }
    uint64_t state = bp_load(&node->state);
    if (state == bp_ticket_state(ticket, BP_WAITER_PREPARED)) {
        bp_store_relaxed(&node->context, (uint64_t)(uintptr_t)context);
        bp_store_relaxed(&node->deadline, deadline);
        /* From here on the waiter can be made to go: pairs with the loads of the state that see it. */
        if (bp_cas(&node->state, &state, bp_ticket_state(ticket, BP_WAITER_WAITING))) {
            bp_waiter_append(queue, node);
            if (deadline != BP_NO_DEADLINE) {
                /* After the state: pairs with bp_waiter_expire, which marks or resets these before it reads states. */
                bp_group_lower(queue, bp_group_earliest(queue, node->index / BP_GROUP_SIZE), deadline);
                *is_earliest = bp_lower_earliest_of_all(queue, deadline);
            }
            return BP_OK;
        }
    }
    /* It left before it joined; or it has joined before, or has been told before that it was cancelled. */
    return bp_waiter_free(queue, ticket, BP_WAITER_CANCELLED) ? BP_CANCELLED : BP_STALE_TICKET;
}

bool bp_waiter_exists(bp_waiter_queue *queue, unsigned statuses) {
    return bp_waiter_walk(queue, statuses, BP_KEEP_GOING).index != 0;
}

bp_waiter_status bp_waiter_serve_oldest(bp_waiter_queue *queue, void **context) {
    for (;;) {
        bp_found found = bp_waiter_walk(queue, BP_IN_QUEUE, BP_KEEP_GOING);
        if (found.index == 0) {
            return BP_WAITER_FREE;
        }
        bp_waiter *node = bp_waiter_at(queue, found.index);
        /* Read before the fate is decided, for the node may be reused after it; good if the decision is ours. */
        uint64_t its_context = bp_load_relaxed(&node->context);
        bp_waiter_status before = bp_state_status(found.state);
        if (bp_cas(&node->state, &found.state, bp_state_with(found.state, BP_WAITER_SERVED))) {
            *context = (void *)(uintptr_t)its_context;
            return before;
        }
    }
}

bool bp_waiter_begin_opening(bp_waiter_queue *queue, bp_ticket *ticket) {
    for (;;) {
        bp_found found = bp_waiter_walk(queue, 1u << BP_WAITER_WAITING, BP_KEEP_GOING);
        if (found.index == 0) {
            return false;
        }
        bp_waiter *node = bp_waiter_at(queue, found.index);
        uint64_t generation = found.state >> BP_STATUS_BITS;
        if (bp_cas(&node->state, &found.state, bp_state_with(found.state, BP_WAITER_OPENING))) {
            *ticket = (bp_ticket){(generation << BP_INDEX_BITS) | found.index};
            return true;
        }
    }
}

bool bp_waiter_requeue(bp_waiter_queue *queue, bp_ticket ticket) {
    bp_waiter *node = bp_ticket_node(queue, ticket);
    uint64_t opening = bp_ticket_state(ticket, BP_WAITER_OPENING);
    return node != NULL && bp_cas(&node->state, &opening, bp_ticket_state(ticket, BP_WAITER_WAITING));
}

/* Makes the waiter of this node go if its generation is still that of state. */
static bp_waiter_status bp_waiter_make_go(bp_waiter_queue *queue, bp_waiter *node, uint64_t generation,
                                          void **context) {
    uint64_t state = bp_load(&node->state);
    while ((state >> BP_STATUS_BITS) == generation) {
        bp_waiter_status before = bp_state_status(state);
        if (before == BP_WAITER_PREPARED) {
            if (bp_cas(&node->state, &state, bp_state_with(state, BP_WAITER_CANCELLED))) {
                *context = NULL;
                return before;
            }
        } else if (before == BP_WAITER_WAITING || before == BP_WAITER_OPENING) {
            uint64_t its_context = bp_load_relaxed(&node->context);
            bp_add(&queue->dead, 1);
            if (bp_cas(&node->state, &state, bp_state_with(state, BP_WAITER_GONE))) {
                *context = (void *)(uintptr_t)its_context;
                return before;
            }
            bp_add(&queue->dead, (uint64_t)-1);
        } else {
            break;
        }
    }
    return BP_WAITER_FREE;
}

bp_waiter_status bp_waiter_leave(bp_waiter_queue *queue, bp_ticket ticket, void **context) {
    bp_waiter *node = bp_ticket_node(queue, ticket);
    return node == NULL ? BP_WAITER_FREE : bp_waiter_make_go(queue, node, ticket.value >> BP_INDEX_BITS, context);
}

bp_waiter_expiry bp_waiter_expire(bp_waiter_queue *queue, uint64_t now, void **contexts, size_t capacity) {
    bp_waiter_expiry expiry = {0, 0, BP_NO_DEADLINE};
    /* Before the deadlines are read: one that is set meanwhile is either seen below, or lowers this again. */
    bp_exchange(&queue->earliest_of_all, BP_NO_DEADLINE);
    uint32_t used = bp_table_used(&queue->nodes);
    for (uint32_t first = 0; first < used; first += BP_GROUP_SIZE) {
        if (expiry.gone == capacity) {
            expiry.next = now; /* No room for more: the rest is for another call, at once. */
            break;
        }
        bp_atomic64 *group = bp_table_find(&queue->earliest, first / BP_GROUP_SIZE);
        if (group == NULL) {
            continue; /* Nobody of this group has ever joined. */
        }
        uint64_t found;
        bool looks = bp_group_begin_look(queue, group, now, &found);
        uint64_t earliest = looks ? BP_NO_DEADLINE : bp_complement(found);
        if (looks) {
            /* Read again: a node made meanwhile may have left its deadline to the mark. */
            used = bp_table_used(&queue->nodes);
            uint32_t end = first + BP_GROUP_SIZE < used ? first + BP_GROUP_SIZE : used;
            for (uint32_t index = first == BP_HEAD ? 1 : first; index < end; index++) {
                bp_waiter *node = bp_waiter_at(queue, index);
                uint64_t state = bp_load(&node->state);
                if ((BP_IN_QUEUE & (1u << bp_state_status(state))) == 0) {
                    continue;
                }
                uint64_t deadline = bp_load_relaxed(&node->deadline);
                if (deadline <= now && expiry.gone < capacity) {
                    bp_waiter_status before =
                        bp_waiter_make_go(queue, node, state >> BP_STATUS_BITS, &contexts[expiry.gone]);
                    expiry.gone += before != BP_WAITER_FREE;
                    expiry.gone_without_permit += before == BP_WAITER_WAITING;
                } else if (deadline < earliest) {
                    earliest = deadline;
                }
            }
            bp_group_end_look(group, found, earliest);
        }
        expiry.next = earliest < expiry.next ? earliest : expiry.next;
    }
    if (!bp_lower_earliest_of_all(queue, expiry.next)) {
        expiry.next = BP_NO_DEADLINE;
    }
    return expiry;
}

void bp_waiter_tidy(bp_waiter_queue *queue, uint64_t alive) {
    uint64_t dead = bp_load_relaxed(&queue->dead);
    if (dead <= alive / 2 + BP_TIDY_SLACK) {
        return;
    }
    /*
     * One sweep at a time, for two would stand in each other's way. That is advice, not a lock: nobody waits for the
     * sweeper, and when the dead pile up regardless (the sweeper may be stopped), others sweep as well.
     */
    if (bp_exchange(&queue->sweeping, 1) == 1 && dead <= 2 * alive + BP_TIDY_LIMIT) {
        return;
    }
    bp_waiter_walk(queue, 0, 3);
    bp_store(&queue->sweeping, 0);
}
