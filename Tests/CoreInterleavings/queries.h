/* SPDX-License-Identifier: Apache-2.0 */

/* What the queries of bp_pool.h must answer when no call runs. */
#ifndef EXPLORER_QUERIES_H
#define EXPLORER_QUERIES_H

#include "inspect.h"

/* Asks all queries, and compares the answers with what is in the pool and with what was done to it. */
void check_queries(const inspection *found);

#endif
