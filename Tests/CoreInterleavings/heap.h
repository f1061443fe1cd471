/* SPDX-License-Identifier: Apache-2.0 */

/* The memory of the core under exploration: an access to memory that was freed is noticed. */
#ifndef EXPLORER_HEAP_H
#define EXPLORER_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Fails if the cell is in memory that a thread has freed in this run. */
void heap_require_alive(const void *cell);
/* Frees the blocks that the previous run has freed. Called before each run. */
void heap_reset(void);
/* Whether threads may get no memory: the scheduler chooses. */
extern bool heap_may_fail;
/* The blocks that the core has now, and their bytes. */
size_t heap_blocks(void);
size_t heap_bytes(void);

#endif
