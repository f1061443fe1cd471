/* SPDX-License-Identifier: Apache-2.0 */

/* The memory of the core under exploration: an access to memory that was freed is noticed. See heap.h. */
#include "heap.h"

#include "atomics.h"
#include "scheduler.h"

#include <stdlib.h>

#define MOST_BLOCKS 64

typedef struct {
    char *start;
    size_t size;
} freed_block;

static freed_block freed[MOST_BLOCKS];
static unsigned freed_count;
bool heap_may_fail;
static size_t live_blocks, live_bytes;

/* The size is stored before the block. */
void *explored_calloc(size_t size) {
    if (heap_may_fail && threads_run() && choose(2) == 1) {
        return NULL;
    }
    size_t *block = calloc(1, size + 16);
    if (block == NULL) {
        return NULL;
    }
    *block = size;
    live_blocks++;
    live_bytes += size;
    return (char *)block + 16;
}

void explored_free(void *block) {
    char *start = (char *)block - 16;
    live_blocks--;
    live_bytes -= *(size_t *)(void *)start;
    if (!threads_run()) {
        free(start);
        return;
    }
    REQUIRE(freed_count < MOST_BLOCKS, "the explorer can record %d freed blocks only", MOST_BLOCKS);
    freed[freed_count++] = (freed_block){start, *(size_t *)(void *)start + 16};
}

void heap_require_alive(const void *cell) {
    for (unsigned i = 0; i < freed_count; i++) {
        REQUIRE((const char *)cell < freed[i].start || (const char *)cell >= freed[i].start + freed[i].size,
                "memory of a pool is used after the pool was destroyed");
    }
}

size_t heap_blocks(void) {
    return live_blocks;
}

size_t heap_bytes(void) {
    return live_bytes;
}

void heap_reset(void) {
    live_blocks = live_bytes = 0;
    heap_may_fail = false;
    for (unsigned i = 0; i < freed_count; i++) {
        free(freed[i].start);
    }
    freed_count = 0;
}
