/* SPDX-License-Identifier: Apache-2.0 */

/* The two ways to acquire a connection of this library without a callback. */
#include "contender.h"
#include "filled_pool.h"

#include <burstpool/bp_blocking.h>

static void close_nothing(void *element, void *context) {
    (void)element;
    (void)context;
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

const contender try_acquire = {"bp_try_acquire, bp_release", create_filled, try_work, destroy_filled};
const contender acquire = {"bp_acquire, bp_release_and_reconcile", create_filled, blocking_work, destroy_filled};
