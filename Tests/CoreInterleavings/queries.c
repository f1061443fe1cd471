/* SPDX-License-Identifier: Apache-2.0 */

/* What the queries of bp_pool.h must answer when no call runs. See queries.h. */
#include "queries.h"

#include "heap.h"
#include "world.h"

static void check_limits(const inspection *found) {
    uint32_t max_size, hard_limit;
    uint64_t now = world.now + 1;
    bool is_shut_down = bp_is_shut_down(world.pool);
    bp_status status = bp_limits(world.pool, &max_size, &hard_limit);
    REQUIRE(status == (is_shut_down ? BP_SHUT_DOWN : BP_OK), "bp_limits returned %s", bp_status_name(status));
    REQUIRE(register_may_be(&world.limits, limits_value(max_size, hard_limit), now, now),
            "limits of %u and %u, which no call has set last", max_size, hard_limit);
    REQUIRE(is_shut_down == (max_size == 0 && hard_limit == 0), "bp_is_shut_down says %d, and the limits are %u and %u",
            is_shut_down, max_size, hard_limit);
    REQUIRE(register_may_be(&world.pauses, bp_is_paused(world.pool), now, now),
            "bp_is_paused says %d, which no call has set last", bp_is_paused(world.pool));
    REQUIRE(found->max_size == max_size && found->hard_limit == hard_limit, "bp_limits does not say what is there");
}

static void check_statistics(const inspection *found) {
    bp_pool_statistics statistics;
    REQUIRE(bp_pool_statistics_get(world.pool, &statistics) == BP_OK, "no statistics");
    REQUIRE(statistics.idle == found->idle && statistics.in_use == found->in_use &&
                statistics.opening == found->opening && statistics.closing == found->closing &&
                statistics.waiting == found->alive,
            "statistics are not exact at rest");
    REQUIRE(statistics.max_size == found->max_size && statistics.hard_limit == found->hard_limit &&
                statistics.is_shut_down == bp_is_shut_down(world.pool),
            "the limits in the statistics are others");
    REQUIRE(bp_total(world.pool) == found->total, "bp_total is not exact at rest");
    REQUIRE(bp_waiting(world.pool) == found->alive, "bp_waiting is not exact at rest");
    REQUIRE(bp_queued(world.pool) == found->alive_without_permit, "bp_queued is not exact at rest");
}

static void check_needs(const inspection *found) {
    bool has_excess = !found->keeps_excess && found->total - found->closing > found->max_size;
    bool has_waiters = !found->is_paused && found->alive != 0;
    REQUIRE(bp_has_excess(world.pool) == has_excess, "bp_has_excess is wrong at rest");
    REQUIRE(bp_has_waiters(world.pool) == has_waiters, "bp_has_waiters is wrong at rest");
    REQUIRE(bp_needs_reconcile(world.pool) ==
                (found->alive != 0 || has_excess || found->is_paused || bp_is_shut_down(world.pool)),
            "bp_needs_reconcile is wrong at rest");
    REQUIRE(bp_has_permit_for_waiter(world.pool) ==
                (!found->is_paused && found->alive_without_permit != 0 && found->total < found->hard_limit),
            "bp_has_permit_for_waiter is wrong at rest");
}

/*
 * The answer is no later than the earliest deadline of the waiters. If no waiter ever had a deadline, it is
 * BP_NO_DEADLINE.
 */
static void check_next_deadline(void) {
    uint64_t next = bp_next_deadline(world.pool), earliest = BP_NO_DEADLINE;
    bool had_one = false;
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        had_one = had_one || it->deadline == next;
        earliest = is_waiting(it) && it->deadline < earliest ? it->deadline : earliest;
    }
    for (unsigned i = 0; i < world.request_deadline_count; i++) {
        had_one = had_one || world.request_deadlines[i] == next;
    }
    /* A call of bp_expire without room for all waiters is to be repeated at once. */
    had_one = had_one || next <= world.expired_at;
    REQUIRE(next <= earliest || next <= world.expired_at, "bp_next_deadline says %llu, and a deadline is at %llu",
            (unsigned long long)next, (unsigned long long)earliest);
    REQUIRE(next == BP_NO_DEADLINE || had_one, "bp_next_deadline says what was never a deadline");
}

static void check_slots(const inspection *found) {
    bp_slot_view view;
    for (unsigned i = 0; i < found->used_slots; i++) {
        REQUIRE(bp_slot_at(world.pool, i, &view) == BP_OK && view.lease.slot == inspect_slot(world.pool, i),
                "bp_slot_at does not show slot %u", i);
        bool is_current = view.state != BP_SLOT_VACANT && view.state != BP_SLOT_IDLE;
        char *element = (char *)view.lease.slot + bp_element_offset(world.pool);
        REQUIRE(bp_lease_is_current(world.pool, view.lease) == is_current, "bp_lease_is_current is wrong at rest");
        REQUIRE(bp_element(world.pool, view.lease) == (is_current ? element : NULL), "bp_element is wrong at rest");
    }
    REQUIRE(bp_slot_at(world.pool, found->used_slots, &view) == BP_EMPTY, "a slot is seen that was never used");
}

/* The pool does not count the alignment and the pointer in each block: see bp__allocate_zeroed. */
static void check_memory(void) {
#ifdef EXPLORED_SWIFT_CORE /* Its blocks have several alignments, and it does not count the small ones. */
    REQUIRE(bp_pool_memory(world.pool) <= heap_bytes(), "%zu bytes, it says, and %zu were allocated",
            bp_pool_memory(world.pool), heap_bytes());
#else
    size_t overhead = heap_blocks() * (64 + sizeof(void *)) + 64;
    REQUIRE(bp_pool_memory(world.pool) + overhead == heap_bytes(), "%zu bytes, it says, and %zu were allocated",
            bp_pool_memory(world.pool), heap_bytes() - overhead);
#endif
}

void check_queries(const inspection *found) {
    look_begin();
    check_limits(found);
    check_statistics(found);
    check_needs(found);
    check_next_deadline();
    check_slots(found);
    check_memory();
    REQUIRE(bp_pool_owner(world.pool) == &world, "the owner is another one");
    look_end();
}
