/*
 * A table that grows and never moves: entries have an index and an address, both good until the table is destroyed.
 *
 * Chunk k holds 64 << k entries, so a table of n entries has about log2(n / 64) chunks, and growing copies nothing.
 * Memory comes zeroed. Taking an entry is lock-free apart from the system's allocator, which is asked once a chunk.
 */
#ifndef BP_TYPE_STABLE_TABLE_H
#define BP_TYPE_STABLE_TABLE_H

#include "atomics.h"

#ifndef BP_TABLE_FIRST_CHUNK_BITS
#define BP_TABLE_FIRST_CHUNK_BITS 6 /* Smaller where tests want tables to grow. */
#endif
#define BP_TABLE_CHUNKS 25
/* What the chunks hold together: 64 * (2^25 - 1). */
#define BP_TABLE_CAPACITY                                                                                              \
    ((UINT32_C(1) << (BP_TABLE_FIRST_CHUNK_BITS + BP_TABLE_CHUNKS)) - (UINT32_C(1) << BP_TABLE_FIRST_CHUNK_BITS))
#define BP_TABLE_NONE UINT32_MAX

typedef struct {
    bp_atomic64 chunks[BP_TABLE_CHUNKS];
    bp_atomic64 used;
    size_t stride;
} bp_table;

/* Zeroed memory at a multiple of alignment, a power of two; NULL when there is none. */
void *bp_allocate_zeroed(size_t size, size_t alignment);
void bp_deallocate(void *memory);

void bp_table_destroy(bp_table *table);

/* Gives out the next index, below limit; BP_TABLE_NONE when the limit is reached or memory is short. */
uint32_t bp_table_extend(bp_table *table, uint32_t limit);

/* Makes sure that the entry with this index has memory. */
bool bp_table_reserve(bp_table *table, uint32_t index);

/* Bytes that the chunks take. */
size_t bp_table_memory(const bp_table *table);

static inline unsigned bp_table_chunk(uint32_t index, uint64_t *offset) {
    uint64_t position = (uint64_t)index + (UINT64_C(1) << BP_TABLE_FIRST_CHUNK_BITS);
    unsigned chunk = 63 - (unsigned)__builtin_clzll(position) - BP_TABLE_FIRST_CHUNK_BITS;
    *offset = position - (UINT64_C(1) << (chunk + BP_TABLE_FIRST_CHUNK_BITS));
    return chunk;
}

/* The entry with this index, for which there is memory. */
static inline void *bp_table_at(const bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp_table_chunk(index, &offset);
    /* Acquire: pairs with the compare-and-swap in bp_table_reserve that published the zeroed chunk. */
    return (char *)(uintptr_t)bp_load(&table->chunks[chunk]) + offset * table->stride;
}

/* The entry with this index; NULL if there is no memory for it. */
static inline void *bp_table_find(const bp_table *table, uint32_t index) {
    uint64_t offset;
    unsigned chunk = bp_table_chunk(index, &offset);
    return chunk >= BP_TABLE_CHUNKS || bp_load(&table->chunks[chunk]) == 0 ? NULL : bp_table_at(table, index);
}

/* How many entries have been given out. */
static inline uint32_t bp_table_used(const bp_table *table) {
    return (uint32_t)bp_load(&table->used);
}

#endif
