/* SPDX-License-Identifier: Apache-2.0 */

/* Callers that wait, with a fake parker. */
#include "world_internal.h"

#include "heap.h"
#include "memory.h"

void resume(wait *it, bp_status outcome, bp_lease lease) {
    REQUIRE(it->resumed == 0, "a waiter is resumed twice");
    it->outcome = outcome;
    it->lease = lease;
    it->resumed++;
    memory_send(it->index);
}

wait *find_wait(bp_ticket ticket) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        wait *it = &world.waits[i];
        if (it->prepared && it->ticket.value == ticket.value) {
            return it;
        }
    }
    return NULL;
}

wait *prepare(uint64_t deadline) {
    REQUIRE(world.wait_count < MOST_WAITS, "the explorer has room for %d waits only", MOST_WAITS);
    wait *it = &world.waits[world.wait_count];
    it->index = world.wait_count++;
    it->thread = this_thread();
    it->deadline = deadline == BP_NO_DEADLINE ? deadline : deadline + world.clock_base;
    it->joined = BP_EMPTY;
    uint64_t began = event();
    bp_status status = bp_wait_prepare(world.pool, &it->ticket);
    require_known_shutdown(status);
    if (status == BP_SHUT_DOWN || (status == BP_OUT_OF_MEMORY && heap_may_fail)) {
        return NULL;
    }
    REQUIRE(status == BP_OK, "bp_wait_prepare returned %s", bp_status_name(status));
    require_open_for_business(began, "a wait was prepared after shutdown");
    memory_send(it->index);
    it->prepared = true;
    return it;
}

bool join_queue(wait *it) {
    bool arm = false;
    it->join_began = event();
    bp_status status = bp_wait_join(world.pool, it->ticket, it, it->deadline, &arm);
    it->joined = status;
    it->join_ended = event();
    REQUIRE(status == BP_OK || status == BP_CANCELLED || status == BP_SHUT_DOWN ||
                (status == BP_TOO_MANY_WAITERS && world.max_waiters != 0),
            "bp_wait_join returned %s", bp_status_name(status));
    if (status == BP_TOO_MANY_WAITERS) {
        require_open_for_business(it->join_began, "rejected for too many waiters, though the pool has been shut down");
    }
    require_known_shutdown(status);
    REQUIRE(status == BP_OK || it->resumed == 0, "resumed, although its join said that it does not wait");
    REQUIRE(status != BP_OK || !it->cancelled_early, "joined though cancelled");
    world.times_told += arm;
    if (status == BP_OK && arm && it->deadline < world.timer) {
        world.timer = it->deadline;
    }
    reconcile();
    return status == BP_OK;
}

void wait_and_release(void) {
    wait *it = prepare(BP_NO_DEADLINE);
    bp_lease lease;
    if (it != NULL && join_queue(it) && park(it, &lease)) {
        release_lease(lease);
    }
}

bool park(wait *it, bp_lease *lease) {
    it->parked = true;
    block_until(&it->resumed);
    memory_receive(it->index);
    it->picked_up = true;
    *lease = it->lease;
    if (it->outcome != BP_OK) {
        return false;
    }
    own(it->lease, true);
    return true;
}

bool cancel(wait *it) {
    if (!it->prepared) {
        return false;
    }
    memory_receive(it->index);
    void *context;
    bp_status status = bp_wait_claim(world.pool, it->ticket, &context);
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_wait_claim returned %s", bp_status_name(status));
    if (status == BP_OK && context != NULL) {
        REQUIRE(context == it, "bp_wait_claim returned the context of another waiter");
        resume(it, BP_CANCELLED, none);
    }
    it->cancelled_early = status == BP_OK && context == NULL;
    return status == BP_OK;
}

bool requeue(bp_ticket ticket) {
    wait *it = find_wait(ticket);
    if (it != NULL) {
        it->opened_for = false;
        it->requeued = UINT64_MAX;
    }
    bp_status status = bp_wait_requeue(world.pool, ticket);
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_wait_requeue returned %s", bp_status_name(status));
    if (it != NULL) {
        it->requeued = event();
    }
    return status == BP_OK;
}

void expire(uint64_t time, size_t capacity) {
    void *contexts[4];
    uint64_t next = 0;
    time += world.clock_base;
    world.expired_at = time > world.expired_at ? time : world.expired_at;
    if (world.timer <= time) {
        world.timer = BP_NO_DEADLINE;
    }
    size_t count = bp_expire(world.pool, time, contexts, capacity < 4 ? capacity : 4, &next);
    for (size_t i = 0; i < count; i++) {
        wait *it = contexts[i];
        REQUIRE(it != NULL && it->deadline <= time, "a waiter expires before its deadline");
        resume(it, BP_TIMED_OUT, none);
    }
    world.times_told += next != BP_NO_DEADLINE;
    world.timer = next < world.timer ? next : world.timer;
}
