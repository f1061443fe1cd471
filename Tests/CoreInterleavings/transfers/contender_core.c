/* SPDX-License-Identifier: Apache-2.0 */

/* This core. */
#include "contender.h"

#include "coherence.h"
#include "core_uses.h"
#include "cpus.h"
#include "thread_records.h"

#include "include/CBurstPool.h"
#include "parking_scheduled.h"

#include <stdio.h>
#include <stdlib.h>

static bp_pool *pool;
static bp_lease leases[MOST_TASKS];

static void require(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void close_nothing(void *element, void *context) {
    (void)element;
    (void)context;
}

static void create(unsigned connections, unsigned cpus, unsigned stripes) {
    create_thread_records();
    bp_pool_configuration configuration = {
        .max_size = connections == 0 ? 1 : connections,
        .hard_limit = connections == 0 ? 1 : connections,
        .element_size = sizeof(uint64_t),
        .stripes = stripes != 0 ? stripes : (cpus < 2 ? 4 : 2 * cpus), /* As idle_stack.c does. */
    };
    require(bp_pool_create(&configuration, &pool) == BP_OK, "the pool cannot be created");
    set_uses_of(pool);
    /* All are opened before the first is released, each on its own CPU. */
    for (unsigned i = 0; i < connections; i++) {
        require(bp_begin_open_unrequested(pool, &leases[i]) == BP_OK, "there is no permit");
        bp_finish_open(pool, leases[i]);
    }
    for (unsigned i = 0; i < connections; i++) {
        set_up_on(i % cpus);
        bp_release(pool, leases[i]);
    }
}

/* Notes what the task has acquired, and writes to the connection, as the body of a lease does. */
static void use(bp_lease lease) {
    leases[this_task()] = lease;
    ++*(uint64_t *)bp_element(pool, lease);
}

static void acquire(void) {
    bp_lease lease;
    require(bp_acquire(pool, BP_NO_DEADLINE, &lease) == BP_OK, "the pool gives no connection");
    use(lease);
}

static void release(void) {
    require(bp_release_and_reconcile(pool, leases[this_task()], close_nothing, NULL) == BP_OK, "the release fails");
}

static void try_acquire(void) {
    bp_lease lease = bp_try_acquire(pool);
    require(lease.slot != NULL, "no connection is idle");
    use(lease);
}

static void release_checked(void) {
    require(bp_release(pool, leases[this_task()]) == BP_OK, "the release fails");
}

static void release_exclusive(void) {
    require(bp_release_exclusive(pool, leases[this_task()]) == BP_OK, "the release fails");
}

/* Callers that wait as those of the Swift pool do. */

typedef struct {
    bp_parking parking;
    bp_lease lease;
} waiting_task;

static void resume(void *context, bp_lease lease) {
    waiting_task *task = context;
    task->lease = lease;
    bp__parking_post(&task->parking);
}

/* The loop of bp_pool.h, for a pool whose connections are all open. */
static void serve_waiters(void) {
    bp_lease lease;
    void *context;
    while (bp_has_waiters(pool) && bp_take_idle(pool, &lease) == BP_OK) {
        if (bp_hand_off(pool, &context) == BP_OK) {
            resume(context, lease);
        } else {
            bp_return_idle(pool, lease);
        }
    }
}

static void acquire_or_join(void) {
    bp_lease lease = bp_try_acquire(pool);
    if (lease.slot == NULL) {
        waiting_task task;
        bp_ticket ticket;
        bp__parking_create(&task.parking);
        require(bp_wait_prepare(pool, &ticket) == BP_OK, "the wait is not prepared");
        require(bp_wait_join(pool, ticket, &task, BP_NO_DEADLINE, NULL) == BP_OK, "the task cannot wait");
        serve_waiters();
        bp__parking_wait(&task.parking, BP_NO_DEADLINE);
        bp__parking_destroy(&task.parking);
        lease = task.lease;
    }
    use(lease);
}

static void release_to_waiter(void) {
    bp_lease lease = leases[this_task()], next;
    void *context;
    bp_status status = bp_release_unless_awaited(pool, lease);
    if (status == BP_AWAITED) {
        if (bp_release_to_waiter(pool, lease, &next, &context) == BP_OK) {
            resume(context, next);
            return;
        }
        status = bp_release_exclusive(pool, lease);
    }
    if (status == BP_RECONCILE) {
        serve_waiters();
    }
}

const contender joining_calls = {"bp_wait_join, bp_release_to_waiter", create, acquire_or_join, release_to_waiter};
const contender blocking_calls = {"bp_acquire, bp_release_and_reconcile", create, acquire, release};
const contender checked_calls = {"bp_try_acquire, bp_release", create, try_acquire, release_checked};
const contender exclusive_calls = {"bp_try_acquire, bp_release_exclusive", create, try_acquire, release_exclusive};

miss_cost count_miss(unsigned stripes) {
    coherence_reset();
    create(0, 1, stripes);
    uint64_t before = counted.loads;
    bp_lease lease = bp_try_acquire(pool);
    require(lease.slot == NULL, "a connection is idle");
    uint64_t between = counted.loads;
    require(bp_take_idle(pool, &lease) == BP_EMPTY, "a connection is idle");
    return (miss_cost){between - before, counted.loads - between};
}
