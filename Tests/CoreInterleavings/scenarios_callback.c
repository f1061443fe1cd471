/* SPDX-License-Identifier: Apache-2.0 */

/* Requests and drivers, as they ship. The loops are in loops.c. */
#include "scenario.h"

#include "inspect.h"
#include "loops.h"
#include "parking_scheduled.h"
#include "world_internal.h"

/*
 * A frozen thread may withhold a connection and the request to which it is giving it, and a frozen loop its own
 * requests. All other requests that have left the queue are delivered by their loops.
 */
static void check_delivered(unsigned thread) {
    unsigned late = 0;
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        const explored_request *it = &requests[i];
        late += it->submitted == BP_OK && it->done == 0 && it->loop->thread != thread &&
                inspect_ticket(world.pool, it->request.ticket) == TICKET_GONE;
    }
    REQUIRE(late <= 1, "thread %u frozen: %u requests of other loops are not delivered", thread, late);
}

static void set_up(uint32_t max_size, uint32_t hard_limit, unsigned loop_count, unsigned leased) {
    world_create(max_size, hard_limit, 1);
    world.freeze_allowance = 2;
    world.when_frozen = check_delivered;
    loops_create(loop_count);
    a_thread_has_slept = 0;
    add_leased(leased);
}

/* Each loop asks for the only connection, which one of them opens. */
static void set_up_two_loops(void) {
    set_up(1, 1, 2, 0);
}

static void ask_and_run(unsigned thread) {
    submit(thread, thread, BP_NO_DEADLINE);
    run_loop_to_end(thread, 1);
}

/* The loop has a request, and a thread releases the connection for which the request waits. */
static void set_up_release(void) {
    set_up(1, 1, 1, 1);
}

static void ask_beside_release(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 1);
    } else {
        thread_releases(surrender(0));
    }
}

/* Two threads release to two requests of one loop: neither depends on the other one to wake the loop. */
static void set_up_two_releases(void) {
    set_up(2, 2, 1, 2);
}

static void ask_twice_beside_releases(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        submit(1, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 2);
    } else {
        thread_releases(surrender(thread - 1));
    }
}

/* A loop, and a thread in bp_acquire. */
static void ask_beside_thread(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 1);
    } else {
        thread_acquires_and_releases(BP_NO_DEADLINE);
    }
}

static void set_up_loop_and_thread(void) {
    set_up(1, 1, 1, 0);
}

static void set_up_loops_and_thread(void) {
    set_up(1, 2, 2, 0);
}

static void loops_beside_thread(unsigned thread) {
    if (thread < 2) {
        ask_and_run(thread);
    } else {
        thread_acquires_and_releases(BP_NO_DEADLINE);
    }
}

/* The first attempt fails: its request gets the reason, and the permit goes to the next waiter. */
#define REFUSED 111

static void set_up_refused(void) {
    set_up(1, 1, 2, 0);
    fail_opens_with = REFUSED;
    opens_to_refuse = 1;
}

static void check_refused(void) {
    unsigned failed = 0;
    for (unsigned i = 0; i < 2; i++) {
        failed += requests[i].status == BP_CONNECT_FAILED;
        REQUIRE(requests[i].status == BP_OK || requests[i].error == REFUSED, "a failed connect without its errno");
    }
    /* 0: between the end of the permit and that of the wait, the other loop has opened, and released to this request.
     */
    REQUIRE(failed <= 1, "one attempt failed, and %u requests did", failed);
    loops_check_and_end();
}

/* There is no other connection, so the request must get the error, even if another thread reconciles. */
static void set_up_refused_alone(void) {
    set_up(1, 1, 1, 0);
    fail_opens_with = REFUSED;
    opens_to_refuse = 1;
}

static void ask_beside_reconcile(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 1);
    } else {
        REQUIRE(bp_reconcile(world.pool, close_for_thread, NULL) == BP_OK, "bp_reconcile failed");
    }
}

static void check_refused_alone(void) {
    REQUIRE(requests[0].status == BP_CONNECT_FAILED && requests[0].error == REFUSED,
            "a request whose connection did not open was completed with %s", bp_status_name(requests[0].status));
    loops_check_and_end();
}

