/* SPDX-License-Identifier: Apache-2.0 */

/* One run of a scenario. See running.h. */
#include "running.h"

#include "atomics.h"
#include "heap.h"
#include "schedules.h"

#include <string.h>

const scenario *exploring;
unsigned frozen_thread = NOBODY, frozen_after;

static void set_up(void) {
    forget_threads();
    heap_reset();
    explored_purge_slack = 2;
    explored_purge_limit = 4;
    exploring->set_up();
}

bool run_once(void) {
    program it = {exploring->threads, exploring->body, frozen_thread, frozen_after, check_frozen};
    if (!passes(set_up)) {
        return false;
    }
    bool good =
        run(&it) && passes(check_at_rest) && (exploring->check == NULL || passes(exploring->check)) && finish_world();
    return good;
}

bool run_and_report(void) {
    bool good = run_once();
    if (!good) {
        static char reason[sizeof failure_text];
        memcpy(reason, failure_text, sizeof reason);
        report_failure(reason);
    }
    return good;
}
