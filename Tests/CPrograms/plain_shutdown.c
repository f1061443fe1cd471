/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bp_shutdown and bp_reconcile beside threads in bp_acquire: each thread gets BP_SHUT_DOWN, and none gets a connection
 * afterwards.
 */
#define _GNU_SOURCE
#include "program.h"

#include <pthread.h>
#include <sched.h>

static bp_pool *pool;

static void *wait_for_connection(void *timeout) {
    bp_lease lease;
    CHECK(bp_acquire(pool, *(uint64_t *)timeout, &lease) == BP_SHUT_DOWN);
    return NULL;
}

int main(void) {
    for (int round = 0; round < 400; round++) {
        uint64_t timeout = round % 2 == 0 ? BP_NO_DEADLINE : 60 * SECOND;
        pool = create_pool(1, 1);
        bp_lease lease = open_connection(pool);
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) {
            CHECK(pthread_create(&threads[i], NULL, wait_for_connection, &timeout) == 0);
        }
        while (bp_waiting(pool) != 2) {
            sched_yield();
        }
        CHECK(bp_shutdown(pool) == BP_OK);
        /* Whichever call reconciles next tells the waiters. */
        if (round % 3 == 0) {
            CHECK(bp_reconcile(pool, close_nothing, NULL) == BP_OK && bp_waiting(pool) == 0);
        }
        CHECK((round % 3 == 1 ? bp_discard_and_reconcile : bp_release_and_reconcile)(pool, lease, close_nothing,
                                                                                     NULL) == BP_OK);
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
        }
        CHECK(bp_shutdown_and_wait(pool, 10 * SECOND, close_nothing, NULL) == BP_OK);
        CHECK(bp_pool_destroy(pool) == BP_OK);
    }
    puts("400 shutdowns");
    return 0;
}
