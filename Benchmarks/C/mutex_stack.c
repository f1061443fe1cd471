/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Pools as they are written by hand: a mutex, an array as a stack, and a condition variable. In the first, a thread
 * that runs overtakes one that was woken and does not run yet. In the second, the thread that has waited longest is
 * next, as in this library.
 */
#include "contender.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct sleeper {
    struct sleeper *next;
    pthread_cond_t condition;
    void *element; /* Not NULL when the sleeper has been given a connection. */
} sleeper;

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition; /* Of mutex_stack. */
    sleeper *first, **last;   /* Of fifo_mutex. */
    unsigned idle;
    void *stack[64];
    char *elements;
} mutex_pool;

static void *create(unsigned connections, size_t element_size) {
    /* Elements fill cache lines of their own, as those of this library do. */
    size_t stride = (element_size + 127) / 128 * 128;
    mutex_pool *pool = aligned_alloc(128, (sizeof *pool + 127) / 128 * 128);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->condition, NULL);
    pool->first = NULL;
    pool->last = &pool->first;
    pool->elements = aligned_alloc(128, connections * stride);
    for (pool->idle = 0; pool->idle < connections; pool->idle++) {
        pool->stack[pool->idle] = pool->elements + pool->idle * stride;
        *(uint64_t *)pool->stack[pool->idle] = 0;
    }
    return pool;
}

static void destroy(void *argument) {
    mutex_pool *pool = argument;
    pthread_cond_destroy(&pool->condition);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->elements);
    free(pool);
}

static __attribute__((noinline)) void *acquire_any(mutex_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    while (pool->idle == 0) {
        pthread_cond_wait(&pool->condition, &pool->mutex);
    }
    void *element = pool->stack[--pool->idle];
    pthread_mutex_unlock(&pool->mutex);
    return element;
}

static __attribute__((noinline)) void release_any(mutex_pool *pool, void *element) {
    pthread_mutex_lock(&pool->mutex);
    pool->stack[pool->idle++] = element;
    pthread_mutex_unlock(&pool->mutex);
    pthread_cond_signal(&pool->condition);
}

static __attribute__((noinline)) void *acquire_in_order(mutex_pool *pool) {
    void *element;
    pthread_mutex_lock(&pool->mutex);
    if (pool->idle > 0) {
        element = pool->stack[--pool->idle];
    } else {
        sleeper self = {.condition = PTHREAD_COND_INITIALIZER};
        *pool->last = &self;
        pool->last = &self.next;
        while (self.element == NULL) {
            pthread_cond_wait(&self.condition, &pool->mutex);
        }
        element = self.element;
        pthread_cond_destroy(&self.condition);
    }
    pthread_mutex_unlock(&pool->mutex);
    return element;
}

static __attribute__((noinline)) void release_in_order(mutex_pool *pool, void *element) {
    pthread_mutex_lock(&pool->mutex);
    sleeper *first = pool->first;
    if (first == NULL) {
        pool->stack[pool->idle++] = element;
    } else {
        pool->first = first->next;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
        first->element = element;
        pthread_cond_signal(&first->condition);
    }
    pthread_mutex_unlock(&pool->mutex);
}

static void work_any(void *pool, turn_part *part) {
    WORK(part, (element = acquire_any(pool)) != NULL, release_any(pool, element));
}

static void work_in_order(void *pool, turn_part *part) {
    WORK(part, (element = acquire_in_order(pool)) != NULL, release_in_order(pool, element));
}

const contender mutex_stack = {"mutex, stack, condition variable", create, work_any, destroy};
const contender fifo_mutex = {"the same, first come first served", create, work_in_order, destroy};