/* The attempt fails while another thread releases a connection that can serve the request. */
static void set_up_refused_beside_release(void) {
    set_up(2, 2, 1, 1);
    fail_opens_with = REFUSED;
    opens_to_refuse = 1;
}

/* Attempts that end inside open. */
static void set_up_inside(void) {
    set_up_two_loops();
    finishes_inside = true;
}

static void two_ask_beside_release(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        submit(1, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 2);
    } else {
        thread_releases(surrender(0));
    }
}

/* A timeout beside a release. */
static void ask_with_timeout(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, 500);
        run_loop_to_end(0, 1);
    } else {
        thread_releases(surrender(0));
    }
}

/* Deadlines of two loops: the timer of neither serves the other one. */
static void set_up_two_timeouts(void) {
    set_up(1, 1, 2, 1);
}

static void ask_with_two_timeouts(unsigned thread) {
    submit(thread, thread, thread == 0 ? 300 : 600);
    run_loop_to_end(thread, 1);
}

/* While a loop is frozen, the other one still has a timer for its own request. */
static void check_frozen_timeouts(unsigned thread) {
    check_delivered(thread);
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        const explored_request *it = &requests[i];
        REQUIRE(it->loop == NULL || it->loop->thread == thread || it->submitted != BP_OK || it->done != 0 ||
                    it->loop->has_timer || it->loop->posted ||
                    inspect_ticket(world.pool, it->request.ticket) == TICKET_GONE,
                "thread %u frozen: the deadline of another loop's request does not pass", thread);
    }
}

static void set_up_two_timeouts_frozen(void) {
    set_up_two_timeouts();
    world.when_frozen = check_frozen_timeouts;
    world.freeze_allowance = 3;
}

/*
 * Each loop has two requests with the same deadlines as the other one. A loop that is frozen while it ends waits
 * withholds the requests that it has removed from the queue.
 */
static void set_up_four_timeouts(void) {
    set_up_two_timeouts();
    world.when_frozen = NULL;
    world.freeze_allowance = 3;
}

static void ask_with_four_timeouts(unsigned thread) {
    submit(2 * thread, thread, 300);
    submit(2 * thread + 1, thread, 600);
    run_loop_to_end(thread, 2);
}

/* A thread submits a request with a deadline while the loop ends the wait of another one. */
static void submit_beside_timeout(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, 300);
        run_loop_to_end(0, 2);
    } else {
        submit(1, 0, 600);
    }
}

/* The same with an earlier deadline. */
static void submit_earlier_timeout(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, 600);
        run_loop_to_end(0, 2);
    } else {
        submit(1, 0, 300);
    }
}

static void check_timeouts(void) {
    for (unsigned i = 0; i < MOST_REQUESTS; i++) {
        REQUIRE(requests[i].submitted != BP_OK || requests[i].status == BP_TIMED_OUT, "a request was completed with %s",
                bp_status_name(requests[i].status));
    }
    thread_releases(surrender(0));
    loops_check_and_end();
}

/* Cancelled by the loop itself, beside a release. */
static void cancel_beside_release(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        submit(1, 0, BP_NO_DEADLINE);
        cancel_request(0);
        run_loop_to_end(0, 2);
    } else {
        thread_releases(surrender(0));
    }
}

/* A thread submits to the loop of another one, which completes and overwrites the request at once, and ends. */
static void submit_from_elsewhere(unsigned thread) {
    if (thread == 0) {
        run_loop_to_end(0, 1);
    } else if (thread == 1) {
        submit(0, 0, BP_NO_DEADLINE);
    } else {
        thread_releases(surrender(0));
    }
}

/* With a deadline, the thread that submits wakes the loop once more. */
static void submit_from_elsewhere_with_timeout(unsigned thread) {
    if (thread == 1) {
        submit(0, 0, 5000);
    } else {
        submit_from_elsewhere(thread);
    }
}

static void set_up_idle(void) {
    set_up(1, 1, 1, 0);
    add_idle(1);
}

