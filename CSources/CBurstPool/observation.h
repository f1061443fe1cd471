/* SPDX-License-Identifier: Apache-2.0 */

/* When a lease was first observed: an entry of bp_pool.observations. */
#ifndef BP_OBSERVATION_H
#define BP_OBSERVATION_H

#include "atomics.h"

typedef struct {
    bp_atomic64 serial; /* Of the lease that was observed. */
    bp_atomic64 at;     /* When it was observed first. */
} bp_observation;

#endif
