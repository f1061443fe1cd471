/* SPDX-License-Identifier: Apache-2.0 */

/* All scenarios. */
#include "scenario.h"

#include <string.h>

/* One a line, so that two branches can each add one. */
/* clang-format off */
const scenario *const suites[] = {
    leasing_scenarios,
    opening_scenarios,
    waiting_scenarios,
    limit_scenarios,
    excess_scenarios,
    queue_scenarios,
    deadline_scenarios,
    sweep_scenarios,
    requeue_scenarios,
    rejection_scenarios,
    pause_scenarios,
    observation_scenarios,
    age_scenarios,
    memory_scenarios,
    sequential_scenarios,
#ifndef EXPLORED_SWIFT_CORE /* It passes nothing on, and has no calls that block a thread. */
    passing_on_scenarios,
    blocking_scenarios,
    ending_scenarios,
    callback_scenarios,
#endif
    NULL,
};
/* clang-format on */

const scenario *find_scenario(const char *name) {
    for (const scenario *const *suite = suites; *suite != NULL; suite++) {
        for (const scenario *it = *suite; it->name != NULL; it++) {
            if (strcmp(it->name, name) == 0) {
                return it;
            }
        }
    }
    return NULL;
}
