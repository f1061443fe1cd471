/* SPDX-License-Identifier: Apache-2.0 */

/* Slots that are observed by other threads, and closes that another thread finishes. */
#include "scenario.h"
#include "steps.h"

#include "atomics.h"
#include "inspect.h"

static void check_once(void) {
    REQUIRE(world.counted == 1, "the close ended %u times", world.counted);
}

static void set_up_leased(void) {
    world_create(2, 2, 1);
    add_leased(1);
    disown(world.leases[0]);
    REQUIRE(bp_begin_close(world.pool, world.leases[0]) == BP_OK, "bp_begin_close failed");
}

/* The closing thread, and another one that finds that the close takes too long. The slot is used again immediately. */
static void finish_close_twice(unsigned thread) {
    if (thread < 2) {
        bp_status status = bp_finish_close(world.pool, world.leases[0]);
        REQUIRE(status == BP_OK || status == BP_STALE_LEASE, "bp_finish_close returned %s", bp_status_name(status));
        world.counted += status == BP_OK;
        world.closed += status == BP_OK;
        reconcile();
    }
    bp_lease permit;
    REQUIRE(bp_begin_open_unrequested(world.pool, &permit) != BP_OK ||
                (bp_total(world.pool) <= 2 && bp_cancel_open(world.pool, permit) == BP_OK),
            "more than two slots");
}

static void check_closed_once(void) {
    check_once();
    REQUIRE(bp_total(world.pool) == 0, "%u slots are in use", bp_total(world.pool));
}

/* A thread that sees a slot in the state closing also sees what was written before the close began. */
static bp_atomic64 note;

static void set_up_view(void) {
    world_create(2, 2, 1);
    add_leased(1);
    bp__store_relaxed(&note, 0);
}

static void close_or_look(unsigned thread) {
    if (thread == 0) {
        bp__store_relaxed(&note, 1);
        discard(take_over(0));
        return;
    }
    bp_slot_view view;
    REQUIRE(bp_slot_at(world.pool, 1, &view) == BP_EMPTY, "a slot that was never used is reported");
    REQUIRE(bp_slot_at(world.pool, 0, &view) == BP_OK, "a slot is not reported");
    REQUIRE(view.lease.slot == world.leases[0].slot && view.lease.serial == world.leases[0].serial,
            "another lease is reported");
    if (view.state != BP_SLOT_IN_USE) {
        REQUIRE(view.state == BP_SLOT_CLOSING || view.state == BP_SLOT_VACANT, "a slot is reported in state %u",
                (unsigned)view.state);
        REQUIRE(bp__load_relaxed(&note) == 1, "a slot is reported as closing, without what was written before");
    }
}

/* Slots are observed while they are created. */
static void set_up_growth(void) {
    world_create(4, 4, 1);
}

static void open_or_look(unsigned thread) {
    if (thread == 0) {
        for (unsigned i = 0; i < 2; i++) {
            bp_lease lease;
            REQUIRE(take_permit(&lease) && open_with(lease), "no permit");
            detach(lease);
            REQUIRE(take_permit(&world.leases[i]) && open_with(world.leases[i]), "no permit");
        }
        release_lease(world.leases[0]);
        release_lease(world.leases[1]);
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        bp_slot_view view = {.state = BP_SLOT_IN_USE, .lease = {NULL, 1}};
        bp_status status = bp_slot_at(world.pool, i, &view);
        REQUIRE(status == BP_OK || (status == BP_EMPTY && view.lease.slot == NULL), "bp_slot_at returned %s",
                bp_status_name(status));
        REQUIRE(status == BP_EMPTY || (view.lease.slot == inspect_slot(world.pool, i) &&
                                       view.state <= BP_SLOT_CLOSING && view.lease.serial <= 4),
                "a slot is reported that does not exist");
        REQUIRE(status == BP_EMPTY || i < 2, "a third slot is reported where two are enough");
    }
}

const scenario observation_scenarios[] = {
    {"finish-close-twice", 3, set_up_leased, finish_close_twice, check_closed_once, true},
    {"view-of-closing-slot", 2, set_up_view, close_or_look, NULL, false},
    {"view-of-growing-table", 2, set_up_growth, open_or_look, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
