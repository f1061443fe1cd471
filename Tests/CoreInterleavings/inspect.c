/* SPDX-License-Identifier: Apache-2.0 */

#include "waiter_node.h"

#include "pool.h"

#include "inspect.h"
#include "scheduler.h"

#include <stdio.h>

#define MOST_SLOTS 256
#define MOST_NODES 256

typedef enum { UNSEEN, SEEN } mark;

static unsigned slot_index(const bp_pool *pool, const bp_slot *slot) {
    unsigned used = (unsigned)pool->slots.used.value;
    for (unsigned i = 0; i < used; i++) {
        if (bp__table_at(&pool->slots, i) == (const void *)slot) {
            return i;
        }
    }
    return MOST_SLOTS;
}

static const char *see_slot(const bp_pool *pool, mark *seen, const bp_slot *slot, bp_slot_state state,
                            unsigned *count) {
    unsigned index = slot_index(pool, slot);
    if (index == MOST_SLOTS) {
        return "a stack holds an entry that is not a slot";
    }
    if (seen[index] == SEEN) {
        return "a slot is in two stacks, or in one twice";
    }
    seen[index] = SEEN;
    (*count)++;
    if (bp__slot_word_state(slot->word.value) != state) {
        return state == BP_SLOT_IDLE ? "a slot in an idle stack is not in the state idle"
                                     : "a slot in the vacant stack is not in the state vacant";
    }
    return NULL;
}

static const char *see_stack(const bp_pool *pool, mark *seen, const bp_stack *stack, bp_slot_state state,
                             unsigned *count) {
    const bp_stack_entry *entry = bp__tagged_stack_entry(stack->top.value);
    while (entry != NULL) {
        const char *broken = see_slot(pool, seen, (const bp_slot *)entry, state, count);
        if (broken != NULL) {
            return broken;
        }
        entry = (const bp_stack_entry *)(uintptr_t)entry->next.value;
    }
    return NULL;
}

static void inspect_slots(const bp_pool *pool, inspection *found) {
    mark seen[MOST_SLOTS] = {UNSEEN};
    found->used_slots = (unsigned)pool->slots.used.value;
    for (uint32_t i = 0; i <= pool->idle.mask && found->broken == NULL; i++) {
        const bp_stripe *stripe = &pool->idle.stripes[i];
        if (stripe->cell.value != 0) {
            found->broken =
                see_slot(pool, seen, (const bp_slot *)(uintptr_t)stripe->cell.value, BP_SLOT_IDLE, &found->idle);
        }
        if (found->broken == NULL) {
            found->broken = see_stack(pool, seen, &stripe->stack, BP_SLOT_IDLE, &found->idle);
        }
    }
    if (found->broken == NULL) {
        found->broken =
            see_stack(pool, seen, &pool->idle.stripes[pool->idle.mask + 1].stack, BP_SLOT_IDLE, &found->swept);
        found->idle += found->swept;
    }
    if (found->broken == NULL) {
        found->broken = see_stack(pool, seen, &pool->vacant, BP_SLOT_VACANT, &found->vacant);
    }
    for (unsigned i = 0; i < found->used_slots && found->broken == NULL; i++) {
        const bp_slot *slot = bp__table_at(&pool->slots, i);
        bp_slot_state state = bp__slot_word_state(slot->word.value);
        if (seen[i] == UNSEEN) {
            found->in_use += state == BP_SLOT_IN_USE;
            found->opening += state == BP_SLOT_OPENING;
            found->closing += state == BP_SLOT_CLOSING;
            found->nowhere += state == BP_SLOT_IDLE || state == BP_SLOT_VACANT;
        }
    }
}

static void inspect_nodes(const bp_waiter_queue *queue, inspection *found) {
    mark seen[MOST_NODES] = {UNSEEN};
    found->used_nodes = (unsigned)queue->nodes.used.value - 1;
    uint64_t index = BP_HEAD, last = BP_HEAD;
    while ((index = bp__link_index(bp__waiter_at(queue, index)->link.value)) != 0 && found->broken == NULL) {
        if (index > found->used_nodes) {
            found->broken = "a link leads to something that is not a node";
            return;
        }
        if (seen[index] == SEEN) {
            found->broken = "the queue has a cycle";
            return;
        }
        seen[index] = SEEN;
        last = index;
        found->linked++;
        bp_waiter_status status = bp__state_status(bp__waiter_at(queue, index)->state.value);
        if (status == BP_WAITER_HANDED_OFF && found->alive != 0) {
            found->broken = "a waiter was served before an older one";
        }
        found->linked_dead += status == BP_WAITER_LEFT;
        found->linked_handed_off += status == BP_WAITER_HANDED_OFF;
        found->alive += status == BP_WAITER_WAITING || status == BP_WAITER_OPENING;
        found->alive_without_permit += status == BP_WAITER_WAITING;
        if (status != BP_WAITER_HANDED_OFF && status != BP_WAITER_LEFT && status != BP_WAITER_WAITING &&
            status != BP_WAITER_OPENING) {
            found->broken = "a node that has not joined is in the queue";
        }
    }
    found->tail_is_last = bp__link_index(queue->tail.value) == last;
    const bp_stack_entry *entry = bp__tagged_stack_entry(queue->free.top.value);
    while (entry != NULL && found->broken == NULL) {
        const bp_waiter *node = (const bp_waiter *)entry;
        if (node->index == 0 || node->index > found->used_nodes || bp__waiter_at(queue, node->index) != node) {
            found->broken = "the free stack holds an entry that is not a node";
            return;
        }
        if (seen[node->index] == SEEN) {
            found->broken = "a node is free twice, or free and in the queue";
            return;
        }
        seen[node->index] = SEEN;
        found->free_nodes++;
        entry = (const bp_stack_entry *)(uintptr_t)entry->next.value;
    }
}

