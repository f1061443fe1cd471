/* SPDX-License-Identifier: Apache-2.0 */

/* A sequential model of the pool. See model.h. */
#include "model.h"

#include "scheduler.h"
#include "world.h"

model_state model_pool;

static model_state *const it = &model_pool;

unsigned model_count(bp_slot_state state) {
    unsigned count = 0;
    for (unsigned i = 0; i < it->slot_count; i++) {
        count += it->slots[i].state == state;
    }
    return count;
}

unsigned model_total(void) {
    return it->slot_count - model_count(BP_SLOT_VACANT);
}

unsigned model_queued(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < it->waiter_count; i++) {
        count += it->waiters[i].state == MODEL_WAITING;
    }
    return count;
}

unsigned model_waiting(void) {
    unsigned count = model_queued();
    for (unsigned i = 0; i < it->waiter_count; i++) {
        count += it->waiters[i].state == MODEL_OPENING;
    }
    return count;
}

bool model_has_more_than(unsigned limit) {
    return model_total() - model_count(BP_SLOT_CLOSING) > limit;
}

bool model_has_excess(void) {
    return model_has_more_than(it->keeps_excess ? it->hard_limit : it->max_size);
}

bool model_needs_reconcile(void) {
    return model_waiting() != 0 || it->is_paused || it->is_shut_down || it->always_reconciles || model_has_excess();
}

uint64_t model_oldest_age(void) {
    uint64_t age = 0;
    for (unsigned i = 0; i < it->slot_count; i++) {
        const model_slot *slot = &it->slots[i];
        if (slot->state == BP_SLOT_IN_USE && slot->observed_at != MODEL_NOT_OBSERVED && slot->observed_at < it->now &&
            it->now - slot->observed_at > age) {
            age = it->now - slot->observed_at;
        }
    }
    return age;
}

model_slot *model_find(bp_slot_state state) {
    for (unsigned i = 0; i < it->slot_count; i++) {
        if (it->slots[i].state == state) {
            return &it->slots[i];
        }
    }
    return NULL;
}

model_slot *model_slot_of(bp_lease lease) {
    for (unsigned i = 0; i < it->slot_count; i++) {
        if (it->slots[i].lease.slot == lease.slot) {
            return &it->slots[i];
        }
    }
    return NULL;
}

bool model_is_full(void) {
    unsigned total = model_total();
    unsigned room = it->hard_limit > total ? it->hard_limit - total : 0;
    return it->max_waiters != 0 && !it->is_shut_down && model_queued() >= it->max_waiters + room;
}

model_waiter *model_oldest(bool without_permit) {
    for (unsigned i = 0; i < it->waiter_count; i++) {
        model_waiter_state state = it->waiters[i].state;
        if (state == MODEL_WAITING || (!without_permit && state == MODEL_OPENING)) {
            return &it->waiters[i];
        }
    }
    return NULL;
}

/* The queries. */

static void check_limits(void) {
    uint32_t max_size = 77, hard_limit = 77;
    bp_status status = bp_limits(world.pool, &max_size, &hard_limit);
    REQUIRE(status == (it->is_shut_down ? BP_SHUT_DOWN : BP_OK), "bp_limits returned %s", bp_status_name(status));
    REQUIRE(max_size == it->max_size && hard_limit == it->hard_limit, "bp_limits says %u and %u, and it is %u and %u",
            max_size, hard_limit, it->max_size, it->hard_limit);
    REQUIRE(bp_is_paused(world.pool) == it->is_paused, "bp_is_paused is wrong");
    REQUIRE(bp_is_shut_down(world.pool) == it->is_shut_down, "bp_is_shut_down is wrong");
}

