/* SPDX-License-Identifier: Apache-2.0 */

/* Says what the memory of a pool is used for. */
#ifndef TRANSFERS_CORE_USES_H
#define TRANSFERS_CORE_USES_H

#include "include/bp_pool.h"

/* Sets use_of for this pool. */
void set_uses_of(const bp_pool *pool);

#endif
