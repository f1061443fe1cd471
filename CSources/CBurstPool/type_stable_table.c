/* SPDX-License-Identifier: Apache-2.0 */

/* The chunks of a table. See type_stable_table.h. */
#include "type_stable_table.h"

#include <stdlib.h>

#ifndef BP_CALLOC /* The explorer has its own, to notice accesses to memory that was freed. */
#define BP_CALLOC(size) calloc(1, size)
#define BP_FREE(block) free(block)
#endif

void *bp__allocate_zeroed(size_t size, size_t alignment) {
    /* calloc does not touch the pages of a large block before they are used; aligned_alloc and memset would. */
    if (size > SIZE_MAX - alignment - sizeof(void *)) {
        return NULL;
    }
    char *block = BP_CALLOC(size + alignment + sizeof(void *));
    if (block == NULL) {
        return NULL;
    }
    uintptr_t start = ((uintptr_t)block + sizeof(void *) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    ((void **)start)[-1] = block;
    return (void *)start;
}

void bp__deallocate(void *memory) {
    if (memory != NULL) {
        BP_FREE(((void **)memory)[-1]);
    }
}

void bp__table_create(bp_table *table, size_t stride, uint32_t most) {
    table->stride = stride;
    table->first = BP_TABLE_FIRST_CHUNK;
    /* If an entry is large, a first chunk with more entries than the table will ever have can exceed the memory. */
    while (table->first > most) {
        table->first /= 2;
    }
}

void bp__table_destroy(bp_table *table) {
    for (unsigned chunk = 0; chunk < BP_TABLE_CHUNKS; chunk++) {
        /* Relaxed: no other thread uses the table any more. */
        bp__deallocate((void *)(uintptr_t)bp__load_relaxed(&table->chunks[chunk]));
    }
}

size_t bp__table_memory(const bp_table *table) {
    size_t entries = 0;
    for (unsigned chunk = 0; chunk < BP_TABLE_CHUNKS; chunk++) {
        /* Nothing relies on the order: only whether the chunk exists is used. */
        entries += bp__load(&table->chunks[chunk]) != 0 ? (size_t)1 << chunk : 0;
    }
    return entries * table->stride;
}

bool bp__table_reserve(bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp__table_chunk(table, index, &offset);
    if (chunk >= BP_TABLE_CHUNKS) {
        return false;
    }
    /* Acquire: pairs with the compare-and-swap below. The caller may use the chunk. */
    if (bp__load(&table->chunks[chunk]) != 0) {
        return true;
    }
    size_t entries = (size_t)1 << chunk;
    if (table->stride > SIZE_MAX / entries) {
        return false;
    }
    void *memory = bp__allocate_zeroed(entries * table->stride, 64);
    if (memory == NULL) {
        return false;
    }
    /* Publishes the zeroed memory: pairs with the loads of the chunk. The second of two threads frees its own memory.
     */
    uint64_t expected = 0;
    if (!bp__cas(&table->chunks[chunk], &expected, (uint64_t)(uintptr_t)memory)) {
        bp__deallocate(memory);
    }
    return true;
}

uint32_t bp__table_extend(bp_table *table, uint32_t limit) {
    uint64_t used = bp__load(&table->used);
    do {
        if (used >= limit || !bp__table_reserve(table, (uint32_t)used)) {
            return BP_TABLE_NONE;
        }
        /* Pairs with the load in bp__table_used. Of several threads, the compare-and-swap gives each its own index. */
    } while (!bp__cas(&table->used, &used, used + 1));
    return (uint32_t)used;
}
