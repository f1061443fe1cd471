/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which calls lock a mutex or allocate, as bp_pool.h says in "Locks" and "Memory". The linker puts the functions below
 * in the place of calloc and pthread_mutex_lock, which are the only ones of their kind that the core calls.
 */
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static atomic_uint locks, allocations;
static bool is_out_of_memory;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
void *__real_calloc(size_t count, size_t size);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    locks++;
    return __real_pthread_mutex_lock(mutex);
}

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
    allocations++;
    if (is_out_of_memory) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_calloc(count, size);
}

/* Checks how many mutexes a statement locks, and how often it allocates. */
#define COSTS(expected_locks, expected_allocations, statement)                                                         \
    do {                                                                                                               \
        locks = allocations = 0;                                                                                       \
        statement;                                                                                                     \
        CHECK(locks == (expected_locks) && allocations == (expected_allocations));                                     \
    } while (0)

static bp_pool *pool;

static void on_open(bp_driver *driver, bp_lease permit, void *element) {
    (void)element;
    CHECK(bp_driver_finish_open(driver, permit, 0) == BP_OK);
}

static void on_close(bp_driver *driver, bp_lease lease, void *element) {
    (void)element;
    CHECK(bp_driver_finish_close(driver, lease) == BP_OK);
}

static void on_post(bp_driver *driver) {
    (void)driver;
}

static void on_arm(bp_driver *driver, uint64_t nanoseconds) {
    (void)driver;
    (void)nanoseconds;
}

static void on_done(bp_request *request) {
    CHECK(request->status == BP_OK);
}

static void on_ended(void *data) {
    *(bool *)data = true;
}

/* The record of the thread is its only allocation, at the first call that needs one. */
static void *use_idle_connection(void *argument) {
    (void)argument;
    bp_lease lease;
    COSTS(0, 0, lease = bp_try_acquire(pool));
    COSTS(0, 0, CHECK(bp_release(pool, lease) == BP_OK));
    COSTS(0, 0, CHECK(bp_acquire(pool, SECOND, &lease) == BP_OK));
    COSTS(0, 1, CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK));
    COSTS(0, 0, CHECK(bp_acquire(pool, SECOND, &lease) == BP_OK));
    COSTS(0, 0, CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK));
    return NULL;
}

static void *wait_for_connection(void *argument) {
    (void)argument;
    bp_lease lease;
    CHECK(bp_acquire(pool, BP_NO_DEADLINE, &lease) == BP_OK);
    CHECK(bp_release(pool, lease) == BP_OK);
    return NULL;
}

static void threads(void) {
    bp_lease lease;
    pthread_t thread;
    COSTS(1, allocations, pool = create_pool(1, 1));
    CHECK(allocations > 0);
    COSTS(0, 0, lease = open_connection(pool));
    COSTS(0, 0, CHECK(bp_release(pool, lease) == BP_OK));
    CHECK(pthread_create(&thread, NULL, use_idle_connection, NULL) == 0 && pthread_join(thread, NULL) == 0);
    /* The thread that waits has a mutex of its own, which the thread that hands the connection off locks once. */
    lease = bp_try_acquire(pool);
    CHECK(pthread_create(&thread, NULL, wait_for_connection, NULL) == 0);
    while (bp_waiting(pool) == 0) {
        sched_yield();
    }
    /* This thread takes the record of the one that has ended. */
    COSTS(locks, 0, CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK));
    CHECK(locks >= 1 && pthread_join(thread, NULL) == 0);
    COSTS(0, 0, CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK));
    COSTS(1, 0, CHECK(bp_pool_destroy(pool) == BP_OK));
}

/* A request that waits needs memory once, and no request locks anything. */
static void requests(void) {
    const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};
    bp_driver *driver;
    bp_request first, second;
    bool has_ended = false;
    pool = create_pool(1, 1);
    COSTS(0, 1, CHECK(bp_driver_create(pool, &functions, &has_ended, &driver) == BP_OK));
    bp_request_init(&first, on_done, NULL);
    bp_request_init(&second, on_done, NULL);
    CHECK(bp_request_submit(&first, driver, SECOND) == BP_OK && bp_request_submit(&second, driver, SECOND) == BP_OK);
    COSTS(0, 0, CHECK(bp_driver_run(driver) == BP_OK && bp_driver_run(driver) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_release(driver, first.lease) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_run(driver) == BP_OK));
    COSTS(0, 0, CHECK(bp_request_submit(&first, driver, SECOND) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_discard(driver, second.lease) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_run(driver) == BP_OK && bp_driver_run(driver) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_run(driver) == BP_OK && bp_driver_release(driver, first.lease) == BP_OK));
    COSTS(0, 0, CHECK(bp_driver_shutdown(driver, on_ended) == BP_OK));
    for (int i = 0; i < 4 && !has_ended; i++) {
        COSTS(0, 0, CHECK(bp_driver_run(driver) == BP_OK));
    }
    CHECK(has_ended && bp_pool_destroy(pool) == BP_OK);
}

/* The record of a thread is allocated at its first call that needs one. That this fails does not change errno. */
static void *cancel_without_memory(void *permit) {
    is_out_of_memory = true;
    errno = ECONNREFUSED;
    CHECK(bp_cancel_open_and_reconcile(pool, *(bp_lease *)permit, close_nothing, NULL) == BP_CONNECT_FAILED);
    CHECK(errno == ECONNREFUSED);
    is_out_of_memory = false;
    return NULL;
}

static void errno_without_memory(void) {
    pthread_t thread;
    bp_lease permit;
    pool = create_pool(1, 1);
    CHECK(bp_acquire(pool, 0, &permit) == BP_OPEN);
    CHECK(pthread_create(&thread, NULL, cancel_without_memory, &permit) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

int main(void) {
    errno_without_memory();
    threads();
    requests();
    puts("calls lock and allocate where the header says so");
    return 0;
}
