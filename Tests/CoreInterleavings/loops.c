/* SPDX-License-Identifier: Apache-2.0 */

/* Event loops for scenarios. See loops.h. */
#include "loops.h"

#include "inspect.h"
#include "memory.h"
#include "parking_scheduled.h"
#include "world_internal.h"

#include <string.h>

#define OVERWRITTEN 0xa5
#define CHANNEL_OF_LOOPS 20
/* A timer that only looks again whether the driver can end must not go on for ever beside a frozen thread. */
#define MOST_TIMERS 6

loop loops[MOST_LOOPS];
explored_request requests[MOST_REQUESTS];
int fail_opens_with;
unsigned opens_to_refuse;
bool destroys_pool;
bool finishes_inside;
static unsigned loop_count;

static loop *loop_of(const bp_driver *driver) {
    return bp_driver_data(driver);
}

static void require_on_loop(const loop *it, const char *what) {
    REQUIRE(it->is_running, "%s outside of bp_driver_run", what);
    REQUIRE(!threads_run() || this_thread() == it->thread, "%s on another thread than the loop's", what);
}

/* Opening and closing. */

/* The permits of connections that opened after the pool had been shut down. No request may get them. */
static bp_lease opened_late[MOST_REQUESTS];
static unsigned opened_late_count;

static void note_late_open(bp_lease permit) {
    look_begin();
    bool is_shut_down = bp_is_shut_down(world.pool);
    look_end();
    /* In the view model this thread may not have seen the shutdown yet. */
    if (is_shut_down && model != MEMORY_VIEW) {
        REQUIRE(opened_late_count < MOST_REQUESTS, "too many connections open after the shutdown");
        opened_late[opened_late_count++] = permit;
    }
}

static bool has_opened_late(bp_lease lease) {
    for (unsigned i = 0; i < opened_late_count; i++) {
        if (opened_late[i].slot == lease.slot && opened_late[i].serial == lease.serial) {
            return true;
        }
    }
    return false;
}

static void finish_open(loop *it, bp_lease permit) {
    int error = opens_to_refuse != 0 ? fail_opens_with : 0;
    if (error != 0) {
        opens_to_refuse--;
    } else {
        set_open(permit, true);
        note_late_open(permit);
    }
    disown(permit);
    bp_status status = bp_driver_finish_open(it->driver, permit, error);
    REQUIRE(status == BP_OK, "bp_driver_finish_open returned %s", bp_status_name(status));
}

static void finish_close(loop *it, bp_lease lease) {
    set_open(lease, false);
    disown(lease);
    bp_status status = bp_driver_finish_close(it->driver, lease);
    REQUIRE(status == BP_OK, "bp_driver_finish_close returned %s", bp_status_name(status));
}

static void on_open(bp_driver *driver, bp_lease permit, void *element) {
    loop *it = loop_of(driver);
    require_on_loop(it, "open is called");
    REQUIRE(element == connection_of(permit), "open gets the element of another slot");
    note_permit(permit);
    if (finishes_inside) {
        finish_open(it, permit);
    } else {
        REQUIRE(it->openings < 4, "too many connections are being opened");
        it->opening[it->openings++] = permit;
    }
}

static void on_close(bp_driver *driver, bp_lease lease, void *element) {
    loop *it = loop_of(driver);
    require_on_loop(it, "close is called");
    REQUIRE(element == connection_of(lease), "close gets the element of another slot");
    own(lease, true);
    if (finishes_inside) {
        finish_close(it, lease);
    } else {
        REQUIRE(it->closings < 4, "too many connections are being closed");
        it->closing[it->closings++] = lease;
    }
}

static void finish_attempts(loop *it) {
    while (it->openings != 0) {
        finish_open(it, it->opening[--it->openings]);
    }
    while (it->closings != 0) {
        finish_close(it, it->closing[--it->closings]);
    }
}

/* Waking and timers. */

static void on_post(bp_driver *driver) {
    loop *it = loop_of(driver);
    REQUIRE(!it->has_ended, "post is called for a driver that has ended");
    memory_send(CHANNEL_OF_LOOPS + (unsigned)(it - loops));
    /* A thread can be stopped in the program's post, before or after it has woken the loop. */
    point();
    REQUIRE(!it->has_ended, "a driver has ended while post is called for it");
    it->posted = 1;
}