/*
 * A request gets a permit from one thread and a connection from another one at the same time, is done, and its loop
 * closes the driver. The first thread must not give the permit to a driver that has ended.
 */
static void set_up_two_leased(void) {
    set_up(2, 2, 1, 2);
}

static void give_permit_or_connection(unsigned thread) {
    if (thread == 1) {
        bp_lease lease = surrender(0);
        bp_status status = bp_discard_and_reconcile(world.pool, lease, close_for_thread, NULL);
        REQUIRE(status == BP_OK, "bp_discard_and_reconcile returned %s", bp_status_name(status));
    } else {
        thread_releases(surrender(1));
    }
}

static void close_beside_permit(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 1);
    } else {
        give_permit_or_connection(thread);
    }
}

/* The same, and then the driver's memory is used again. */
static void reopen_beside_permit(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 1);
        reopen_loop(0);
        submit(1, 0, BP_NO_DEADLINE);
        run_loop_to_end(0, 2);
    } else {
        give_permit_or_connection(thread);
    }
}

/*
 * A thread is inside a call for a driver, and the loop closes this driver as soon as it sees what the call has done so
 * far. The driver must not end before the call returns, because the call may still close a connection on it.
 */
static void set_up_kept(uint32_t max_size, uint32_t hard_limit, unsigned leased) {
    set_up(max_size, hard_limit, 1, leased);
    requests[0].keeps = true;
}

/* The lease that the request gets because of the call is released after the end of the driver. */
static void get_lease_and_end(void) {
    submit(0, 0, BP_NO_DEADLINE);
    run_loop_to_end(0, 1);
    release_kept(0);
}

static void set_up_two_excess(void) {
    set_up_kept(1, 2, 2);
}

/* Releases a lease of the set-up to the driver of the first loop, on another thread. */
static void release_to_driver(unsigned lease) {
    loops[0].callers++;
    bp_status status = bp_driver_release(loops[0].driver, surrender(lease));
    loops[0].callers--;
    REQUIRE(status == BP_OK, "bp_driver_release returned %s", bp_status_name(status));
}

static void close_beside_release_to_driver(unsigned thread) {
    if (thread == 0) {
        get_lease_and_end();
    } else {
        release_to_driver(0);
    }
}

/* The lease that no thread has taken over is released at the end. */
static void check_kept(void) {
    thread_releases(surrender(world.leases[1].slot != NULL ? 1 : 0));
    loops_check_and_end();
}

/* A connection that the thread has opened without a waiter. */
static bp_lease permit_of_thread;

static void set_up_permit(void) {
    set_up_kept(1, 2, 1);
    REQUIRE(take_permit(&permit_of_thread), "no permit while setting up");
    disown(permit_of_thread);
}

static void close_beside_open_for_driver(unsigned thread) {
    if (thread == 0) {
        get_lease_and_end();
    } else {
        set_open(permit_of_thread, true);
        loops[0].callers++;
        bp_status status = bp_driver_finish_open(loops[0].driver, permit_of_thread, 0);
        loops[0].callers--;
        REQUIRE(status == BP_OK, "bp_driver_finish_open returned %s", bp_status_name(status));
    }
}

/* A connection that the thread has closed itself. */
static void close_beside_close_for_driver(unsigned thread) {
    if (thread == 0) {
        get_lease_and_end();
    } else {
        bp_lease lease = take_over(0);
        REQUIRE(bp_begin_close(world.pool, lease) == BP_OK, "bp_begin_close failed");
        set_open(lease, false);
        disown(lease);
        loops[0].callers++;
        bp_status status = bp_driver_finish_close(loops[0].driver, lease);
        loops[0].callers--;
        REQUIRE(status == BP_OK, "bp_driver_finish_close returned %s", bp_status_name(status));
    }
}

/* The thread makes two connections excess connections. */
static void set_up_three_idle(void) {
    set_up(3, 3, 1, 0);
    add_idle(3);
}

static void close_beside_reconcile_for_driver(unsigned thread) {
    if (thread == 0) {
        run_loop_until_closed(0, 1);
        run_loop_to_end(0, 0);
    } else {
        set_limits(1, 3);
        loops[0].callers++;
        bp_status status = bp_driver_reconcile(loops[0].driver);
        loops[0].callers--;
        REQUIRE(status == BP_OK, "bp_driver_reconcile returned %s", bp_status_name(status));
    }
}

