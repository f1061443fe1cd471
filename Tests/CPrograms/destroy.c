/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pool is destroyed as soon as bp_shutdown_and_wait returns, or as soon as bp_pool_destroy accepts it, while another
 * thread returns from its last call. AddressSanitizer and ThreadSanitizer notice an access to freed memory.
 *
 *   destroy [rounds]
 */
#define _GNU_SOURCE
#include "program.h"

#include <pthread.h>
#include <sched.h>

static bp_pool *pool;
static bp_lease lease;

static void *release(void *argument) {
    (void)argument;
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    return NULL;
}

static void *discard(void *argument) {
    (void)argument;
    CHECK(bp_discard_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    return NULL;
}

static void *wait_for_connection(void *argument) {
    (void)argument;
    bp_lease mine;
    bp_status status = bp_acquire(pool, BP_NO_DEADLINE, &mine);
    CHECK(status == BP_OK || status == BP_SHUT_DOWN);
    if (status == BP_OK) {
        CHECK(bp_release_and_reconcile(pool, mine, close_nothing, NULL) == BP_OK);
    }
    return NULL;
}

static void *(*const bodies[])(void *) = {release, discard, wait_for_connection};

static void end_by_waiting(void) {
    CHECK(bp_shutdown_and_wait(pool, 60 * SECOND, close_nothing, NULL) == BP_OK);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

static void end_by_trying(void) {
    CHECK(bp_shutdown_and_reconcile(pool, close_nothing, NULL) == BP_OK);
    bp_status status;
    while ((status = bp_pool_destroy(pool)) != BP_OK) {
        CHECK(status == BP_BUSY);
        sched_yield();
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 3000;
    for (int round = 0; round < rounds; round++) {
        void *(*body)(void *) = bodies[round % 3];
        pool = create_pool(1, 1);
        lease = open_connection(pool);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
        if (body == wait_for_connection) {
            while (bp_waiting(pool) == 0) {
                sched_yield();
            }
            CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
        }
        round / 3 % 2 == 0 ? end_by_waiting() : end_by_trying();
        pthread_join(thread, NULL);
    }
    pool = create_pool(1, 1);
    lease = open_connection(pool);
    CHECK(bp_shutdown_and_wait(pool, SECOND / 100, close_nothing, NULL) == BP_TIMED_OUT);
    CHECK(bp_pool_destroy(pool) == BP_BUSY);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    end_by_waiting();
    printf("%d pools destroyed\n", rounds);
    return 0;
}
