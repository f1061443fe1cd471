/* All scenarios. */
#include "scenario.h"

#include <string.h>

/* clang-format off: one a line, so that two branches can each add one. */
const scenario *const suites[] = {
    leasing_scenarios,   opening_scenarios, waiting_scenarios,
    limit_scenarios,     excess_scenarios,  queue_scenarios,
    deadline_scenarios,  sweep_scenarios,   requeue_scenarios,
    rejection_scenarios, pause_scenarios,   observation_scenarios,
    blocking_scenarios,  ending_scenarios,  sequential_scenarios,
    age_scenarios,       memory_scenarios,  NULL,
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
