/* SPDX-License-Identifier: Apache-2.0 */

/* Shutting a pool down, and waiting until it can be destroyed. */
#include "posix.h"

#include "include/bp_blocking.h"

#include "parking.h"
#include "pool.h"

/* The shortest and the longest pause between two checks in bp_shutdown_and_wait, in nanoseconds. */
#define BP_SHORTEST_PAUSE 50000u
#define BP_LONGEST_PAUSE 10000000u

bp_status bp_shutdown_and_reconcile(bp_pool *pool, bp_close_function close, void *context) {
    bp_status status = close == NULL ? BP_INVALID_ARGUMENT : bp_shutdown(pool);
    return status == BP_OK ? bp_reconcile(pool, close, context) : status;
}

bp_status bp_shutdown_and_wait(bp_pool *pool, uint64_t timeout, bp_close_function close, void *context) {
    uint64_t begun = bp__now();
    bp_status status = bp_shutdown_and_reconcile(pool, close, context);
    uint64_t pause = BP_SHORTEST_PAUSE;
    while (status == BP_OK && !bp__is_quiet(pool)) {
        uint64_t passed = bp__now() - begun;
        if (passed >= timeout) {
            return BP_TIMED_OUT;
        }
        pause = pause < timeout - passed ? pause : timeout - passed;
        bp__pause(pause);
        pause = pause < BP_LONGEST_PAUSE / 2 ? pause * 2 : BP_LONGEST_PAUSE;
        status = bp_reconcile(pool, close, context);
    }
    return status;
}
