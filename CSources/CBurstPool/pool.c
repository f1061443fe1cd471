/* SPDX-License-Identifier: Apache-2.0 */

/* The life of a pool: creating and destroying it. */
#include "posix.h"

#include "pool.h"

#include "driver.h"
#include "fork.h"
#include "observation.h"
#include "sized.h"

#include <pthread.h>

static size_t bp__round_up(size_t size, size_t alignment) {
    return (size + alignment - 1) & ~(alignment - 1);
}

static void bp__pool_free(bp_pool *pool) {
    bp__idle_stack_destroy(&pool->idle);
    bp__table_destroy(&pool->slots);
    bp__table_destroy(&pool->observations);
    bp__table_destroy(&pool->drivers);
    bp__waiter_queue_destroy(&pool->queue);
    bp__deallocate(pool);
}

static bp_status bp__pool_make(const bp_pool_configuration *configuration, bp_pool **made) {
    size_t alignment = configuration->element_alignment == 0 ? _Alignof(void *) : configuration->element_alignment;
    if (!bp__limits_are_valid(configuration->max_size, configuration->hard_limit) || alignment > 64 ||
        (alignment & (alignment - 1)) != 0 || configuration->element_size > (size_t)1 << 30 ||
        configuration->max_waiters > BP_MAX_WAITERS) {
        return BP_INVALID_CONFIGURATION;
    }
    bp_pool *pool = bp__allocate_zeroed(sizeof(bp_pool), _Alignof(bp_pool));
    if (pool == NULL) {
        return BP_OUT_OF_MEMORY;
    }
    uint64_t keep_excess = configuration->keep_excess ? BP_KEEP_EXCESS : 0;
    /* Relaxed: the program passes the pool to other threads only after its creation. */
    bp__store_relaxed(&pool->limits, bp__limits_word(configuration->max_size, configuration->hard_limit, keep_excess));
    pool->element_offset = bp__round_up(sizeof(struct bp_slot), alignment);
    size_t stride = bp__round_up(pool->element_offset + configuration->element_size, 64);
    uint32_t first_slots = configuration->first_slots == 0 || configuration->first_slots > configuration->hard_limit
                               ? configuration->hard_limit
                               : configuration->first_slots;
    bp__table_create(&pool->slots, stride, first_slots);
    bp__table_create(&pool->observations, sizeof(bp_observation), first_slots);
    bp__table_create(&pool->drivers, sizeof(bp_driver), BP_FIRST_DRIVERS);
    /*
     * Reserves the first chunk of slots now, so that it is near the pool and near what the pool's creator allocates at
     * the same time. Otherwise the first thread that opens a connection would allocate it, perhaps from another arena
     * of the allocator. Cache lines of two arenas can have the same set and the same linear tag in the first-level
     * cache of an AMD CPU. Such lines evict each other, and a lease then takes up to twice as long (Decisions/0002).
     * This helps the first 64 slots, if they are small enough for an arena.
     */
    if (!bp__table_reserve(&pool->slots, 0) || !bp__idle_stack_create(&pool->idle, configuration->stripes) ||
        !bp__waiter_queue_create(&pool->queue)) {
        bp__pool_free(pool);
        return BP_OUT_OF_MEMORY;
    }
    pool->owner = configuration->owner;
    pool->release_owner = configuration->release_owner;
    uint32_t max_waiters = configuration->max_waiters == 0 ? BP_MAX_WAITERS : configuration->max_waiters;
    pool->full = max_waiters * BP_HIGH_ONE;
    if (!bp__remember_pool(pool)) {
        bp__pool_free(pool);
        return BP_OUT_OF_MEMORY;
    }
    *made = pool;
    return BP_OK;
}

bp_status bp_pool_create_sized(const bp_pool_configuration *configuration, bp_pool **pool) {
    const size_t least = BP_SIZE_UP_TO(bp_pool_configuration, release_owner);
    if (pool != NULL) {
        *pool = NULL;
    }
    if (configuration == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /* A thread that is cancelled while it reads the quota of its control group, or in release_owner, would leak the
     * pool.
     */
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    bp_pool_configuration known;
    bp_status status = pool == NULL ? BP_INVALID_ARGUMENT : BP_INVALID_CONFIGURATION;
    if (pool != NULL && bp__sized_read(&known, sizeof known, least, configuration)) {
        status = bp__pool_make(&known, pool);
    }
    /* If the size is too small, the configuration has no member release_owner. */
    if (status != BP_OK && configuration->size >= least && configuration->release_owner != NULL) {
        configuration->release_owner(configuration->owner);
    }
    pthread_setcancelstate(cancel_state, NULL);
    return status;
}

bp_status bp_pool_destroy(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /* In a forked process there are no other threads, and the connections are the parent's. */
    if (!pool->is_forked && (!bp__is_quiet(pool) || bp__waiter_is_prepared(&pool->queue))) {
        return BP_BUSY;
    }
    /* release_owner may call this function again, which must not free the pool twice. The exchange orders nothing. */
    if (bp__exchange(&pool->is_being_destroyed, 1) != 0) {
        return BP_BUSY;
    }
    bp__forget_pool(pool);
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (pool->release_owner != NULL) {
        pool->release_owner(pool->owner);
    }
    bp__pool_free(pool);
    pthread_setcancelstate(cancel_state, NULL);
    return BP_OK;
}

void *bp_pool_owner(const bp_pool *pool) {
    return pool == NULL ? NULL : pool->owner;
}

size_t bp_pool_memory(const bp_pool *pool) {
    if (pool == NULL) {
        return 0;
    }
    return sizeof(bp_pool) + bp__idle_stack_memory(&pool->idle) + bp__table_memory(&pool->slots) +
           bp__table_memory(&pool->observations) + bp__table_memory(&pool->drivers) +
           bp__waiter_queue_memory(&pool->queue);
}
