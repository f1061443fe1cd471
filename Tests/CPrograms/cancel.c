/* SPDX-License-Identifier: Apache-2.0 */

/* Threads are cancelled while they wait in bp_acquire, at any moment: no connection and no waiter is lost. */
#define _GNU_SOURCE
#include "program.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static bp_pool *pool;

static void *wait_for_connection(void *argument) {
    (void)argument;
    /* Cancelled only inside bp_acquire, so that the thread never owns a connection when it ends. */
    bp_lease lease;
    bp_status status = bp_acquire(pool, BP_NO_DEADLINE, &lease);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    CHECK(status == BP_OK);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    return NULL;
}

/* The stack of the cancelled thread is gone when the connection is released. */
static void cancel_and_unmap(void) {
    bp_lease lease = open_connection(pool);
    size_t size = 1 << 20;
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0);
    CHECK(pthread_create(&thread, &attributes, wait_for_connection, NULL) == 0);
    while (bp_waiting(pool) == 0) {
        sched_yield();
    }
    pthread_cancel(thread);
    void *result;
    pthread_join(thread, &result);
    CHECK(result == PTHREAD_CANCELED && bp_waiting(pool) == 0);
    pthread_attr_destroy(&attributes);
    munmap(stack, size);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
}

/* The cancellation comes while the connection is handed off. */
static void cancel_beside_release(void) {
    bp_lease lease = bp_try_acquire(pool);
    CHECK(lease.slot != NULL);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, wait_for_connection, NULL) == 0);
    }
    while (bp_waiting(pool) != 2) {
        sched_yield();
    }
    pthread_cancel(threads[0]);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    bp_pool_statistics after;
    CHECK(bp_pool_statistics_get(pool, &after) == BP_OK);
    CHECK(after.idle == 1 && after.in_use == 0 && after.waiting == 0);
}

int main(void) {
    pool = create_pool(1, 1);
    cancel_and_unmap();
    for (int round = 0; round < 1000; round++) {
        cancel_beside_release();
    }
    CHECK(bp_shutdown_and_wait(pool, 10 * SECOND, close_nothing, NULL) == BP_OK);
    CHECK(bp_pool_destroy(pool) == BP_OK);
    puts("1001 threads cancelled, nothing lost");
    return 0;
}