static void on_arm(bp_driver *driver, uint64_t nanoseconds) {
    loop *it = loop_of(driver);
    require_on_loop(it, "arm is called");
    it->has_timer = nanoseconds != BP_NO_DEADLINE;
    it->timer = explored_now + nanoseconds;
}

static void on_ended(void *data) {
    loop *it = data;
    require_on_loop(it, "the end is told");
    REQUIRE(!it->has_ended, "a driver ends twice");
    REQUIRE(it->openings + it->closings == 0, "a driver ends while connections are being opened or closed");
    REQUIRE(it->callers == 0, "a driver ends while a thread is inside a call for it");
    it->has_ended = true;
    it->driver = NULL;
    if (destroys_pool) {
        bp_status status = bp_pool_destroy(world.pool);
        REQUIRE(status == BP_OK, "bp_pool_destroy returned %s after the end of the last driver",
                bp_status_name(status));
        world.pool = NULL;
    }
}

static const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};

static void create_driver(loop *it) {
    REQUIRE(bp_driver_create(world.pool, &functions, it, &it->driver) == BP_OK, "a driver cannot be created");
    for (unsigned i = 0; i < MOST_LOOPS; i++) {
        /* A driver that is ending is free a moment before its loop learns of it. */
        REQUIRE(&loops[i] == it || loops[i].is_closing || loops[i].driver != it->driver,
                "two loops have the same driver");
    }
}

void loops_create(unsigned count) {
    memset(loops, 0, sizeof loops);
    memset(requests, 0, sizeof requests);
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        requests[i].submitted = BP_EMPTY;
    }
    fail_opens_with = 0;
    opens_to_refuse = 0;
    opened_late_count = 0;
    finishes_inside = false;
    destroys_pool = false;
    explored_now = 1000;
    loop_count = count;
    for (unsigned i = 0; i < count; i++) {
        loops[i].thread = i;
        create_driver(&loops[i]);
    }
}

/* One turn of a loop, after it was woken or its timer has fired. */
static void turn(loop *it) {
    if (it->posted == 0) {
        it->timers_fired++;
        explored_now = it->timer > explored_now ? it->timer : explored_now;
        it->has_timer = false;
    }
    memory_receive(CHANNEL_OF_LOOPS + (unsigned)(it - loops));
    it->posted = 0;
    it->is_running = true;
    bp_status status = bp_driver_run(it->driver);
    REQUIRE(status == BP_OK, "bp_driver_run returned %s", bp_status_name(status));
    it->is_running = false;
    if (!it->has_ended) {
        REQUIRE(!it->is_closing || it->has_timer, "a driver that cannot end yet does not look again");
        finish_attempts(it);
    }
}

static void sleep_and_turn(loop *it) {
    if (it->has_timer && it->timers_fired < MOST_TIMERS) {
        block_for_a_while(&it->posted);
    } else {
        block_until(&it->posted);
    }
    turn(it);
}

static unsigned requests_done(const loop *it) {
    unsigned count = 0;
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        count += requests[i].loop == it && requests[i].done != 0;
    }
    return count;
}

void run_loop_until_closed(unsigned loop_index, unsigned closed) {
    while (world.closed < closed) {
        sleep_and_turn(&loops[loop_index]);
    }
}

static void on_refused(bp_request *request) {
    (void)request;
    fail("a request is completed that was refused");
}

static void run_until_ended(loop *it) {
    while (!it->has_ended) {
        sleep_and_turn(it);
    }
}

static void require_refused(bp_driver *driver) {
    bp_request request;
    bp_request_init(&request, on_refused, NULL);
    bp_status status = bp_request_submit(&request, driver, BP_NO_DEADLINE);
    REQUIRE(status == BP_SHUT_DOWN, "a request for a driver that is being closed: %s", bp_status_name(status));
}

