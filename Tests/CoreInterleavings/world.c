/* SPDX-License-Identifier: Apache-2.0 */

/* The pool under exploration: its set-up, and the owners of its connections. */
#include "world_internal.h"

#include "memory.h"

#include <string.h>

world_state world;

uint64_t explored_purge_slack, explored_purge_limit;
uint32_t explored_stripes, stripes_of_scenario;

connection *connection_of(bp_lease lease) {
    return (connection *)((char *)lease.slot + bp_element_offset(world.pool));
}

unsigned self(void) {
    return this_thread() == NOBODY ? SET_UP_OWNER : this_thread() + 2;
}

uint32_t explored_home_number(void) {
    if (!threads_run()) {
        return 0;
    }
    return this_thread() + (world.stripes > 1 ? choose(2) : 0);
}

uint64_t event(void) {
    return ++world.now;
}

static void note_begin(bp_lease lease) {
    if (world.lease_count == MOST_LEASE_NOTES) {
        return;
    }
    for (unsigned i = 0; i < world.lease_count; i++) {
        world.lease_notes[i].is_latest = world.lease_notes[i].is_latest && world.lease_notes[i].slot != lease.slot;
    }
    uint64_t began = event();
    world.lease_notes[world.lease_count++] = (lease_note){
        .slot = lease.slot,
        .began = began,
        .dated = world.observing != 0 ? world.observing : began,
        .is_latest = true,
    };
}

static void note_end(bp_lease lease) {
    for (unsigned i = 0; i < world.lease_count; i++) {
        lease_note *it = &world.lease_notes[i];
        if (it->slot == lease.slot && it->ended == 0) {
            it->ended = event();
        }
    }
}

void own(bp_lease lease, bool is_open) {
    connection *it = connection_of(lease);
    REQUIRE(it->owner == NO_OWNER, "a slot has two owners");
    it->owner = self();
    REQUIRE(it->is_open == is_open, is_open ? "a lease without a connection" : "a permit for a slot in use");
    if (is_open) {
        note_begin(lease);
    }
    if (world.checks_contents && threads_run()) {
        uint64_t found = bp__load_relaxed(&it->content);
        REQUIRE(found == it->expected, "an owner does not see what the previous one wrote");
        it->expected = ++world.stamp;
        bp__store_relaxed(&it->content, it->expected);
    }
}

void disown(bp_lease lease) {
    connection *it = connection_of(lease);
    REQUIRE(it->owner == self(), "a lease is released by a thread that does not own it");
    it->owner = NO_OWNER;
    note_end(lease);
}

void set_open(bp_lease lease, bool is_open) {
    connection *it = connection_of(lease);
    REQUIRE(it->is_open != is_open, is_open ? "opened twice" : "closed twice");
    it->is_open = is_open;
    *(is_open ? &world.opened : &world.closed) += 1;
    (is_open ? note_begin : note_end)(lease);
}

static void create(const bp_pool_configuration *limits) {
    memset(&world, 0, sizeof world);
    bp_pool_configuration configuration = *limits;
    stripes_of_scenario = limits->stripes;
    if (explored_stripes != 0) {
        configuration.stripes = explored_stripes;
    }
    configuration.element_size = sizeof(connection);
    configuration.element_alignment = _Alignof(connection);
    configuration.owner = &world;
    REQUIRE(bp_pool_create(&configuration, &world.pool) == BP_OK, "the pool cannot be created");
    world.stripes = configuration.stripes;
    world.greatest_limit = limits->hard_limit;
    world.max_waiters = limits->max_waiters;
    world.keeps_excess = limits->keep_excess;
    world.timer = BP_NO_DEADLINE;
    register_set(&world.limits, limits_value(limits->max_size, limits->hard_limit));
    register_set(&world.pauses, false);
    world.clock_base = UINT64_C(1) << 40;
    world.freeze_allowance = 1;
    world.checks_contents = model != MEMORY_SC;
}

void world_create(uint32_t max_size, uint32_t hard_limit, uint32_t stripes) {
    create(&(bp_pool_configuration){.max_size = max_size, .hard_limit = hard_limit, .stripes = stripes});
}

void world_create_limited(uint32_t max_size, uint32_t hard_limit, uint32_t stripes, uint32_t max_waiters) {
    create(&(bp_pool_configuration){
        .max_size = max_size, .hard_limit = hard_limit, .stripes = stripes, .max_waiters = max_waiters});
}

void world_create_keeping_excess(uint32_t max_size, uint32_t hard_limit, uint32_t stripes) {
    create(&(bp_pool_configuration){
        .max_size = max_size, .hard_limit = hard_limit, .stripes = stripes, .keep_excess = true});
}

static bp_lease open_one(void) {
    bp_lease lease;
    REQUIRE(bp_begin_open_unrequested(world.pool, &lease) == BP_OK, "no permit while setting up");
    own(lease, false);
    set_open(lease, true);
    REQUIRE(bp_finish_open(world.pool, lease) == BP_OK, "bp_finish_open failed");
    return lease;
}

void add_leased(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        world.leases[i] = open_one();
    }
}

bp_lease take_over(unsigned index) {
    connection *it = connection_of(world.leases[index]);
    REQUIRE(it->owner == SET_UP_OWNER, "a lease is taken over twice");
    it->owner = self();
    return world.leases[index];
}

bp_lease surrender(unsigned index) {
    connection_of(take_over(index))->owner = NO_OWNER;
    return world.leases[index];
}

void reclaim_leases(void) {
    for (unsigned i = 0; i < sizeof world.leases / sizeof *world.leases; i++) {
        bp_lease lease = world.leases[i];
        if (lease.slot != NULL && connection_of(lease)->owner == SET_UP_OWNER &&
            bp_lease_is_current(world.pool, lease)) {
            release_lease(lease);
        }
    }
}

wait *add_waiter(uint64_t deadline) {
    wait *it = prepare(deadline);
    REQUIRE(it != NULL && join_queue(it), "no waiter while setting up");
    return it;
}

void add_idle(unsigned count) {
    bp_lease leases[8];
    for (unsigned i = 0; i < count; i++) {
        leases[i] = open_one();
    }
    for (unsigned i = 0; i < count; i++) {
        disown(leases[i]);
        bp_release(world.pool, leases[i]);
    }
}

unsigned slots_held(void) {
    unsigned held = 0, used = inspect(world.pool).used_slots;
    for (unsigned i = 0; i < used; i++) {
        held += connection_of((bp_lease){inspect_slot(world.pool, i), 0})->owner != NO_OWNER;
    }
    for (unsigned i = 0; i < world.wait_count; i++) {
        held += world.waits[i].resumed != 0 && world.waits[i].outcome == BP_OK && !world.waits[i].picked_up;
    }
    return held;
}
