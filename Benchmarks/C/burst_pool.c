/* SPDX-License-Identifier: Apache-2.0 */

/* The two ways to acquire a connection of this library without a callback. */
#include "contender.h"

#include <burstpool/bp_blocking.h>

#include <stdio.h>
#include <stdlib.h>

static void close_nothing(void *element, void *context) {
    (void)element;
    (void)context;
}

static void require(bp_status status) {
    if (status != BP_OK) {
        fprintf(stderr, "%s\n", bp_status_message(status));
        exit(1);
    }
}

static void *create(unsigned connections, size_t element_size) {
    bp_pool_configuration configuration = {
        .max_size = connections, .hard_limit = connections, .element_size = element_size};
    bp_pool *pool;
    bp_lease leases[64];
    require(bp_pool_create(&configuration, &pool));
    for (unsigned i = 0; i < connections; i++) {
        require(bp_begin_open_unrequested(pool, &leases[i]));
        require(bp_finish_open(pool, leases[i]));
    }
    for (unsigned i = 0; i < connections; i++) {
        require(bp_release(pool, leases[i]));
    }
    return pool;
}

static void destroy(void *pool) {
    require(bp_shutdown_and_wait(pool, BP_NO_DEADLINE, close_nothing, NULL));
    require(bp_pool_destroy(pool));
}

static void try_work(void *pool, turn_part *part) {
    bp_lease lease;
    WORK(part, (lease = bp_try_acquire(pool)).slot != NULL && (element = bp_element(pool, lease)) != NULL,
         bp_release(pool, lease));
}

static void blocking_work(void *pool, turn_part *part) {
    bp_lease lease;
    WORK(part, bp_acquire(pool, BP_NO_DEADLINE, &lease) == BP_OK && (element = bp_element(pool, lease)) != NULL,
         bp_release_and_reconcile(pool, lease, close_nothing, NULL));
}

const contender try_acquire = {"bp_try_acquire, bp_release", create, try_work, destroy};
const contender acquire = {"bp_acquire, bp_release_and_reconcile", create, blocking_work, destroy};
