/* SPDX-License-Identifier: Apache-2.0 */

/* Close functions, resumed waiters and owners that call back into the pool do not nest, and do not use freed memory. */
#include "program.h"

#define CONNECTIONS 100000

static bp_pool *pool;
static int depth, deepest, closed;

static void enter(void) {
    depth++;
    deepest = depth > deepest ? depth : deepest;
}

static void close_and_reconcile(void *element, void *context) {
    (void)element;
    enter();
    closed++;
    CHECK(bp_reconcile(pool, close_and_reconcile, context) == BP_OK);
    depth--;
}

static bp_lease leases[CONNECTIONS];

/* Releases another connection, which is excess as well. */
static void close_and_release(void *element, void *context) {
    (void)element;
    enter();
    if (++closed < CONNECTIONS) {
        CHECK(bp_release_and_reconcile(pool, leases[closed], close_and_release, context) == BP_OK);
    }
    depth--;
}

static void close_many(void) {
    pool = create_pool(1, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        leases[i] = open_connection(pool);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        bp_release(pool, leases[i]);
    }
    CHECK(bp_shutdown_and_wait(pool, 10 * SECOND, close_and_reconcile, NULL) == BP_OK);
    CHECK(closed == CONNECTIONS && deepest == 1);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

static void release_many(void) {
    closed = deepest = 0;
    pool = create_pool(1, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        leases[i] = open_connection(pool);
    }
    CHECK(bp_shutdown(pool) == BP_OK);
    CHECK(bp_release_and_reconcile(pool, leases[0], close_and_release, NULL) == BP_OK);
    CHECK(closed == CONNECTIONS && deepest == 1 && bp_total(pool) == 0);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

/* The loop that bp_pool.h shows, where each waiter releases at once. */
static int reconciling, resumed;

static void reconcile(void);

static void resume(bp_lease lease) {
    enter();
    resumed++;
    if (bp_release(pool, lease) == BP_RECONCILE) {
        reconcile();
    }
    depth--;
}

static void reconcile(void) {
    if (reconciling) {
        return;
    }
    reconciling = 1;
    bp_lease lease;
    void *context;
    while (bp_has_waiters(pool) && bp_take_idle(pool, &lease) == BP_OK) {
        if (bp_hand_off(pool, &context) == BP_OK) {
            resume(lease);
        } else {
            bp_return_idle(pool, lease);
        }
    }
    reconciling = 0;
}

static void resume_many(void) {
    deepest = 0;
    pool = create_pool(1, 1);
    bp_lease lease = open_connection(pool);
    for (int i = 0; i < CONNECTIONS; i++) {
        bp_ticket ticket;
        CHECK(bp_wait_prepare(pool, &ticket) == BP_OK);
        CHECK(bp_wait_join(pool, ticket, &pool, BP_NO_DEADLINE, NULL) == BP_OK);
    }
    if (bp_release(pool, lease) == BP_RECONCILE) {
        reconcile();
    }
    CHECK(resumed == CONNECTIONS && deepest == 1);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

static int owner_calls;

static void release_owner(void *owner) {
    owner_calls++;
    CHECK(bp_pool_owner(pool) == owner);
    CHECK(bp_pool_destroy(pool) == BP_BUSY);
}

static void destroy_in_owner(void) {
    bp_pool_configuration configuration = {
        .max_size = 1, .hard_limit = 1, .owner = &owner_calls, .release_owner = release_owner};
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    CHECK(bp_pool_destroy(pool) == BP_OK && owner_calls == 1);
}

int main(void) {
    close_many();
    release_many();
    resume_many();
    destroy_in_owner();
    puts("nothing nested");
    return 0;
}