void run_loop_to_end(unsigned loop_index, unsigned requests_of_it) {
    loop *it = &loops[loop_index];
    while (requests_done(it) < requests_of_it) {
        sleep_and_turn(it);
    }
    bp_status status = bp_driver_close(it->driver, on_ended);
    REQUIRE(status == BP_OK, "bp_driver_close returned %s", bp_status_name(status));
    it->is_closing = true;
    require_refused(it->driver);
    run_until_ended(it);
}

void shut_loop_down(unsigned loop_index) {
    loop *it = &loops[loop_index];
    begin_shutdown();
    bp_status status = bp_driver_shutdown(it->driver, on_ended);
    REQUIRE(status == BP_OK, "bp_driver_shutdown returned %s", bp_status_name(status));
    end_shutdown();
    it->is_closing = true;
    run_until_ended(it);
}

void reopen_loop(unsigned loop_index) {
    loop *it = &loops[loop_index];
    it->is_closing = it->has_ended = it->has_timer = false;
    it->posted = 0;
    it->timers_fired = 0;
    create_driver(it);
}

/* Requests. */

static explored_request *request_of(bp_request *request) {
    return request->data;
}

void release_kept(unsigned request) {
    explored_request *it = &requests[request];
    if (!it->is_given) {
        return;
    }
    it->is_given = false;
    disown(it->lease);
    if (it->loop->driver == NULL) {
        thread_releases(it->lease); /* The driver has ended. */
        return;
    }
    bp_status status = bp_driver_release(it->loop->driver, it->lease);
    REQUIRE(status == BP_OK, "bp_driver_release returned %s", bp_status_name(status));
}

static void on_done(bp_request *request) {
    explored_request *it = request_of(request);
    require_on_loop(it->loop, "a request is completed");
    REQUIRE(++it->done == 1, "a request is completed twice");
    it->status = request->status;
    it->error = request->error;
    it->lease = request->lease;
    /* If there are two loops, one of them may advance the clock while the other one is not running. */
    REQUIRE(it->status != BP_TIMED_OUT || loop_count != 1 || explored_now <= it->latest,
            "a deadline passes late, at %llu", (unsigned long long)explored_now);
    REQUIRE(it->error == 0 || it->status == BP_CONNECT_FAILED, "an error without a failed connect");
    REQUIRE((it->lease.slot != NULL) == (it->status == BP_OK), "a lease with a failure, or a success without one");
    memset(request, OVERWRITTEN, sizeof *request);
    if (it->status != BP_OK) {
        return;
    }
    REQUIRE(!has_opened_late(it->lease), "a request gets a connection that opened after the shutdown");
    own(it->lease, true);
    it->is_given = true;
    if (!it->keeps) {
        release_kept((unsigned)(it - requests));
    }
}

static uint64_t deadline_after(uint64_t timeout) {
    return timeout == BP_NO_DEADLINE ? BP_NO_DEADLINE : explored_now + timeout;
}

static void note_request_deadline(uint64_t timeout) {
    uint64_t deadline = deadline_after(timeout);
    if (deadline == BP_NO_DEADLINE) {
        return;
    }
    for (unsigned i = 0; i < world.request_deadline_count; i++) {
        if (world.request_deadlines[i] == deadline) {
            return;
        }
    }
    REQUIRE(world.request_deadline_count < MOST_REQUEST_DEADLINES, "too many deadlines of requests");
    world.request_deadlines[world.request_deadline_count++] = deadline;
}

void submit(unsigned request, unsigned loop_index, uint64_t timeout) {
    explored_request *it = &requests[request];
    it->loop = &loops[loop_index];
    it->latest = BP_NO_DEADLINE;
    bp_request_init(&it->request, on_done, it);
    bp_driver *driver = it->loop->driver;
    bool is_caller = this_thread() != it->loop->thread;
    note_request_deadline(timeout);
    it->loop->callers += is_caller;
    bp_status status = bp_request_submit(&it->request, driver, timeout);
    it->loop->callers -= is_caller;
    note_request_deadline(timeout); /* Another loop may have advanced the clock during the call. */
    it->latest = deadline_after(timeout);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_request_submit returned %s", bp_status_name(status));
    REQUIRE(status == BP_OK || it->done == 0, "a request that was refused is completed");
    REQUIRE(it->done == 0 || this_thread() != it->loop->thread, "completed inside the call that asked for it");
    it->submitted = status;
    if (status != BP_OK) {
        it->done = 1;
        it->status = status;
        memset(&it->request, OVERWRITTEN, sizeof it->request);
    }
}

