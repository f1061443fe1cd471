/* SPDX-License-Identifier: Apache-2.0 */

/* The invariants of the pool, checked while no thread runs: at rest, with one thread frozen, and at the end. */
#include "heap.h"
#include "inspect.h"
#include "queries.h"
#include "world.h"

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

static unsigned distance(unsigned a, unsigned b) {
    return a < b ? b - a : a - b;
}

static unsigned waits_prepared(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        count += it->prepared && it->joined == BP_EMPTY;
    }
    return count;
}

static unsigned waits_undelivered(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        count += it->joined == BP_OK && !is_waiting(it) && it->resumed == 0;
    }
    return count;
}

/* Returns how many waiters wait although an idle connection or a permit could serve them. */
static unsigned waiting_needlessly(const inspection *found) {
    if (found->is_paused) {
        return 0;
    }
    unsigned connections = least(found->alive, found->idle);
    /* Without memory no slot can be made for a permit. */
    unsigned permits = found->hard_limit > found->total && !heap_may_fail ? found->hard_limit - found->total : 0;
    return connections + least(least(found->alive_without_permit, permits), found->alive - connections);
}

void check_at_rest(void) {
    if (world.pool == NULL) {
        return;
    }
    inspection found = inspect(world.pool);
    REQUIRE(found.broken == NULL, "%s", found.broken);
    unsigned out = found.in_use + found.opening + found.closing;
    REQUIRE(found.nowhere == 0, "%u slots are in no place", found.nowhere);
    REQUIRE(out == slots_held(), "%u slots are out, and %u have an owner", out, slots_held());
    REQUIRE(found.total == found.idle + out, "the total is %u, but %u exist", found.total, found.idle + out);
    REQUIRE(found.used_slots <= world.greatest_limit, "%u slots where %u connections are allowed", found.used_slots,
            world.greatest_limit);
    REQUIRE(found.total_closing == found.closing, "%u count as closing, but %u are", found.total_closing,
            found.closing);
    REQUIRE(found.waiting == found.alive, "%u count as waiting, but %u do", found.waiting, found.alive);
    REQUIRE(found.waiting_without_permit == found.alive_without_permit, "%u count as waiting for a permit, but %u do",
            found.waiting_without_permit, found.alive_without_permit);
    REQUIRE(found.dead == found.linked_dead, "%u nodes count as dead, but %u are", (unsigned)found.dead,
            found.linked_dead);
    REQUIRE(found.linked_handed_off <= 1, "%u nodes of waiters that were served are in the queue",
            found.linked_handed_off);
    REQUIRE(found.linked + found.free_nodes + waits_prepared() == found.used_nodes,
            "%u nodes, of them %u in the queue, %u free, %u held", found.used_nodes, found.linked, found.free_nodes,
            waits_prepared());
    REQUIRE(found.tail_is_last, "the tail is not the last node");
    REQUIRE(waiting_needlessly(&found) == 0, "%u wait beside %u idle connections and %u of %u places taken",
            found.alive, found.idle, found.total, found.hard_limit);
    REQUIRE(found.keeps_excess || found.idle == 0 || out != 0 || found.total <= found.max_size,
            "%u connections are idle, %u may be", found.idle, found.max_size);
    REQUIRE(found.idle == 0 || found.total - found.closing <= found.hard_limit,
            "%u connections are idle, and there are %u more than the hard limit", found.idle,
            found.total - found.closing - found.hard_limit);
    REQUIRE(waits_undelivered() == 0, "a waiter has gone from the queue and is not resumed");
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(!is_waiting(it) || it->deadline >= world.timer, "nobody has promised to look at a deadline");
        REQUIRE(it->joined == BP_OK || it->resumed == 0, "resumed without having waited");
        REQUIRE(!it->cancelled_early || it->joined == BP_EMPTY || it->joined == BP_CANCELLED,
                "cancelled before it joined, and told something else");
    }
    check_queries(&found);
}

/*
 * Counts the waits of the other threads only, because no other thread loses anything if the frozen thread does not
 * serve itself.
 */
static void count_alive_of_others(unsigned thread, inspection *found) {
    if (world.wait_count == 0) {
        return; /* The scenario does not track them. */
    }
    found->alive = found->alive_without_permit = 0;
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        ticket_state state =
            it->prepared && it->thread != thread ? inspect_ticket(world.pool, it->ticket) : TICKET_NONE;
        found->alive += state == TICKET_WAITING || state == TICKET_OPENING;
        found->alive_without_permit += state == TICKET_WAITING;
    }
}

/*
 * One thread is frozen, and the other threads can do no more. What the frozen thread holds is missing, and nothing else
 * may be: a connection, a waiter that it is about to resume, a node that it moves, a slot that it counts.
 */
void check_frozen(unsigned thread) {
    if (world.pool == NULL) {
        return; /* A thread has destroyed it. */
    }
    inspection found = inspect(world.pool);
    unsigned allowed = world.freeze_allowance;
    REQUIRE(found.broken == NULL, "thread %u frozen: %s", thread, found.broken);
    unsigned out = found.in_use + found.opening + found.closing;
    unsigned in_hand = found.nowhere + out - slots_held();
    count_alive_of_others(thread, &found);
    unsigned late = waiting_needlessly(&found);
    REQUIRE(in_hand + late <= allowed, "thread %u frozen: %u connections are in its hand, %u waiters could be served",
            thread, in_hand, late);
    REQUIRE(distance(found.total, found.idle + out) <= 1, "thread %u frozen: the total is %u, but %u exist", thread,
            found.total, found.idle + out);
    REQUIRE(waits_undelivered() <= allowed, "thread %u frozen: %u waiters have gone and are not resumed", thread,
            waits_undelivered());
    unsigned nodes = found.linked + found.free_nodes + waits_prepared();
    REQUIRE(distance(nodes, found.used_nodes) <= 1, "thread %u frozen: %u nodes, and %u accounted for", thread,
            found.used_nodes, nodes);
    if (world.when_frozen != NULL) {
        world.when_frozen(thread);
    }
}

static void reclaim_delivered(void) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        wait *it = &world.waits[i];
        if (it->resumed != 0 && it->outcome == BP_OK && !it->parked && !it->picked_up) {
            it->picked_up = true;
            own(it->lease, true);
            release_lease(it->lease);
        }
    }
}

static void begin_finish(void) {
    if (world.pool == NULL) {
        return;
    }
    shut_down();
    reclaim_leases();
    reclaim_delivered();
}

static void check_all_gone(void) {
    REQUIRE(world.pool != NULL || world.opened == world.closed, "%u connections opened, %u closed", world.opened,
            world.closed);
    if (world.pool == NULL) {
        return;
    }
    inspection found = inspect(world.pool);
    check_at_rest();
    REQUIRE(found.total == 0, "%u connections are left after shutdown", found.total);
    REQUIRE(found.alive == 0, "%u waiters are left after shutdown", found.alive);
    REQUIRE(world.opened == world.closed, "%u connections opened, %u closed", world.opened, world.closed);
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it->joined != BP_OK || it->resumed == 1, "a waiter was never resumed");
    }
    REQUIRE(bp_pool_destroy(world.pool) == BP_OK, "the pool cannot be destroyed");
    world.pool = NULL;
}

bool finish_world(void) {
    return passes(begin_finish) && run_on() && passes(check_all_gone);
}
