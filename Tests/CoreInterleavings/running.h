/* SPDX-License-Identifier: Apache-2.0 */

/* One run of a scenario: set up, run under one schedule, checked at rest, and ended. */
#ifndef EXPLORER_RUNNING_H
#define EXPLORER_RUNNING_H

#include "scenario.h"

#include <stdbool.h>

/* The scenario that is run, and the thread that is frozen in it: NOBODY, or after so many of its steps. */
extern const scenario *exploring;
extern unsigned frozen_thread, frozen_after;

/* False if a check failed: see failure_text. */
bool run_once(void);
/* The same; and if it failed, prints its schedule and saves it. */
bool run_and_report(void);

#endif
