/* SPDX-License-Identifier: Apache-2.0 */

/* The calls of bp_pool.h, with checks of what they return. */
#include "world_internal.h"

#include "heap.h"

bp_lease try_acquire(void) {
    uint64_t began = event();
    bp_lease lease = bp_try_acquire(world.pool);
    if (lease.slot != NULL) {
        require_not_overtaking(began, "a new caller took a connection that a waiter waits for");
        require_open_for_business(began, "leased after shutdown");
        require_not_paused(began, "leased while the pool is paused");
        own(lease, true);
    }
    return lease;
}

void release_lease(bp_lease lease) {
    disown(lease);
    /* There are two ways to release. Each scenario uses both. */
    bool exclusive = this_thread() % 2 == 1;
    bp_status status = exclusive ? bp_release_exclusive(world.pool, lease) : bp_release(world.pool, lease);
    REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_release returned %s", bp_status_name(status));
    if (status == BP_RECONCILE) {
        reconcile();
    }
}

bool take_permit(bp_lease *permit) {
    uint64_t began = event();
    bp_status status = bp_begin_open_unrequested(world.pool, permit);
    require_known_shutdown(status);
    if (status != BP_OK) {
        REQUIRE(status == BP_EMPTY || status == BP_LIMIT_REACHED || status == BP_SHUT_DOWN ||
                    (status == BP_OUT_OF_MEMORY && heap_may_fail),
                "bp_begin_open_unrequested returned %s", bp_status_name(status));
        return false;
    }
    require_not_overtaking_for_permit(began, "a new caller took a permit that a waiter waits for");
    require_open_for_business(began, "a permit after shutdown");
    require_not_paused(began, "a permit while the pool is paused");
    note_permit(*permit);
    return true;
}

bool open_with(bp_lease permit) {
    if (world.opens_to_fail != 0) {
        world.opens_to_fail--;
        disown(permit);
        REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open failed");
        reconcile();
        return false;
    }
    set_open(permit, true);
    REQUIRE(bp_finish_open(world.pool, permit) == BP_OK, "bp_finish_open failed");
    return true;
}

bool acquire(bp_lease *lease) {
    *lease = try_acquire();
    if (lease->slot != NULL) {
        return true;
    }
    if (take_permit(lease)) {
        return open_with(*lease);
    }
    wait *it = prepare(BP_NO_DEADLINE);
    return it != NULL && join_queue(it) && park(it, lease);
}

bool is_dead(bp_lease lease) {
    (void)lease;
    if (world.opens_dead == 0) {
        return false;
    }
    world.opens_dead--;
    return true;
}

void end_close_and_reconcile(bp_lease lease) {
    end_close(lease);
    reconcile();
}

void discard(bp_lease lease) {
    REQUIRE(bp_begin_close(world.pool, lease) == BP_OK, "bp_begin_close failed");
    end_close_and_reconcile(lease);
}

void detach(bp_lease lease) {
    set_open(lease, false);
    disown(lease);
    REQUIRE(bp_detach(world.pool, lease) == BP_OK, "bp_detach failed");
    reconcile();
}

uint64_t limits_value(uint32_t max_size, uint32_t hard_limit) {
    return (uint64_t)max_size << 32 | hard_limit;
}

static void end_write(value_write *it, bool had_effect) {
    *(had_effect ? &it->ended : &it->began) = had_effect ? event() : UINT64_MAX;
}

void set_limits(uint32_t max_size, uint32_t hard_limit) {
    world.greatest_limit = hard_limit > world.greatest_limit ? hard_limit : world.greatest_limit;
    value_write *it = register_begin(&world.limits, limits_value(max_size, hard_limit), event());
    bp_status status = bp_resize(world.pool, max_size, hard_limit);
    require_known_shutdown(status);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_resize returned %s", bp_status_name(status));
    end_write(it, status == BP_OK);
}

void resize(uint32_t max_size, uint32_t hard_limit) {
    set_limits(max_size, hard_limit);
    reconcile();
}

void pause_pool(void) {
    value_write *it = register_begin(&world.pauses, true, event());
    bp_status status = bp_pause(world.pool);
    require_known_shutdown(status);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_pause returned %s", bp_status_name(status));
    end_write(it, status == BP_OK);
    if (status == BP_OK && !world.is_being_shut_down) {
        world.paused_at = event();
    }
}

void resume_pool(void) {
    world.paused_at = 0;
    value_write *it = register_begin(&world.pauses, false, event());
    REQUIRE(bp_resume(world.pool) == BP_OK, "bp_resume failed");
    end_write(it, true);
    reconcile();
}

void begin_shutdown(void) {
    world.is_being_shut_down = true;
    world.paused_at = 0;
    register_begin(&world.limits, limits_value(0, 0), event())->is_last = true;
    register_begin(&world.pauses, false, event())->is_last = true;
}

/* All shutdowns have the same effect, so it does not matter which of those under way is the one that has ended. */
static void end_last(value_register *it) {
    for (unsigned i = 0; i < it->count; i++) {
        if (it->writes[i].is_last && it->writes[i].ended == UINT64_MAX) {
            it->writes[i].ended = event();
            return;
        }
    }
}

void end_shutdown(void) {
    end_last(&world.limits);
    end_last(&world.pauses);
}

static void keep(bp_lease lease) {
    disown(lease);
    bp_status status = bp_sweep_keep(world.pool, lease);
    REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_sweep_keep returned %s", bp_status_name(status));
    if (status == BP_RECONCILE) {
        reconcile();
    }
}

void sweep_some(unsigned count) {
    bp_lease lease;
    for (unsigned i = 0; i < count && bp_sweep_next(world.pool, &lease) == BP_OK; i++) {
        own(lease, true);
        if (is_dead(lease)) {
            discard(lease);
            continue;
        }
        keep(lease);
    }
}

void end_sweep(void) {
    bp_status status;
    while ((status = bp_sweep_end(world.pool)) != BP_EMPTY) {
        REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_sweep_end returned %s", bp_status_name(status));
        if (status == BP_RECONCILE) {
            reconcile();
        }
    }
}

void sweep_idle(unsigned count) {
    sweep_some(count);
    end_sweep();
}

void sweep_excess(unsigned count) {
    bp_lease lease;
    for (unsigned i = 0; i < count && bp_sweep_next(world.pool, &lease) == BP_OK; i++) {
        own(lease, true);
        if (close_if(bp_begin_close_excess, lease)) {
            reconcile();
        } else {
            keep(lease);
        }
    }
    end_sweep();
}

void shut_down(void) {
    begin_shutdown();
    REQUIRE(bp_shutdown(world.pool) == BP_OK, "bp_shutdown failed");
    end_shutdown();
    if (world.shut_down_at == 0) {
        world.shut_down_at = event();
    }
    void *context;
    while (bp_hand_off(world.pool, &context) == BP_OK) {
        resume(context, BP_SHUT_DOWN, none);
    }
    reconcile();
}
