/* SPDX-License-Identifier: Apache-2.0 */

/* The loop that bp_pool.h documents. */
#include "world_internal.h"

void note_permit(bp_lease permit) {
    look_begin();
    unsigned total = bp_total(world.pool);
    look_end();
    REQUIRE(total <= world.greatest_limit, "%u connections where %u are allowed", total, world.greatest_limit);
    own(permit, false);
}

static void resume_with(wait *it, bp_lease lease) {
    disown(lease);
    resume(it, BP_OK, lease);
}

void end_close(bp_lease lease) {
    set_open(lease, false);
    disown(lease);
    REQUIRE(bp_finish_close(world.pool, lease) == BP_OK, "bp_finish_close failed");
}

bool close_if(bp_status (*begin_close)(bp_pool *pool, bp_lease lease), bp_lease lease) {
    bp_status status = begin_close(world.pool, lease);
    if (status != BP_OK) {
        REQUIRE(status == BP_EMPTY, "the begin of a close returned %s", bp_status_name(status));
        return false;
    }
    end_close(lease);
    return true;
}

static void hand_off_or_return(bp_lease lease) {
    if (close_if(bp_begin_close_above_hard_limit, lease)) {
        return;
    }
    void *context;
    if (bp_hand_off(world.pool, &context) == BP_OK) {
        wait *it = context;
        require_nobody_older(it->join_began, it, "an older waiter was passed over");
        resume_with(it, lease);
    } else {
        disown(lease);
        REQUIRE(bp_return_idle(world.pool, lease) == BP_OK, "bp_return_idle failed");
    }
}

static void note_opening(bp_ticket ticket, uint64_t asked) {
    wait *it = find_wait(ticket);
    if (it != NULL) {
        REQUIRE(!it->opened_for, "two permits for one waiter");
        it->opened_for = true;
        require_nobody_older_without_permit(it->join_began, asked, it, "an older waiter was passed over for a permit");
    }
}

/* Tries both orders: before the permit has ended, and afterwards. */
static void requeue_without_opening(bp_ticket ticket, bp_lease permit) {
    bool first = this_thread() % 2 == 1;
    if (first) {
        requeue(ticket);
    }
    disown(permit);
    REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open failed");
    if (!first) {
        requeue(ticket);
    }
}

static void open_for(bp_ticket ticket, bp_lease permit, uint64_t asked) {
    void *context;
    note_opening(ticket, asked);
    note_permit(permit);
    bool opens = world.opens_to_fail == 0;
    if (!opens && world.requeues != 0) {
        world.opens_to_fail--;
        world.requeues--;
        requeue_without_opening(ticket, permit);
        return;
    }
    if (opens) {
        set_open(permit, true);
        REQUIRE(bp_finish_open(world.pool, permit) == BP_OK, "bp_finish_open failed");
    } else {
        world.opens_to_fail--;
        disown(permit);
        REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open failed");
    }
    bool claimed = bp_wait_claim(world.pool, ticket, &context) == BP_OK;
    if (claimed && opens) {
        resume_with(context, permit);
    } else if (claimed) {
        resume(context, RESUMED_OPEN_FAILED, none);
    } else if (opens) {
        disown(permit);
        bp_status status = bp_release(world.pool, permit);
        REQUIRE(status == BP_OK || status == BP_RECONCILE, "bp_release failed");
    }
}

static void close_or_return(bp_lease lease) {
    if (!close_if(world.keeps_excess ? bp_begin_close_above_hard_limit : bp_begin_close_excess, lease)) {
        disown(lease);
        REQUIRE(bp_return_idle(world.pool, lease) == BP_OK, "bp_return_idle failed");
    }
}

void reconcile(void) {
    for (;;) {
        bp_lease lease;
        bp_ticket ticket;
        uint64_t asked = event();
        bool waits = bp_has_waiters(world.pool);
        if (waits) {
            require_not_paused(asked, "served while the pool is paused");
        } else if (!bp_has_excess(world.pool)) {
            return;
        }
        if (bp_take_idle(world.pool, &lease) == BP_OK) {
            own(lease, true);
            (waits ? hand_off_or_return : close_or_return)(lease);
        } else if (waits && bp_begin_open(world.pool, &ticket, &lease) == BP_OK) {
            open_for(ticket, lease, asked);
        } else {
            return;
        }
    }
}
