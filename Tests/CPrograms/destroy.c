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
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static bp_pool *pool;
static bp_lease lease;

static void on_alarm(int number) {
    (void)number;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* A signal interrupts a pause of bp_shutdown_and_wait. The timeout does not pass earlier because of that. */
static void signals_do_not_shorten_the_wait(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}}, none = {0};
    pool = create_pool(1, 1);
    lease = open_connection(pool);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
    uint64_t begun = now();
    CHECK(bp_shutdown_and_wait(pool, SECOND / 4, close_nothing, NULL) == BP_TIMED_OUT);
    CHECK(now() - begun >= SECOND / 4);
    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

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
    signals_do_not_shorten_the_wait();
    printf("%d pools destroyed\n", rounds);
    return 0;
}
