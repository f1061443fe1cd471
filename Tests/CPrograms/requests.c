/* SPDX-License-Identifier: Apache-2.0 */

/* Single promises of bp_callback.h: results, misuse, nothing nests, no memory, cancellation, fork, and the end. */
#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bp_pool *pool;
static bp_driver *driver;
static int posts, arms, opens, closes, ends, depth;
static uint64_t armed;
static int connect_error;
static bool opens_later; /* The test finishes the attempt. */
static bp_lease permit_to_finish;

/* Everything opens and closes at once, inside the callback. */
static void on_open(bp_driver *it, bp_lease permit, void *element) {
    CHECK(++depth == 1 && element == bp_element(pool, permit));
    opens++;
    if (opens_later) {
        permit_to_finish = permit;
        depth--;
        return;
    }
    CHECK(bp_driver_finish_open(it, permit, connect_error) == BP_OK);
    CHECK(bp_driver_finish_open(it, permit, 0) == BP_STALE_LEASE);
    depth--;
}

static void on_close(bp_driver *it, bp_lease lease, void *element) {
    CHECK(++depth == 1 && element == bp_element(pool, lease));
    closes++;
    CHECK(bp_driver_finish_close(it, lease) == BP_OK && bp_driver_finish_close(it, lease) == BP_STALE_LEASE);
    depth--;
}

static void on_post(bp_driver *it) {
    CHECK(it == driver);
    posts++;
}

static void on_arm(bp_driver *it, uint64_t nanoseconds) {
    CHECK(it == driver);
    arms++;
    armed = nanoseconds;
    CHECK(bp_driver_run(it) == BP_BUSY);
}

static const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};

static void on_ended(void *data) {
    CHECK(data == &ends);
    ends++;
    driver = NULL;
}

