/* SPDX-License-Identifier: Apache-2.0 */

#include "core_operations.h"

#include <stdio.h>
#include <stdlib.h>

static void expect(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "instruction-guard: %s\n", what);
        exit(2);
    }
}

__attribute__((noinline)) void guard_dump(void) {
    __asm__ volatile("" ::: "memory");
}

bp_pool *operations_pool_create(uint32_t connections) {
    bp_pool_configuration configuration = {
        .max_size = connections, .hard_limit = connections, .element_size = sizeof(void *), .stripes = 1};
    bp_pool *pool;
    expect(bp_pool_create(&configuration, &pool) == BP_OK, "no pool");
    for (uint32_t index = 0; index < connections; index++) {
        bp_lease permit;
        expect(bp_begin_open_unrequested(pool, &permit) == BP_OK, "no permit");
        expect(bp_finish_open(pool, permit) == BP_OK, "not opened");
        expect(bp_release(pool, permit) == BP_OK, "not released");
    }
    return pool;
}

void operations_lease(bp_pool *pool, uint32_t times) {
    for (uint32_t index = 0; index < times; index++) {
        bp_release_exclusive(pool, bp_try_acquire(pool));
    }
}

void operations_lease_checked(bp_pool *pool, uint32_t times) {
    for (uint32_t index = 0; index < times; index++) {
        bp_release(pool, bp_try_acquire(pool));
    }
}

void operations_join(bp_pool *pool, bp_ticket *tickets, uint32_t count, uint64_t first_deadline) {
    for (uint32_t index = 0; index < count; index++) {
        bool arm_timer;
        uint64_t deadline = first_deadline == BP_NO_DEADLINE ? BP_NO_DEADLINE : first_deadline + index;
        expect(bp_wait_prepare(pool, &tickets[index]) == BP_OK, "no ticket");
        expect(bp_wait_join(pool, tickets[index], pool, deadline, &arm_timer) == BP_OK, "not joined");
    }
}

void operations_claim(bp_pool *pool, const bp_ticket *tickets, uint32_t count) {
    /* If the step shares no divisor with the count, this visits each ticket once. */
    uint32_t step = 7919;
    while (count % step == 0) {
        step += 2;
    }
    for (uint64_t index = 0; index < count; index++) {
        void *context;
        expect(bp_wait_claim(pool, tickets[index * step % count], &context) == BP_OK, "not cancelled");
    }
}

void operations_hand_off(bp_pool *pool, uint32_t count) {
    for (uint32_t index = 0; index < count; index++) {
        void *context;
        expect(bp_hand_off(pool, &context) == BP_OK, "no waiter to serve");
    }
}

void operations_expire(bp_pool *pool, uint32_t count) {
    void *contexts[256];
    uint32_t expired = 0;
    uint64_t next;
    while (expired < count) {
        expired += (uint32_t)bp_expire(pool, BP_NO_DEADLINE - 1, contexts, 256, &next);
    }
}