void cancel_request(unsigned request) {
    explored_request *it = &requests[request];
    bp_status status = bp_request_cancel(&it->request);
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_request_cancel returned %s", bp_status_name(status));
    it->is_cancelled = status == BP_OK;
}

/* Threads. */

void close_for_thread(void *element, void *context) {
    (void)context;
    connection *it = element;
    REQUIRE(it->is_open, "closed twice");
    it->is_open = false;
    world.closed++;
}

void thread_releases(bp_lease lease) {
    bp_status status = bp_release_and_reconcile(world.pool, lease, close_for_thread, NULL);
    REQUIRE(status == BP_OK, "bp_release_and_reconcile returned %s", bp_status_name(status));
}

void thread_acquires_and_releases(uint64_t timeout) {
    bp_lease lease;
    bp_status status = bp_acquire(world.pool, timeout, &lease);
    if (status == BP_OPEN) {
        own(lease, false);
        set_open(lease, true);
        status = bp_finish_open(world.pool, lease);
    } else if (status == BP_OK) {
        own(lease, true);
    }
    if (status == BP_OK) {
        disown(lease);
        thread_releases(lease);
    } else {
        REQUIRE(status == BP_SHUT_DOWN || (status == BP_TIMED_OUT && timeout != BP_NO_DEADLINE),
                "bp_acquire returned %s", bp_status_name(status));
    }
}

/* Checks. */

static void check_request(const explored_request *it) {
    if (it->submitted != BP_OK) {
        return;
    }
    REQUIRE(it->done == 1, "a request was not completed");
    REQUIRE(!it->is_cancelled || it->status == BP_CANCELLED, "a cancelled request was completed with %s",
            bp_status_name(it->status));
    const unsigned char *memory = (const void *)&it->request;
    for (size_t i = 0; i < sizeof it->request; i++) {
        REQUIRE(memory[i] == OVERWRITTEN, "the memory of a completed request was written to");
    }
}

static void run_all_loops(void) {
    for (unsigned i = 0; i < MOST_LOOPS; i++) {
        if (loops[i].driver != NULL) {
            turn(&loops[i]);
        }
    }
}

/* A loop whose timer does not fire any more has not come to the point where it releases the lease of its request. */
static void reclaim_kept(void) {
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        explored_request *it = &requests[i];
        if (it->is_given) {
            it->is_given = false;
            connection_of(it->lease)->owner = NO_OWNER;
            thread_releases(it->lease);
        }
    }
}

void loops_check_and_end(void) {
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        check_request(&requests[i]);
    }
    if (world.pool == NULL) {
        return;
    }
    reclaim_kept();
    REQUIRE(!bp_has_waiters(world.pool), "somebody waits for ever");
    REQUIRE(bp_shutdown_and_reconcile(world.pool, close_for_thread, NULL) == BP_OK, "bp_shutdown_and_reconcile failed");
    bool is_busy = false;
    for (unsigned i = 0; i < MOST_LOOPS; i++) {
        if (loops[i].driver != NULL) {
            is_busy = true;
            bp_status status = bp_driver_shutdown(loops[i].driver, on_ended);
            REQUIRE(status == BP_OK || status == BP_BUSY, "bp_driver_shutdown failed");
        }
    }
    REQUIRE(!is_busy || bp_pool_destroy(world.pool) == BP_BUSY, "a pool was destroyed although a driver is open");
    for (unsigned i = 0; i < 4; i++) {
        run_all_loops();
    }
    for (unsigned i = 0; i < MOST_LOOPS; i++) {
        REQUIRE(loops[i].driver == NULL, "a driver does not end");
    }
    REQUIRE(bp_total(world.pool) == 0, "%u connections are left after shutdown", bp_total(world.pool));
}
