/* SPDX-License-Identifier: Apache-2.0 */

#include "core_pool.h"

static bool close_all(bp_pool *pool) {
    bp_lease lease;
    while (bp_take_idle(pool, &lease) == BP_OK) {
        if (bp_begin_close(pool, lease) != BP_OK || bp_finish_close(pool, lease) != BP_OK) {
            return false;
        }
    }
    return true;
}

bp_pool *core_pool_create(uint32_t connections, uint32_t stripes) {
    bp_pool_configuration configuration = {
        .max_size = connections,
        .hard_limit = connections,
        .element_size = sizeof(void *),
        .stripes = stripes,
    };
    bp_pool *pool;
    if (bp_pool_create(&configuration, &pool) != BP_OK) {
        return NULL;
    }
    for (uint32_t index = 0; index < connections; index++) {
        bp_lease permit;
        if (bp_begin_open_unrequested(pool, &permit) != BP_OK || bp_finish_open(pool, permit) != BP_OK ||
            bp_release(pool, permit) != BP_OK) {
            core_pool_destroy(pool);
            return NULL;
        }
    }
    return pool;
}

void core_pool_destroy(bp_pool *pool) {
    if (close_all(pool)) {
        bp_pool_destroy(pool);
    }
}

bool core_pool_lease_checked(bp_pool *pool, uint64_t times) {
    for (uint64_t index = 0; index < times; index++) {
        bp_lease lease = bp_try_acquire(pool);
        if (lease.slot == NULL || bp_release(pool, lease) != BP_OK) {
            return false;
        }
    }
    return true;
}

bool core_pool_lease_exclusive(bp_pool *pool, uint64_t times) {
    for (uint64_t index = 0; index < times; index++) {
        bp_lease lease = bp_try_acquire(pool);
        if (lease.slot == NULL || bp_release_exclusive(pool, lease) != BP_OK) {
            return false;
        }
    }
    return true;
}

bool core_pool_join(bp_pool *pool, bp_ticket *tickets, uint64_t count, uint64_t deadline) {
    for (uint64_t index = 0; index < count; index++) {
        bool arm_timer;
        if (bp_wait_prepare(pool, &tickets[index]) != BP_OK ||
            bp_wait_join(pool, tickets[index], (void *)(uintptr_t)(index + 1), deadline, &arm_timer) != BP_OK) {
            return false;
        }
        deadline += deadline == BP_NO_DEADLINE ? 0 : 1;
    }
    return true;
}

bool core_pool_leave(bp_pool *pool, const bp_ticket *tickets, uint64_t count) {
    for (uint64_t index = 0; index < count; index++) {
        void *context;
        if (bp_wait_claim(pool, tickets[index], &context) != BP_OK) {
            return false;
        }
    }
    return true;
}

bool core_pool_serve(bp_pool *pool, uint64_t count) {
    for (uint64_t index = 0; index < count; index++) {
        void *context;
        if (bp_hand_off(pool, &context) != BP_OK) {
            return false;
        }
    }
    return true;
}

uint64_t core_pool_expire(bp_pool *pool, uint64_t now) {
    void *contexts[256];
    uint64_t gone = 0;
    uint64_t next;
    do {
        gone += bp_expire(pool, now, contexts, 256, &next);
    } while (next <= now);
    return gone;
}
