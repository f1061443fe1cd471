/* SPDX-License-Identifier: Apache-2.0 */

/* Threads are cancelled while they wait in bp_acquire, at any moment, or create a pool: nothing is lost. */
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

static bp_pool *left_open;
static bp_lease to_release;
static int closed;

static void end_thread(void *element, void *context) {
    (void)element;
    (void)context;
    pthread_exit(NULL);
}

static void count_closed(void *element, void *context) {
    (void)element;
    ++*(int *)context;
}

static void *close_excess_and_end(void *argument) {
    (void)argument;
    bp_reconcile(left_open, end_thread, NULL);
    return NULL;
}

static void *release_excess(void *argument) {
    (void)argument;
    CHECK(bp_release_and_reconcile(left_open, to_release, count_closed, &closed) == BP_OK);
    return NULL;
}

static void run_on(char *stack, size_t size, void *(*function)(void *)) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0);
    CHECK(pthread_create(&thread, &attributes, function, NULL) == 0 && pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

/*
 * A close function that ends its thread breaks the contract: its slot stays closing for ever. But the next thread,
 * which gets the record of the one that has ended, must still close connections. Its stack is below the other one,
 * where the calls of the thread that has ended look like calls that have not returned yet.
 */
static void thread_ends_in_close(void) {
    size_t size = 1 << 20;
    char *stacks = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stacks != MAP_FAILED);
    left_open = create_pool(1, 3);
    to_release = open_connection(left_open);
    bp_lease excess = open_connection(left_open), last = open_connection(left_open);
    CHECK(bp_release(left_open, excess) == BP_RECONCILE);
    run_on(stacks + size, size, close_excess_and_end);
    bp_pool_statistics now;
    CHECK(bp_pool_statistics_get(left_open, &now) == BP_OK && now.closing == 1 && now.in_use == 2);
    run_on(stacks, size, release_excess);
    CHECK(closed == 1);
    CHECK(bp_discard_and_reconcile(left_open, last, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(left_open, 1000000, close_nothing, NULL) == BP_TIMED_OUT);
    CHECK(bp_pool_destroy(left_open) == BP_BUSY);
    munmap(stacks, 2 * size);
}

/* The first pool of a process reads files, which would be a cancellation point. */
static void *create_while_cancelled(void *created) {
    pthread_cancel(pthread_self());
    *(bp_pool **)created = create_pool(1, 1);
    pthread_testcancel();
    return NULL;
}

static void creating_is_no_cancellation_point(void) {
    pthread_t thread;
    bp_pool *created = NULL;
    void *result;
    CHECK(pthread_create(&thread, NULL, create_while_cancelled, &created) == 0 && pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && created != NULL && bp_pool_destroy(created) == BP_OK);
}

int main(void) {
    creating_is_no_cancellation_point();
    thread_ends_in_close();
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
