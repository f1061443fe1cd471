/* SPDX-License-Identifier: Apache-2.0 */

/* Checks of what a call was given: no waiter overtaken, nothing after a shutdown or while the pool is paused. */
#include "world_internal.h"

#include "memory.h"

bool is_waiting(const wait *it) {
    ticket_state state = it->joined == BP_OK ? inspect_ticket(world.pool, it->ticket) : TICKET_NONE;
    return state == TICKET_WAITING || state == TICKET_OPENING;
}

/* Requires that no other waiter that had joined before `time` still waits. */
void require_nobody_older(uint64_t time, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || !is_waiting(it) || it->join_ended >= time, "%s", what);
    }
}

/* Requires the same for a permit. A waiter that was requeued since the permit was requested may have come too late. */
void require_nobody_older_without_permit(uint64_t time, uint64_t asked, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || it->joined != BP_OK || inspect_ticket(world.pool, it->ticket) != TICKET_WAITING ||
                    it->join_ended >= time || it->requeued >= asked,
                "%s", what);
    }
}

/*
 * A new caller looks for waiters before it takes. On a weakly ordered CPU, "before" covers only what the thread knows:
 * nothing tells it of a waiter or a shutdown of which no other thread has told it. So these rules do not hold in the
 * view model.
 */
void require_not_overtaking(uint64_t began, const char *what) {
    if (model != MEMORY_VIEW) {
        require_nobody_older(began, NULL, what);
    }
}

void require_not_overtaking_for_permit(uint64_t began, const char *what) {
    if (model != MEMORY_VIEW) {
        require_nobody_older_without_permit(began, began, NULL, what);
    }
}

void require_open_for_business(uint64_t began, const char *what) {
    REQUIRE(model == MEMORY_VIEW || world.shut_down_at == 0 || began < world.shut_down_at, "%s", what);
}

/* Requires that a call which began and ended during one pause has not got anything. */
void require_not_paused(uint64_t began, const char *what) {
    REQUIRE(model == MEMORY_VIEW || world.paused_at == 0 || began < world.paused_at, "%s", what);
}

/* Requires that a call which returns BP_SHUT_DOWN is right. */
void require_known_shutdown(bp_status status) {
    REQUIRE(status != BP_SHUT_DOWN || world.is_being_shut_down,
            "a call returned BP_SHUT_DOWN before the pool was shut down");
}
