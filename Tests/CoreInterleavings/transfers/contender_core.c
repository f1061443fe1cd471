/* SPDX-License-Identifier: Apache-2.0 */

/* This core. */
#include "contender.h"

#include "coherence.h"
#include "core_uses.h"
#include "cpus.h"
#include "thread_records.h"

#include "include/CBurstPool.h"

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
