/* SPDX-License-Identifier: Apache-2.0 */

/* An entry of bp_pool.observations: which lease of a slot was observed, and when it was observed first. */
#ifndef BP_OBSERVATION_H
#define BP_OBSERVATION_H

#include "atomics.h"

typedef struct {
    bp_atomic64 serial; /* The serial number of the lease that was observed. */
    bp_atomic64 at;     /* The time at which it was observed first. */
} bp_observation;

#endif