static void on_ended_destroy(void *data) {
    on_ended(data);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

static void set_up(uint32_t max_size, uint32_t hard_limit) {
    posts = arms = opens = closes = ends = depth = connect_error = 0;
    armed = BP_NO_DEADLINE;
    pool = create_pool(max_size, hard_limit);
    CHECK(bp_driver_create(pool, &functions, &ends, &driver) == BP_OK);
    CHECK(bp_driver_data(driver) == &ends && bp_driver_pool(driver) == pool);
}

/* Until there is nothing to do, or the driver has ended. */
static void run(void) {
    while (posts != 0 && driver != NULL) {
        posts = 0;
        CHECK(bp_driver_run(driver) == BP_OK);
    }
}

static void tear_down(void) {
    CHECK(bp_pool_destroy(pool) == BP_BUSY);
    CHECK(bp_driver_shutdown(driver, on_ended_destroy) == BP_OK);
    run();
    CHECK(ends == 1);
}

static int done;

static void count(bp_request *request) {
    (void)request;
    done++;
}

static void results(void) {
    set_up(1, 1);
    bp_request first, second;
    done = 0;
    bp_request_init(&first, count, NULL);
    bp_request_init(&second, count, NULL);
    CHECK(bp_request_submit(&first, driver, SECOND) == BP_OK && done == 0 && opens == 0 && posts != 0);
    CHECK(bp_request_submit(&second, driver, BP_NO_DEADLINE) == BP_OK);
    run();
    CHECK(done == 1 && opens == 1 && first.status == BP_OK && bp_lease_is_current(pool, first.lease));
    CHECK(armed <= SECOND && armed > SECOND / 2);
    /* No memory is needed for a hand-off. */
    size_t memory = bp_pool_memory(pool);
    CHECK(bp_driver_release(driver, first.lease) == BP_OK && done == 1);
    run();
    CHECK(done == 2 && opens == 1 && second.status == BP_OK && bp_pool_memory(pool) == memory);
    /* With a timeout of 0 only an idle connection is good enough. */
    CHECK(bp_request_submit(&first, driver, 0) == BP_OK && done == 2);
    run();
    CHECK(done == 3 && first.status == BP_TIMED_OUT && first.lease.slot == NULL);
    CHECK(bp_driver_release(driver, second.lease) == BP_OK);
    CHECK(bp_request_submit(&first, driver, 0) == BP_OK && done == 3);
    run();
    CHECK(done == 4 && first.status == BP_OK);
    /* A timeout that passes. */
    CHECK(bp_request_submit(&second, driver, 1000000) == BP_OK);
    run();
    CHECK(done == 4);
    usleep(2000);
    CHECK(bp_driver_run(driver) == BP_OK);
    run();
    CHECK(done == 5 && second.status == BP_TIMED_OUT);
    /* A timeout that the clock never comes to. */
    CHECK(bp_request_submit(&second, driver, BP_NO_DEADLINE - 1) == BP_OK);
    run();
    CHECK(done == 5 && bp_request_cancel(&second) == BP_OK);
    CHECK(bp_request_cancel(&second) == BP_STALE_TICKET && done == 5);
    run();
    CHECK(done == 6 && second.status == BP_CANCELLED && bp_waiting(pool) == 0);
    CHECK(bp_driver_discard(driver, first.lease) == BP_OK && closes == 0);
    CHECK(bp_driver_discard(driver, first.lease) == BP_STALE_LEASE);
    run();
    CHECK(closes == 1 && bp_total(pool) == 0);
    connect_error = ECONNREFUSED;
    CHECK(bp_request_submit(&first, driver, BP_NO_DEADLINE) == BP_OK);
    run();
    CHECK(done == 7 && first.status == BP_CONNECT_FAILED && first.error == ECONNREFUSED && first.lease.slot == NULL);
    connect_error = 0;
    CHECK(bp_request_submit(&first, driver, BP_NO_DEADLINE) == BP_OK);
    CHECK(bp_request_submit(&first, driver, BP_NO_DEADLINE) == BP_BUSY);
    run();
    CHECK(done == 8 && first.status == BP_OK && first.error == 0 && bp_driver_release(driver, first.lease) == BP_OK);
    tear_down();
}

static void misuse(void) {
    set_up(1, 2);
    bp_request request;
    bp_request_init(NULL, count, NULL);
    bp_request_init(&request, NULL, NULL);
    CHECK(bp_request_submit(&request, driver, 0) == BP_INVALID_ARGUMENT);
    CHECK(bp_request_cancel(&request) == BP_INVALID_ARGUMENT && bp_request_cancel(NULL) == BP_INVALID_ARGUMENT);
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, NULL, 0) == BP_INVALID_ARGUMENT);
    CHECK(bp_request_submit(NULL, driver, 0) == BP_INVALID_ARGUMENT);
    bp_driver *other = driver;
    bp_driver_functions missing[4] = {functions, functions, functions, functions};
    missing[0].open = NULL;
    missing[1].close = NULL;
    missing[2].post = NULL;
    missing[3].arm = NULL;
    for (int i = 0; i < 4; i++) {
        CHECK(bp_driver_create(pool, &missing[i], NULL, &other) == BP_INVALID_ARGUMENT && other == NULL);
    }
    CHECK(bp_driver_create(NULL, &functions, NULL, &other) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_create(pool, NULL, NULL, &other) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_create(pool, &functions, NULL, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_run(NULL) == BP_INVALID_ARGUMENT && bp_driver_reconcile(NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_close(driver, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_shutdown(NULL, on_ended) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_data(NULL) == NULL && bp_driver_pool(NULL) == NULL);
    bp_lease none = {NULL, 0};
    CHECK(bp_driver_release(driver, none) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_release(NULL, none) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_discard(NULL, none) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_finish_open(driver, none, 0) == BP_INVALID_ARGUMENT);
    CHECK(bp_driver_finish_close(driver, none) == BP_INVALID_ARGUMENT);
    bp_pool *stranger = create_pool(1, 1);
    bp_lease lease = open_connection(stranger);
    CHECK(bp_driver_release(driver, lease) == BP_FOREIGN_SLOT && bp_driver_discard(driver, lease) == BP_FOREIGN_SLOT);
    CHECK(bp_driver_finish_open(driver, lease, 0) == BP_FOREIGN_SLOT);
    CHECK(bp_discard_and_reconcile(stranger, lease, close_nothing, NULL) == BP_OK);
    CHECK(bp_pool_destroy(stranger) == BP_OK);
    /* A permit and a close that this driver did not begin. */
    CHECK(bp_begin_open_unrequested(pool, &lease) == BP_OK && bp_driver_finish_open(driver, lease, 0) == BP_OK);
    lease = bp_try_acquire(pool);
    CHECK(lease.slot != NULL && bp_driver_finish_close(driver, lease) == BP_STALE_LEASE);
    CHECK(bp_begin_close(pool, lease) == BP_OK && bp_driver_finish_close(driver, lease) == BP_OK);
    CHECK(bp_total(pool) == 0 && opens == 0 && closes == 0);
    tear_down();
}

static void full_queue(void) {
    bp_pool_configuration configuration = {.max_size = 1, .hard_limit = 1, .max_waiters = 1};
    set_up(1, 1);
    bp_pool *before = pool;
    bp_driver *driver_before = driver;
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    CHECK(bp_driver_create(pool, &functions, &ends, &driver) == BP_OK);
    bp_request requests[3];
    done = 0;
    for (int i = 0; i < 3; i++) {
        bp_request_init(&requests[i], count, NULL);
    }
    CHECK(bp_request_submit(&requests[0], driver, SECOND) == BP_OK);
    run();
    CHECK(bp_request_submit(&requests[1], driver, SECOND) == BP_OK);
    CHECK(bp_request_submit(&requests[2], driver, SECOND) == BP_TOO_MANY_WAITERS);
    CHECK(bp_request_submit(&requests[2], driver, SECOND) == BP_TOO_MANY_WAITERS && done == 1);
    CHECK(bp_driver_release(driver, requests[0].lease) == BP_OK);
    run();
    CHECK(done == 2 && bp_driver_release(driver, requests[1].lease) == BP_OK);
    tear_down();
    pool = before;
    driver = driver_before;
    ends = 0;
    tear_down();
}

static void check_order(bp_request *request) {
    CHECK(request->data == (void *)(intptr_t)++done);
}

/* A run completes the requests in the order in which they were served. */
static void in_order(void) {
    set_up(4, 4);
    bp_request requests[4];
    done = 0;
    for (int i = 0; i < 4; i++) {
        bp_request_init(&requests[i], check_order, (void *)(intptr_t)(i + 1));
        CHECK(bp_request_submit(&requests[i], driver, BP_NO_DEADLINE) == BP_OK);
    }
    run();
    CHECK(done == 4 && opens == 4);
    for (int i = 0; i < 4; i++) {
        CHECK(bp_driver_release(driver, requests[i].lease) == BP_OK);
    }
    done = 0;
    for (int i = 0; i < 4; i++) {
        CHECK(bp_request_submit(&requests[i], driver, BP_NO_DEADLINE) == BP_OK);
    }
    run();
    CHECK(done == 4);
    for (int i = 0; i < 4; i++) {
        CHECK(bp_driver_release(driver, requests[i].lease) == BP_OK);
    }
    tear_down();
}

/* Each callback releases, which serves the next request. */
#define MANY 100000

static bp_request many[MANY];

static void release_at_once(bp_request *request) {
    CHECK(++depth == 1 && request->status == BP_OK);
    done++;
    CHECK(bp_driver_run(driver) == BP_BUSY);
    CHECK(bp_driver_release(driver, request->lease) == BP_OK);
    depth--;
}

static void nothing_nests(void) {
    set_up(1, 1);
    done = 0;
    for (int i = 0; i < MANY; i++) {
        bp_request_init(&many[i], release_at_once, NULL);
        CHECK(bp_request_submit(&many[i], driver, BP_NO_DEADLINE) == BP_OK);
    }
    CHECK(done == 0);
    run();
    CHECK(done == MANY && opens == 1);
    tear_down();
}

static bool submits_again;

/* A callback that submits its request again does not keep its loop from returning. */
static void submit_again(bp_request *request) {
    done++;
    if (submits_again) {
        CHECK(request->status == BP_OK && bp_driver_release(driver, request->lease) == BP_OK);
        CHECK(bp_request_submit(request, driver, BP_NO_DEADLINE) == BP_OK);
    }
}

static void runs_return(void) {
    set_up(1, 1);
    bp_request request;
    done = 0;
    submits_again = true;
    bp_request_init(&request, submit_again, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
    for (int i = 0; i < 100; i++) {
        int before = done;
        CHECK(bp_driver_run(driver) == BP_OK && done <= before + 1);
    }
    CHECK(done >= 98 && bp_request_cancel(&request) == BP_STALE_TICKET);
    bp_pause(pool);
    CHECK(bp_driver_run(driver) == BP_OK);
    run();
    CHECK(bp_request_cancel(&request) == BP_OK);
    submits_again = false;
    run();
    CHECK(request.status == BP_CANCELLED);
    CHECK(bp_resume(pool) == BP_OK && bp_driver_reconcile(driver) == BP_OK);
    tear_down();
}

/* Drivers that end are used again, so their memory does not grow; and a pool lives on without them. */
static void drivers_come_and_go(void) {
    set_up(1, 1);
    size_t memory = bp_pool_memory(pool);
    for (int i = 0; i < 1000; i++) {
        CHECK(bp_driver_close(driver, on_ended) == BP_OK && bp_driver_close(driver, on_ended) == BP_BUSY);
        /* A shutdown that is refused does not shut the pool down. */
        CHECK(bp_driver_shutdown(driver, on_ended) == BP_BUSY && ends == i && !bp_is_shut_down(pool));
        run();
        CHECK(ends == i + 1 && driver == NULL && bp_driver_create(pool, &functions, &ends, &driver) == BP_OK);
    }
    CHECK(bp_pool_memory(pool) == memory);
    ends = 0;
    tear_down();
}

static void release_and_close(bp_request *request) {
    CHECK(bp_driver_release(driver, request->lease) == BP_OK && bp_driver_close(driver, on_ended) == BP_OK);
}

/* A driver that was closed inside its last run has posted in that run. The next one that uses its memory posts again.
 */
static void driver_closed_in_callback(void) {
    set_up(1, 1);
    bp_request request;
    bp_request_init(&request, release_and_close, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
    run();
    CHECK(ends == 1 && bp_driver_create(pool, &functions, &ends, &driver) == BP_OK);
    done = ends = posts = 0;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK && posts == 1);
    run();
    CHECK(done == 1 && bp_driver_release(driver, request.lease) == BP_OK);
    tear_down();
}

static void ignore_post(bp_driver *it) {
    (void)it;
}

static void arm_one_of_two(bp_driver *it, uint64_t nanoseconds) {
    *(uint64_t *)bp_driver_data(it) = nanoseconds;
}

static void end_one_of_two(void *timer) {
    *(uint64_t *)timer = 0;
}

/*
 * A loop without requests does not go on to wake up for the deadlines of another loop. Returns false if this thread was
 * stopped for so long that the deadlines of both loops passed at once, which shows nothing.
 */
static bool timer_without_requests(void) {
    bp_driver_functions two = {.open = on_open, .close = on_close, .post = ignore_post, .arm = arm_one_of_two};
    uint64_t timers[2] = {BP_NO_DEADLINE, BP_NO_DEADLINE};
    bp_driver *drivers[2];
    bp_request requests[3];
    const uint64_t millisecond = 1000000;
    set_up(1, 1);
    bp_lease lease = open_connection(pool);
    done = 0;
    for (int i = 0; i < 2; i++) {
        CHECK(bp_driver_create(pool, &two, &timers[i], &drivers[i]) == BP_OK);
    }
    for (int i = 0; i < 3; i++) {
        bp_request_init(&requests[i], count, NULL);
    }
    CHECK(bp_request_submit(&requests[0], drivers[0], millisecond) == BP_OK);
    CHECK(bp_request_submit(&requests[1], drivers[1], 20 * millisecond) == BP_OK);
    CHECK(bp_request_submit(&requests[2], drivers[1], 1000 * SECOND) == BP_OK);
    usleep(2000);
    CHECK(bp_driver_run(drivers[0]) == BP_OK && done == 1 && requests[0].status == BP_TIMED_OUT);
    bool is_in_time = bp_waiting(pool) == 2;
    usleep(25000);
    CHECK(bp_driver_run(drivers[0]) == BP_OK && (timers[0] == BP_NO_DEADLINE || !is_in_time));
    CHECK(bp_driver_run(drivers[1]) == BP_OK && done == 2 && requests[1].status == BP_TIMED_OUT);
    CHECK(timers[1] > SECOND && timers[1] != BP_NO_DEADLINE);
    CHECK(bp_request_cancel(&requests[2]) == BP_OK && bp_driver_run(drivers[1]) == BP_OK && done == 3);
    CHECK(bp_driver_release(driver, lease) == BP_OK);
    for (int i = 0; i < 2; i++) {
        CHECK(bp_driver_close(drivers[i], end_one_of_two) == BP_OK && bp_driver_run(drivers[i]) == BP_OK);
    }
    CHECK(timers[0] == 0 && timers[1] == 0);
    tear_down();
    return is_in_time;
}

/* A lease that has ended cannot be discarded. The call reconciles all the same, as bp_discard_and_reconcile does. */
static void discard_of_ended_lease(void) {
    set_up(1, 2);
    bp_lease first, second;
    CHECK(bp_begin_open_unrequested(pool, &first) == BP_OK && bp_finish_open(pool, first) == BP_OK);
    CHECK(bp_begin_open_unrequested(pool, &second) == BP_OK && bp_finish_open(pool, second) == BP_OK);
    CHECK(bp_release(pool, first) == BP_RECONCILE && bp_total(pool) == 2);
    CHECK(bp_driver_discard(driver, first) == BP_STALE_LEASE);
    run();
    CHECK(closes == 1 && bp_total(pool) == 1 && bp_driver_release(driver, second) == BP_OK);
    tear_down();
}

/* The program closes a connection itself that the driver has opened, or detaches it. */
static void program_closes(void) {
    set_up(1, 1);
    bp_request request;
    done = 0;
    bp_request_init(&request, count, NULL);
    for (int i = 0; i < 2; i++) {
        CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
        run();
        CHECK(done == i + 1 && opens == i + 1 && request.status == BP_OK);
        if (i == 0) {
            CHECK(bp_begin_close(pool, request.lease) == BP_OK);
            CHECK(bp_driver_finish_close(driver, request.lease) == BP_OK);
        } else {
            CHECK(bp_detach(pool, request.lease) == BP_OK && bp_driver_reconcile(driver) == BP_OK);
        }
        CHECK(bp_total(pool) == 0);
    }
    tear_down();
    CHECK(closes == 0);
}

/* An excess connection is closed on the loop, and a shutdown by a thread reaches the requests. */
static void shutdown_by_thread(void) {
    set_up(1, 2);
    bp_request requests[3];
    done = 0;
    for (int i = 0; i < 3; i++) {
        bp_request_init(&requests[i], count, NULL);
        CHECK(bp_request_submit(&requests[i], driver, SECOND) == BP_OK);
    }
    run();
    CHECK(done == 2 && opens == 2);
    CHECK(bp_request_cancel(&requests[2]) == BP_OK);
    run();
    CHECK(bp_driver_release(driver, requests[0].lease) == BP_OK && closes == 0);
    run();
    CHECK(closes == 1 && bp_total(pool) == 1);
    CHECK(bp_request_submit(&requests[2], driver, SECOND) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, 100000, close_nothing, NULL) == BP_TIMED_OUT && done == 3);
    run();
    /* The permit of this request comes to nothing: no connection is opened after the shutdown. */
    CHECK(done == 4 && requests[2].status == BP_SHUT_DOWN && opens == 2);
    CHECK(bp_request_submit(&requests[2], driver, SECOND) == BP_SHUT_DOWN);
    CHECK(bp_request_submit(&requests[2], driver, 0) == BP_SHUT_DOWN);
    CHECK(bp_driver_release(driver, requests[1].lease) == BP_OK);
    run();
    CHECK(closes == 2 && bp_total(pool) == 0);
    CHECK(bp_shutdown_and_wait(pool, 100000, close_nothing, NULL) == BP_TIMED_OUT); /* The driver is still open. */
    CHECK(bp_driver_close(driver, on_ended) == BP_OK);
    run();
    CHECK(ends == 1 && bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

/* No connection is opened for a permit that the loop has not seen before the shutdown. Its request learns of the
 * shutdown. */
static void permit_beside_shutdown(void) {
    set_up(1, 1);
    bp_request request;
    done = 0;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK && bp_shutdown(pool) == BP_OK);
    run();
    CHECK(done == 1 && request.status == BP_SHUT_DOWN && opens == 0 && bp_total(pool) == 0);
    tear_down();
}

/* A connection above a lowered hard limit is closed, although a request waits for it. */
static void released_above_hard_limit(void) {
    set_up(3, 3);
    bp_lease leases[3];
    for (int i = 0; i < 3; i++) {
        leases[i] = open_connection(pool);
    }
    bp_request request;
    done = 0;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK && bp_resize(pool, 1, 1) == BP_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(done == 0 && bp_driver_release(driver, leases[i]) == BP_OK);
        run();
        CHECK(closes == (i < 2 ? i + 1 : 2));
    }
    CHECK(done == 1 && request.status == BP_OK && bp_total(pool) == 1);
    CHECK(bp_driver_release(driver, request.lease) == BP_OK);
    tear_down();
}

/* A connection that opens after the shutdown is closed, and its request learns of the shutdown. */
static void opened_after_shutdown(void) {
    set_up(1, 1);
    bp_request request;
    done = 0;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
    opens_later = true;
    run();
    opens_later = false;
    CHECK(opens == 1 && done == 0 && bp_driver_shutdown(driver, on_ended_destroy) == BP_OK);
    CHECK(bp_driver_finish_open(driver, permit_to_finish, 0) == BP_OK);
    run();
    CHECK(done == 1 && request.status == BP_SHUT_DOWN && request.lease.slot == NULL && closes == 1 && ends == 1);
}

/* While a lease is in use, the driver looks again by its timer. */
static void end_is_awaited(void) {
    set_up(1, 1);
    bp_request request;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
    run();
    CHECK(bp_driver_shutdown(driver, on_ended_destroy) == BP_OK);
    for (int i = 0; i < 20; i++) {
        run();
        CHECK(ends == 0 && armed <= 10000000);
        CHECK(bp_driver_run(driver) == BP_OK);
    }
    CHECK(armed == 10000000 && bp_driver_release(driver, request.lease) == BP_OK);
    run();
    CHECK(closes == 1);
    for (int i = 0; i < 3 && ends == 0; i++) {
        CHECK(bp_driver_run(driver) == BP_OK);
    }
    CHECK(ends == 1 && armed == BP_NO_DEADLINE);
}

/* A thread that is cancelled while it calls post goes on until its call has returned. */
static void on_post_cancelled(bp_driver *it) {
    pthread_testcancel();
    on_post(it);
}

static bp_lease lease_of_thread;

static void *release_cancelled(void *argument) {
    (void)argument;
    pthread_cancel(pthread_self());
    CHECK(bp_release_and_reconcile(pool, lease_of_thread, close_nothing, NULL) == BP_OK);
    pthread_testcancel();
    CHECK(!"is cancelled");
    return NULL;
}

static void cancelled_thread(void) {
    posts = ends = done = opens = 0;
    bp_driver_functions cancelling = functions;
    cancelling.post = on_post_cancelled;
    pool = create_pool(1, 1);
    CHECK(bp_driver_create(pool, &cancelling, &ends, &driver) == BP_OK);
    lease_of_thread = open_connection(pool);
    bp_request request;
    bp_request_init(&request, count, NULL);
    CHECK(bp_request_submit(&request, driver, BP_NO_DEADLINE) == BP_OK);
    run();
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, release_cancelled, NULL) == 0 && pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && posts == 1);
    run();
    CHECK(done == 1 && bp_driver_release(driver, request.lease) == BP_OK);
    tear_down();
}

