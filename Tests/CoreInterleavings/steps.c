/* SPDX-License-Identifier: Apache-2.0 */

/* Steps and checks that several files of scenarios share. */
#include "steps.h"

void release_mine(unsigned thread) {
    release_lease(take_over(thread));
}

void acquire_and_release(void) {
    bp_lease lease;
    if (acquire(&lease)) {
        release_lease(lease);
    }
}

void try_and_release(void) {
    bp_lease lease = try_acquire();
    if (lease.slot != NULL) {
        release_lease(lease);
    }
}

void check_nobody_waits(void) {
    REQUIRE(!bp_has_waiters(world.pool), "a caller still waits");
}

void check_nothing_left(void) {
    REQUIRE(bp_total(world.pool) == 0, "%u connections are left after shutdown", bp_total(world.pool));
    check_nobody_waits();
}
