/* SPDX-License-Identifier: Apache-2.0 */

/* After fork(), each call on a pool of the parent returns BP_FORKED in the child; a new pool works; the parent goes on.
 */
#define _GNU_SOURCE
#include "program.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static bp_pool *pool;

static void *wait_for_connection(void *argument) {
    (void)argument;
    bp_lease lease;
    CHECK(bp_acquire(pool, BP_NO_DEADLINE, &lease) == BP_OK);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    return NULL;
}

/* A lease that has ended, or none. */
static void use_lease_in_child(bp_lease lease) {
    CHECK(bp_release(pool, lease) == BP_FORKED && bp_release_exclusive(pool, lease) == BP_FORKED);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_FORKED);
    CHECK(bp_return_idle(pool, lease) == BP_FORKED && bp_sweep_keep(pool, lease) == BP_FORKED);
    CHECK(bp_begin_close_excess(pool, lease) == BP_FORKED);
    CHECK(bp_begin_close_above_hard_limit(pool, lease) == BP_FORKED);
}

static void use_in_child(bp_lease lease) {
    bp_lease other;
    bp_ticket ticket = {0};
    bp_pool_statistics statistics;
    bp_slot_view view;
    void *context;
    uint64_t next;
    uint32_t limit;
    CHECK(bp_try_acquire(pool).slot == NULL);
    CHECK(bp_acquire(pool, BP_NO_DEADLINE, &other) == BP_FORKED && other.slot == NULL);
    /* The first release ends the lease, and the others have one that has ended. */
    CHECK(bp_lease_is_current(pool, lease) && bp_element(pool, lease) != NULL);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_FORKED);
    CHECK(!bp_lease_is_current(pool, lease) && bp_element(pool, lease) == NULL);
    use_lease_in_child(lease);
    use_lease_in_child((bp_lease){NULL, 0});
    CHECK(bp_release_and_reconcile(pool, lease, NULL, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_begin_close(pool, lease) == BP_FORKED && bp_finish_close(pool, lease) == BP_FORKED);
    CHECK(bp_detach(pool, lease) == BP_FORKED);
    CHECK(bp_discard_and_reconcile(pool, lease, close_nothing, NULL) == BP_FORKED);
    CHECK(bp_cancel_open_and_reconcile(pool, lease, close_nothing, NULL) == BP_FORKED);
    CHECK(bp_finish_open(pool, lease) == BP_FORKED && bp_cancel_open(pool, lease) == BP_FORKED);
    CHECK(bp_begin_open(pool, &ticket, &other) == BP_FORKED);
    CHECK(bp_begin_open_unrequested(pool, &other) == BP_FORKED);
    CHECK(bp_wait_prepare(pool, &ticket) == BP_FORKED);
    CHECK(bp_wait_join(pool, ticket, NULL, 1, NULL) == BP_FORKED);
    CHECK(bp_wait_claim(pool, ticket, &context) == BP_FORKED && bp_wait_requeue(pool, ticket) == BP_FORKED);
    CHECK(bp_expire(pool, 1, &context, 1, &next) == 0 && next == BP_NO_DEADLINE);
    CHECK(bp_hand_off(pool, &context) == BP_FORKED && bp_take_idle(pool, &other) == BP_FORKED);
    CHECK(bp_sweep_next(pool, &other) == BP_FORKED && bp_sweep_end(pool) == BP_FORKED);
    CHECK(bp_resize(pool, 1, 1) == BP_FORKED && bp_limits(pool, &limit, &limit) == BP_FORKED);
    CHECK(bp_pause(pool) == BP_FORKED && bp_resume(pool) == BP_FORKED && bp_shutdown(pool) == BP_FORKED);
    CHECK(bp_reconcile(pool, close_nothing, NULL) == BP_FORKED);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_FORKED);
    CHECK(!bp_has_waiters(pool) && !bp_has_permit_for_waiter(pool));
    CHECK(bp_pool_statistics_get(pool, &statistics) == BP_OK && statistics.is_shut_down);
    CHECK(bp_slot_at(pool, 0, &view) == BP_OK && view.lease.slot == lease.slot);
    CHECK(bp_pool_destroy(pool) == BP_OK);
    bp_pool *mine = create_pool(1, 1);
    lease = open_connection(mine);
    CHECK(bp_release_and_reconcile(mine, lease, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(mine, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(mine) == BP_OK);
}

/* Another thread may be inside a release when the process forks. In the child this must not keep a new pool open. */
#define FORKS 40

static atomic_bool is_over;

static void *release_all_the_time(void *argument) {
    (void)argument;
    bp_lease lease = open_connection(pool);
    while (!is_over) {
        CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
        CHECK(bp_acquire(pool, 0, &lease) == BP_OK);
    }
    CHECK(bp_discard_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    return NULL;
}

/* The pool of the parent and the new one mostly have the same address. */
static void replace_pool_in_child(void) {
    CHECK(bp_pool_destroy(pool) == BP_OK);
    bp_pool *mine = create_pool(1, 1);
    CHECK(bp_release_and_reconcile(mine, open_connection(mine), close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(mine, 5 * SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(mine) == BP_OK);
}

static void wait_for_child(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fork_beside_releases(void) {
    pool = create_pool(1, 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, release_all_the_time, NULL) == 0);
    while (bp_total(pool) == 0) {
        sched_yield();
    }
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            replace_pool_in_child();
            _exit(0);
        }
        wait_for_child(child);
    }
    is_over = true;
    pthread_join(thread, NULL);
    CHECK(bp_shutdown_and_wait(pool, 10 * SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

int main(void) {
    fork_beside_releases();
    pool = create_pool(1, 1);
    bp_lease lease = open_connection(pool);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wait_for_connection, NULL) == 0);
    while (bp_waiting(pool) == 0) {
        sched_yield();
    }
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        use_in_child(lease);
        _exit(0);
    }
    wait_for_child(child);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    pthread_join(thread, NULL);
    CHECK(bp_shutdown_and_wait(pool, 10 * SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
    puts("the child got a status from every call, and the parent went on");
    return 0;
}