inspection inspect(const bp_pool *pool) {
    look_begin();
    inspection found = {0};
    uint64_t total = pool->total.value, waiting = pool->waiting.value, limits = pool->limits.value;
    found.total = (unsigned)(uint32_t)total;
    found.total_closing = (unsigned)(total >> 32);
    found.waiting = (unsigned)(uint32_t)waiting;
    found.waiting_without_permit = (unsigned)((waiting >> 32) & 0x3fffffff);
    found.is_paused = (waiting >> 62 & 1) != 0;
    found.keeps_excess = (limits & BP_KEEP_EXCESS) != 0;
    unsigned low = (unsigned)(uint32_t)limits, high = (unsigned)(limits >> 32 & 0x3fffffff);
    found.max_size = found.keeps_excess ? high : low;
    found.hard_limit = found.keeps_excess ? low : high;
    found.dead = pool->queue.dead.value;
    inspect_slots(pool, &found);
    if (found.broken == NULL) {
        inspect_nodes(&pool->queue, &found);
    }
    look_end();
    return found;
}

bp_slot_state inspect_state(const bp_slot *slot) {
    return bp__slot_word_state(slot->word.value);
}

bp_slot *inspect_slot(const bp_pool *pool, unsigned index) {
    return bp__table_at(&pool->slots, index);
}

ticket_state inspect_ticket(const bp_pool *pool, bp_ticket ticket) {
    look_begin();
    const bp_waiter *node = bp__waiter_at(&pool->queue, bp__ticket_index(ticket));
    look_end();
    uint64_t state = node->state.value;
    if ((state >> BP_STATUS_BITS) != ticket.value >> BP_INDEX_BITS) {
        return TICKET_NONE;
    }
    switch (bp__state_status(state)) {
    case BP_WAITER_PREPARED:
        return TICKET_PREPARED;
    case BP_WAITER_WAITING:
        return TICKET_WAITING;
    case BP_WAITER_OPENING:
        return TICKET_OPENING;
    case BP_WAITER_HANDED_OFF:
    case BP_WAITER_LEFT:
    case BP_WAITER_CANCELLED:
        return TICKET_GONE;
    default:
        return TICKET_NONE;
    }
}

static bool is_within(const void *cell, const void *start, size_t size) {
    return (uintptr_t)cell >= (uintptr_t)start && (uintptr_t)cell < (uintptr_t)start + size;
}

void inspect_name(const bp_pool *pool, const void *cell, char *name, size_t size) {
    const struct {
        const char *name;
        const void *cell;
    } known[] = {
        {"waiting", &pool->waiting},
        {"total", &pool->total},
        {"limits", &pool->limits},
        {"vacant", &pool->vacant},
        {"free nodes", &pool->queue.free},
        {"tail", &pool->queue.tail},
        {"dead", &pool->queue.dead},
        {"purging", &pool->queue.purging},
        {"earliest of all", &pool->queue.earliest_of_all},
        {"slots used", &pool->slots.used},
        {"nodes used", &pool->queue.nodes.used},
        {"observed at", &pool->observed_at},
    };
    snprintf(name, size, "?");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (cell == known[i].cell) {
            snprintf(name, size, "%s", known[i].name);
            return;
        }
    }
    look_begin();
    if (is_within(cell, &pool->idle.stripes[pool->idle.mask + 1], sizeof(bp_stripe))) {
        snprintf(name, size, "swept stack");
    }
    for (uint32_t i = 0; i <= pool->idle.mask; i++) {
        const bp_stripe *stripe = &pool->idle.stripes[i];
        if (is_within(cell, stripe, sizeof *stripe)) {
            snprintf(name, size, "stripe %u %s", i, cell == &stripe->cell ? "cell" : "stack");
        }
    }
    for (unsigned i = 0; i < pool->slots.used.value; i++) {
        const bp_slot *slot = bp__table_at(&pool->slots, i);
        if (is_within(cell, slot, pool->slots.stride)) {
            const char *part = cell == &slot->word ? "word" : cell == &slot->entry ? "next" : "content";
            snprintf(name, size, "slot %u %s", i, part);
        }
    }
    for (unsigned i = 0; i < pool->queue.nodes.used.value; i++) {
        const bp_waiter *node = bp__waiter_at(&pool->queue, i);
        if (is_within(cell, node, BP_WAITER_STRIDE)) {
            const char *part = cell == &node->link      ? "link"
                               : cell == &node->state   ? "state"
                               : cell == &node->context ? "context"
                               : cell == &node->entry   ? "next"
                                                        : "deadline";
            snprintf(name, size, "node %u %s", i, part);
        }
    }
    look_end();
}