static void check_counts(void) {
    bp_pool_statistics found;
    REQUIRE(bp_pool_statistics_get(world.pool, &found) == BP_OK, "no statistics");
    REQUIRE(found.idle == model_count(BP_SLOT_IDLE), "%u are idle, it says, and %u are", found.idle,
            model_count(BP_SLOT_IDLE));
    REQUIRE(found.in_use == model_count(BP_SLOT_IN_USE) && found.opening == model_count(BP_SLOT_OPENING) &&
                found.closing == model_count(BP_SLOT_CLOSING),
            "statistics: in use %u, opening %u, closing %u", found.in_use, found.opening, found.closing);
    REQUIRE(found.waiting == model_waiting(), "%u wait, the statistics say, and %u do", found.waiting, model_waiting());
    REQUIRE(found.max_size == it->max_size && found.hard_limit == it->hard_limit &&
                found.is_shut_down == it->is_shut_down,
            "statistics: limits %u and %u, shut down %d", found.max_size, found.hard_limit, found.is_shut_down);
    REQUIRE(bp_total(world.pool) == model_total(), "bp_total says %u, and %u exist", bp_total(world.pool),
            model_total());
    REQUIRE(bp_waiting(world.pool) == model_waiting(), "bp_waiting says %u, and %u wait", bp_waiting(world.pool),
            model_waiting());
    REQUIRE(bp_queued(world.pool) == model_queued(), "bp_queued says %u, and %u have no permit", bp_queued(world.pool),
            model_queued());
}

static void check_needs(void) {
    REQUIRE(bp_has_waiters(world.pool) == (!it->is_paused && model_waiting() != 0), "bp_has_waiters is wrong");
    REQUIRE(bp_has_permit_for_waiter(world.pool) ==
                (!it->is_paused && model_queued() != 0 && model_total() < it->hard_limit),
            "bp_has_permit_for_waiter is wrong");
    REQUIRE(bp_has_excess(world.pool) == model_has_excess(), "bp_has_excess is wrong");
    REQUIRE(bp_needs_reconcile(world.pool) == model_needs_reconcile(), "bp_needs_reconcile is wrong");
    REQUIRE(bp_next_deadline(world.pool) == it->promised, "bp_next_deadline says %llu, and %llu was promised",
            (unsigned long long)bp_next_deadline(world.pool), (unsigned long long)it->promised);
    uint64_t age = bp_oldest_lease_age(world.pool, it->now);
    REQUIRE(age == model_oldest_age(), "the oldest lease is %llu old, it says, and it is %llu", (unsigned long long)age,
            (unsigned long long)model_oldest_age());
}

static void check_slot(unsigned index, unsigned *seen) {
    bp_slot_view view;
    REQUIRE(bp_slot_at(world.pool, index, &view) == BP_OK, "slot %u is not seen", index);
    model_slot *slot = model_slot_of(view.lease);
    REQUIRE(slot != NULL, "bp_slot_at shows what was never a slot");
    unsigned number = (unsigned)(slot - it->slots);
    REQUIRE((*seen & 1u << number) == 0, "bp_slot_at shows a slot twice");
    *seen |= 1u << number;
    REQUIRE(view.state == slot->state && view.lease.serial == slot->lease.serial,
            "bp_slot_at shows state %u and serial %llu instead of %u and %llu", (unsigned)view.state,
            (unsigned long long)view.lease.serial, (unsigned)slot->state, (unsigned long long)slot->lease.serial);
    bool is_current = slot->state != BP_SLOT_VACANT && slot->state != BP_SLOT_IDLE;
    REQUIRE(bp_lease_is_current(world.pool, slot->lease) == is_current, "bp_lease_is_current is wrong");
    void *element = (char *)slot->lease.slot + bp_element_offset(world.pool);
    REQUIRE(bp_element(world.pool, slot->lease) == (is_current ? element : NULL), "bp_element is wrong");
    bp_lease ended = {slot->lease.slot, slot->lease.serial - 1};
    REQUIRE(!bp_lease_is_current(world.pool, ended) && bp_element(world.pool, ended) == NULL,
            "a lease that has ended is current");
}

static void check_slots(void) {
    unsigned seen = 0;
    for (unsigned i = 0; i < it->slot_count; i++) {
        check_slot(i, &seen);
    }
    bp_slot_view view = {.size = sizeof view, .state = BP_SLOT_CLOSING, .lease = {NULL, 77}};
    REQUIRE(bp_slot_at(world.pool, it->slot_count, &view) == BP_EMPTY && view.lease.slot == NULL,
            "a slot is seen that was never used");
}

void model_check_queries(void) {
    look_begin();
    check_limits();
    check_counts();
    check_needs();
    check_slots();
    look_end();
}
