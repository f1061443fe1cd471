/* Checks of what a call was given: no waiter overtaken, nothing after a shutdown or while the pool is paused. */
#include "world_internal.h"

#include "memory.h"

bool is_waiting(const wait *it) {
    ticket_state state = it->joined == BP_OK ? inspect_ticket(world.pool, it->ticket) : TICKET_NONE;
    return state == TICKET_WAITING || state == TICKET_OPENING;
}

/* Nobody who had joined before `time`, and still waits, may have been passed over for `other`. */
void require_nobody_older(uint64_t time, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || !is_waiting(it) || it->join_ended >= time, "%s", what);
    }
}

/* The same for a permit. Whoever was sent back into the queue since the permit was asked for may have come too late. */
void require_nobody_older_without_permit(uint64_t time, uint64_t asked, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || it->joined != BP_OK || inspect_ticket(world.pool, it->ticket) != TICKET_WAITING ||
                    it->join_ended >= time || it->requeued >= asked,
                "%s", what);
    }
}

/*
 * A newcomer looks before it takes, and on a weakly ordered CPU "before" is only what it has heard of: there, nothing
 * tells it of a waiter or a shutdown that nobody told it of. So these rules do not hold in the view model.
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

/* Who began to ask while the pool was paused, and has the answer while it still is, is given nothing. */
void require_not_paused(uint64_t began, const char *what) {
    REQUIRE(model == MEMORY_VIEW || world.paused_at == 0 || began < world.paused_at, "%s", what);
}

/* Whoever is told that the pool has been shut down is told the truth. */
void require_known_shutdown(bp_status status) {
    REQUIRE(status != BP_SHUT_DOWN || world.is_being_shut_down, "shut down, it says, and nobody did");
}
