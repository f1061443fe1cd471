/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A table that grows and never moves: the index and the address of an entry are good until the table is destroyed.
 *
 * The first chunk holds up to 64 entries, and each further chunk holds twice as many as the chunk before it. So a table
 * of n entries has about log2(n / 64) chunks, and growing copies nothing. New entries are zeroed. Creating an entry is
 * lock-free except for the system's allocator, which is called once for each chunk.
 *
 * The position of an entry is its index plus the size of the first chunk. The highest bit of the position selects the
 * chunk, and the bits below are the offset in the chunk.
 */
#ifndef BP_TYPE_STABLE_TABLE_H
#define BP_TYPE_STABLE_TABLE_H

#include "atomics.h"

#ifndef BP_TABLE_FIRST_CHUNK
#define BP_TABLE_FIRST_CHUNK 64u /* A power of two. Tests choose less, so that tables grow. */
#endif
#define BP_TABLE_CHUNKS 31
/* A number of entries for which every table has room. */
#define BP_TABLE_CAPACITY ((UINT32_C(1) << BP_TABLE_CHUNKS) - BP_TABLE_FIRST_CHUNK)
#define BP_TABLE_NONE UINT32_MAX

typedef struct {
    bp_atomic64 chunks[BP_TABLE_CHUNKS]; /* The address of the chunk with 1 << k entries at k; 0: not allocated. */
    bp_atomic64 used;
    size_t stride;
    uint64_t first; /* The number of entries in the first chunk. */
} bp_table;

/* Returns zeroed memory at a multiple of alignment, a power of two; NULL if there is none. */
void *bp__allocate_zeroed(size_t size, size_t alignment);
void bp__deallocate(void *memory);

/* Sets up an empty table in zeroed memory. most: the greatest number of entries in its first chunk; at least 1. */
void bp__table_create(bp_table *table, size_t stride, uint32_t most);
void bp__table_destroy(bp_table *table);

/* Creates the next entry and returns its index; BP_TABLE_NONE if the table has limit entries, or there is no memory. */
uint32_t bp__table_extend(bp_table *table, uint32_t limit);

/* Allocates the memory of the entry with this index, if need be. Returns false if there is none. */
bool bp__table_reserve(bp_table *table, uint32_t index);

/* Returns the number of bytes in all chunks. */
size_t bp__table_memory(const bp_table *table);

static inline unsigned bp__table_chunk(const bp_table *table, uint32_t index, uint64_t *offset) {
    uint64_t position = (uint64_t)index + table->first;
    unsigned chunk = 63 - (unsigned)__builtin_clzll(position);
    *offset = position - (UINT64_C(1) << chunk);
    return chunk;
}

/* Returns the entry with this index, which must have memory. */
static inline void *bp__table_at(const bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp__table_chunk(table, index, &offset);
    /* Acquire: pairs with the compare-and-swap in bp__table_reserve that published the zeroed chunk. */
    return (char *)(uintptr_t)bp__load(&table->chunks[chunk]) + offset * table->stride;
}

/* Returns the entry with this index, or NULL if it has no memory. */
static inline void *bp__table_find(const bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp__table_chunk(table, index, &offset);
    return chunk >= BP_TABLE_CHUNKS || bp__load(&table->chunks[chunk]) == 0 ? NULL : bp__table_at(table, index);
}

/* Returns how many entries were created. Acquire: pairs with the compare-and-swap in bp__table_extend, so that the
 * chunk of each of these entries is visible. */
static inline uint32_t bp__table_used(const bp_table *table) {
    return (uint32_t)bp__load(&table->used);
}

#endif