static void fork_with_driver(void) {
    set_up(1, 1);
    bp_request request, other;
    done = 0;
    bp_request_init(&request, count, NULL);
    bp_request_init(&other, count, NULL);
    CHECK(bp_request_submit(&request, driver, SECOND) == BP_OK);
    pid_t child = fork();
    if (child == 0) {
        CHECK(bp_driver_run(driver) == BP_FORKED && bp_request_submit(&other, driver, 0) == BP_FORKED);
        CHECK(bp_request_cancel(&request) == BP_FORKED && bp_driver_reconcile(driver) == BP_FORKED);
        CHECK(bp_driver_close(driver, on_ended) == BP_FORKED && bp_driver_shutdown(driver, on_ended) == BP_FORKED);
        bp_lease none = {NULL, 0};
        CHECK(bp_driver_release(driver, none) == BP_FORKED && bp_driver_discard(driver, none) == BP_FORKED);
        CHECK(bp_driver_finish_open(driver, none, 0) == BP_FORKED && bp_driver_finish_close(driver, none) == BP_FORKED);
        CHECK(bp_driver_create(pool, &functions, NULL, &driver) == BP_FORKED && driver == NULL);
        CHECK(done == 0 && opens == 0 && bp_pool_destroy(pool) == BP_OK);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    run();
    CHECK(done == 1 && bp_driver_release(driver, request.lease) == BP_OK);
    tear_down();
}

int main(void) {
    results();
    misuse();
    full_queue();
    in_order();
    nothing_nests();
    runs_return();
    drivers_come_and_go();
    driver_closed_in_callback();
    while (!timer_without_requests()) {
    }
    discard_of_ended_lease();
    program_closes();
    shutdown_by_thread();
    permit_beside_shutdown();
    released_above_hard_limit();
    opened_after_shutdown();
    end_is_awaited();
    cancelled_thread();
    fork_with_driver();
    puts("requests are completed as the header says");
    return 0;
}
