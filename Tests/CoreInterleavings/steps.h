/* SPDX-License-Identifier: Apache-2.0 */

/* Steps and checks that several files of scenarios share. */
#ifndef EXPLORER_STEPS_H
#define EXPLORER_STEPS_H

#include "world.h"

/* Takes over world.leases[thread], and releases it. */
void release_mine(unsigned thread);
/* Acquires a connection, waits if necessary, and releases it. */
void acquire_and_release(void);
/* Acquires a connection if one is idle, and releases it. */
void try_and_release(void);
void check_nobody_waits(void);
void check_nothing_left(void);

#endif
