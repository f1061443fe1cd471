/* SPDX-License-Identifier: Apache-2.0 */

/* CBurstPool: the C11 core of BurstPool, a connection pool without locks. */
#ifndef CBURSTPOOL_H
#define CBURSTPOOL_H

#include "bp_version.h"
#include "bp_status.h"
#include "bp_pool.h"
#include "bp_blocking.h"
#include "bp_callback.h"

#endif
