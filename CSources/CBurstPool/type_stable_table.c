#include "type_stable_table.h"

#include <stdlib.h>

void *bp_allocate_zeroed(size_t size, size_t alignment) {
    /* calloc leaves the pages of a large block untouched until they are used; aligned_alloc and memset would not. */
    if (size > SIZE_MAX - alignment - sizeof(void *)) {
        return NULL;
    }
    char *block = calloc(1, size + alignment + sizeof(void *));
    if (block == NULL) {
        return NULL;
    }
    uintptr_t start = ((uintptr_t)block + sizeof(void *) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    ((void **)start)[-1] = block;
    return (void *)start;
}

void bp_deallocate(void *memory) {
    if (memory != NULL) {
        free(((void **)memory)[-1]);
    }
}

void bp_table_destroy(bp_table *table) {
    for (unsigned chunk = 0; chunk < BP_TABLE_CHUNKS; chunk++) {
        bp_deallocate((void *)(uintptr_t)bp_load_relaxed(&table->chunks[chunk]));
    }
}

size_t bp_table_memory(const bp_table *table) {
    size_t entries = 0;
    for (unsigned chunk = 0; chunk < BP_TABLE_CHUNKS; chunk++) {
        entries += bp_load(&table->chunks[chunk]) != 0 ? (size_t)1 << (chunk + BP_TABLE_FIRST_CHUNK_BITS) : 0;
    }
    return entries * table->stride;
}

bool bp_table_reserve(bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp_table_chunk(index, &offset);
    if (chunk >= BP_TABLE_CHUNKS) {
        return false;
    }
    if (bp_load(&table->chunks[chunk]) != 0) {
        return true;
    }
    size_t entries = (size_t)1 << (chunk + BP_TABLE_FIRST_CHUNK_BITS);
    if (table->stride > SIZE_MAX / entries) {
        return false;
    }
    void *memory = bp_allocate_zeroed(entries * table->stride, 64);
    if (memory == NULL) {
        return false;
    }
    /* Publishes the zeroed memory: pairs with the load in bp_table_at. Whoever comes second gives its own back. */
    uint64_t expected = 0;
    if (!bp_cas(&table->chunks[chunk], &expected, (uint64_t)(uintptr_t)memory)) {
        bp_deallocate(memory);
    }
    return true;
}

uint32_t bp_table_extend(bp_table *table, uint32_t limit) {
    uint64_t used = bp_load(&table->used);
    do {
        if (used >= limit || !bp_table_reserve(table, (uint32_t)used)) {
            return BP_TABLE_NONE;
        }
    } while (!bp_cas(&table->used, &used, used + 1));
    return (uint32_t)used;
}
