/* SPDX-License-Identifier: Apache-2.0 */

/* A pool of this library whose connections are all open. */
#ifndef FILLED_POOL_H
#define FILLED_POOL_H

#include <burstpool/bp_status.h>

#include <stddef.h>

/* Ends the program with a message, unless the status is BP_OK. */
void require(bp_status status);

void *create_filled(unsigned connections, size_t element_size);
void destroy_filled(void *pool);

#endif