/* A new driver, in the memory of one that had a request with an earlier deadline, has a timer for its own request. */
static void set_up_reopen_with_timeout(void) {
    set_up_kept(1, 1, 1);
}

static void reopen_with_timeout(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, 300);
        run_loop_to_end(0, 1);
        reopen_loop(0);
        submit(1, 0, 600);
        run_loop_to_end(0, 2);
        release_kept(0);
    } else {
        thread_releases(surrender(0));
    }
}

/* Two drivers end, and two are created in their memory at the same time. */
static void reopen_both(unsigned thread) {
    run_loop_to_end(thread, 0);
    reopen_loop(thread);
    ask_and_run(thread);
}

/* Excess connections and broken ones are closed on the loop. */
static void set_up_excess(void) {
    set_up(1, 2, 1, 2);
}

static void release_excess(unsigned thread) {
    if (thread == 0) {
        REQUIRE(bp_driver_release(loops[0].driver, surrender(0)) == BP_OK, "bp_driver_release failed");
        while (loops[0].posted != 0 || loops[0].closings != 0) {
            run_loop_until_closed(0, world.closed + 1);
        }
    } else {
        thread_releases(surrender(1));
    }
}

/* Two connections where one is allowed, because the limit was lowered: the first that is released closes, also if a
 * thread without a close function releases it to the driver. The request waits by then. */
static void set_up_lowered(void) {
    set_up_kept(2, 2, 2);
    set_limits(1, 1);
}

static void ask_above_limit(unsigned thread) {
    if (thread != 0) {
        block_until(&a_thread_has_slept);
        if (thread == 1) {
            thread_releases(surrender(0));
        } else {
            release_to_driver(1);
        }
        return;
    }
    submit(0, 0, BP_NO_DEADLINE);
    a_thread_has_slept = 1;
    run_loop_to_end(0, 1);
    inspection found = inspect(world.pool);
    REQUIRE(found.total - found.total_closing <= 1, "a request got a connection above the hard limit");
    release_kept(0);
}

static void discard_from_elsewhere(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, 0); /* Another reason to run than that of the thread that discards. */
        run_loop_until_closed(0, 1);
        run_loop_to_end(0, 1);
    } else if (thread == 1) {
        loops[0].callers++;
        bp_status status = bp_driver_discard(loops[0].driver, surrender(0));
        loops[0].callers--;
        REQUIRE(status == BP_OK, "bp_driver_discard returned %s", bp_status_name(status));
    } else {
        thread_acquires_and_releases(BP_NO_DEADLINE);
    }
}

/* The only driver shuts the pool down while one thread waits and another one releases. */
static void set_up_end(void) {
    set_up(1, 1, 1, 1);
    destroys_pool = true;
    world.when_frozen = NULL;
    world.freeze_allowance = 3;
}

static void end_beside_release(unsigned thread) {
    if (thread == 0) {
        submit(0, 0, BP_NO_DEADLINE);
        shut_loop_down(0);
    } else {
        thread_releases(surrender(0));
    }
}

static void end_beside_waiter(unsigned thread) {
    if (thread == 0) {
        block_until(&a_thread_has_slept);
        shut_loop_down(0);
    } else if (thread == 1) {
        thread_acquires_and_releases(BP_NO_DEADLINE);
        a_thread_has_slept = 1;
    } else {
        thread_releases(surrender(0));
    }
}

/* The connection is released to the driver that shuts down, by another thread. */
static void end_beside_release_to_driver(unsigned thread) {
    if (thread == 0) {
        shut_loop_down(0);
    } else {
        release_to_driver(0);
    }
}

/* Two loops: one shuts down, the other one has a request, and closes its own driver when that is done. */
static void set_up_end_of_two(void) {
    set_up(1, 1, 2, 0);
    world.when_frozen = NULL;
    world.freeze_allowance = 3;
}

