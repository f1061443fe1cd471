/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Threads in plain C that acquire, release, wait with timeouts, discard, fail to open, resize, and at the end shut
 * down. Every connection is a flag that says whether a thread has it. Every broken rule ends the program.
 *
 *   stress [threads] [operations per thread] [seed]
 */
#include "CBurstPool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct {
    _Atomic int is_open;
    _Atomic int users;
} connection;

static bp_pool *pool;
static _Atomic long open_now, most_open, opened, closed, leases, timeouts;
static long operations = 100000;

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void close_connection(void *element, void *context) {
    (void)context;
    connection *it = element;
    CHECK(it->is_open == 1 && it->users == 0);
    it->is_open = 0;
    open_now--;
    closed++;
}

static void open_connection(connection *it) {
    CHECK(it->is_open == 0 && it->users == 0);
    it->is_open = 1;
    opened++;
    long now = ++open_now, most = most_open;
    while (now > most && !atomic_compare_exchange_weak(&most_open, &most, now)) {
    }
}

static void *work(void *argument) {
    uint64_t random = (uint64_t)(uintptr_t)argument * 7919;
    for (long i = 0; i < operations; i++) {
        bp_lease lease;
        uint64_t what = next_random(&random);
        uint64_t timeout = what % 16 == 0 ? next_random(&random) % 200000 : BP_NO_DEADLINE;
        bp_status status = bp_acquire(pool, timeout, &lease);
        if (status == BP_OPEN) {
            if (what % 7 == 1) {
                CHECK(bp_cancel_open_and_reconcile(pool, lease, close_connection, NULL) == BP_CONNECT_FAILED);
                continue;
            }
            open_connection(bp_element(pool, lease));
            status = bp_finish_open(pool, lease);
        }
        if (status == BP_TIMED_OUT) {
            CHECK(timeout != BP_NO_DEADLINE);
            timeouts++;
            continue;
        }
        CHECK(status == BP_OK);
        connection *it = bp_element(pool, lease);
        CHECK(++it->users == 1 && it->is_open == 1);
        leases++;
        if (what % 64 == 2) {
            sched_yield();
        }
        CHECK(--it->users == 0);
        if (what % 101 == 3) {
            CHECK(bp_discard_and_reconcile(pool, lease, close_connection, NULL) == BP_OK);
        } else {
            CHECK(bp_release_and_reconcile(pool, lease, close_connection, NULL) == BP_OK);
        }
        CHECK(bp_release(pool, lease) == BP_STALE_LEASE);
        if (what % 997 == 4) {
            uint32_t max_size = 1 + (uint32_t)(next_random(&random) % 4);
            CHECK(bp_resize(pool, max_size, max_size + (uint32_t)(next_random(&random) % 4)) == BP_OK);
            CHECK(bp_reconcile(pool, close_connection, NULL) == BP_OK);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    long threads = argc > 1 ? atol(argv[1]) : 8;
    operations = argc > 2 ? atol(argv[2]) : operations;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    bp_pool_configuration configuration = {.max_size = 3, .hard_limit = 5, .element_size = sizeof(connection)};
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    pthread_t *thread = calloc((size_t)threads, sizeof *thread);
    for (long i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(seed * 1000 + (uint64_t)i)) == 0);
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK(bp_reconcile(pool, close_connection, NULL) == BP_OK);
    bp_pool_statistics statistics;
    CHECK(bp_pool_statistics_get(pool, &statistics) == BP_OK);
    CHECK(statistics.in_use == 0 && statistics.opening == 0 && statistics.closing == 0 && statistics.waiting == 0);
    CHECK(statistics.idle == open_now && statistics.idle <= statistics.max_size && bp_total(pool) == statistics.idle);
    CHECK(most_open <= 8);
    CHECK(bp_shutdown_and_reconcile(pool, close_connection, NULL) == BP_OK);
    CHECK(bp_total(pool) == 0 && open_now == 0 && opened == closed);
    bp_lease none;
    CHECK(bp_acquire(pool, 0, &none) == BP_SHUT_DOWN);
    printf("%ld leases, %ld timeouts, %ld opened and closed, at most %ld at once, %zu bytes\n", leases, timeouts,
           opened, most_open, bp_pool_memory(pool));
    CHECK(bp_pool_destroy(pool) == BP_OK);
    free(thread);
    return 0;
}