static void end_of_two(unsigned thread) {
    if (thread == 0) {
        shut_loop_down(0);
    } else {
        submit(0, 1, BP_NO_DEADLINE);
        run_loop_to_end(1, 1);
    }
}

const scenario callback_scenarios[] = {
    {"callback-two-loops", 2, set_up_two_loops, ask_and_run, loops_check_and_end, false},
    {"callback-inside", 2, set_up_inside, ask_and_run, loops_check_and_end, false},
    {"callback-release", 2, set_up_release, ask_beside_release, loops_check_and_end, false},
    {"callback-two-releases", 3, set_up_two_releases, ask_twice_beside_releases, loops_check_and_end, false},
    {"callback-and-thread", 2, set_up_loop_and_thread, ask_beside_thread, loops_check_and_end, false},
    {"callback-loops-and-thread", 3, set_up_loops_and_thread, loops_beside_thread, loops_check_and_end, false},
    {"callback-open-fails", 2, set_up_refused, ask_and_run, check_refused, false},
    {"callback-open-fails-alone", 2, set_up_refused_alone, ask_beside_reconcile, check_refused_alone, false},
    {"callback-open-fails-vs-release", 2, set_up_refused_beside_release, two_ask_beside_release, loops_check_and_end,
     false},
    {"callback-timeout-vs-release", 2, set_up_release, ask_with_timeout, loops_check_and_end, false},
    {"callback-two-timeouts", 2, set_up_two_timeouts_frozen, ask_with_two_timeouts, check_timeouts, false},
    {"callback-four-timeouts", 2, set_up_four_timeouts, ask_with_four_timeouts, check_timeouts, false},
    {"callback-submit-vs-timeout", 2, set_up_release, submit_beside_timeout, check_timeouts, false},
    {"callback-submit-earlier-timeout", 2, set_up_release, submit_earlier_timeout, check_timeouts, false},
    {"callback-cancel-vs-release", 2, set_up_release, cancel_beside_release, loops_check_and_end, false},
    {"callback-submit-elsewhere", 3, set_up_release, submit_from_elsewhere, loops_check_and_end, false},
    {"callback-submit-elsewhere-timeout", 3, set_up_release, submit_from_elsewhere_with_timeout, loops_check_and_end,
     false},
    {"callback-submit-elsewhere-idle", 2, set_up_idle, submit_from_elsewhere, loops_check_and_end, false},
    {"callback-close-vs-permit", 3, set_up_two_leased, close_beside_permit, loops_check_and_end, false},
    {"callback-reopen-vs-permit", 3, set_up_two_leased, reopen_beside_permit, loops_check_and_end, false},
    {"callback-close-vs-release-to-it", 2, set_up_two_excess, close_beside_release_to_driver, check_kept, false},
    {"callback-close-vs-open-for-it", 2, set_up_permit, close_beside_open_for_driver, check_kept, false},
    {"callback-close-vs-close-for-it", 2, set_up_two_excess, close_beside_close_for_driver, check_kept, false},
    {"callback-close-vs-reconcile-for-it", 2, set_up_three_idle, close_beside_reconcile_for_driver, loops_check_and_end,
     false},
    {"callback-reopen-with-timeout", 2, set_up_reopen_with_timeout, reopen_with_timeout, loops_check_and_end, false},
    {"callback-reopen-both", 2, set_up_two_loops, reopen_both, loops_check_and_end, false},
    {"callback-excess", 2, set_up_excess, release_excess, loops_check_and_end, false},
    {"callback-lowered-limit", 3, set_up_lowered, ask_above_limit, loops_check_and_end, false},
    {"callback-discard-elsewhere", 3, set_up_release, discard_from_elsewhere, loops_check_and_end, false},
    {"callback-end-vs-release", 2, set_up_end, end_beside_release, loops_check_and_end, false},
    {"callback-end-vs-waiter", 3, set_up_end, end_beside_waiter, loops_check_and_end, false},
    {"callback-end-vs-release-to-it", 2, set_up_end, end_beside_release_to_driver, loops_check_and_end, false},
    {"callback-end-of-two", 2, set_up_end_of_two, end_of_two, loops_check_and_end, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
