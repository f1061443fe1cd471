/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pool as C programs write it: a mutex, an array, and a list of waiters in order. A thread that finds the mutex
 * locked sleeps until it is unlocked. What the system does then is not counted.
 */
#include "contender.h"

#include "atomics.h"
#include "coherence.h"
#include "cpus.h"
#include "parking_scheduled.h"

typedef struct {
    _Alignas(LINE_SIZE) uint64_t element;
} item;

typedef struct waiter {
    struct waiter *next;
    item *given;
    bp_parking parking;
} waiter;

/* The array begins in a line of its own, so that locking and popping need two lines at most. */
typedef struct {
    _Alignas(LINE_SIZE) bp_atomic64 mutex;
    uint64_t count;
    waiter *first;
    waiter **last;
    _Alignas(LINE_SIZE) item *items[MOST_CPUS];
} mutex_pool;

static mutex_pool *pool;
static item *held[MOST_TASKS];

static memory_use use_in_mutex(const void *address) {
    uintptr_t offset = (uintptr_t)address - (uintptr_t)pool;
    return offset < LINE_SIZE ? USE_WORDS : offset < sizeof *pool ? USE_STRIPES : USE_SLOTS;
}

static bool is_unlocked(const void *mutex) {
    return ((const bp_atomic64 *)mutex)->value == 0;
}

static void lock(void) {
    while (bp__exchange(&pool->mutex, 1) != 0) {
        sleep_until(is_unlocked, &pool->mutex);
    }
}

static void unlock(void) {
    bp__store(&pool->mutex, 0);
}

static void create(unsigned connections, unsigned cpus, unsigned stripes) {
    (void)cpus;
    (void)stripes;
    pool = shared_memory(sizeof *pool);
    pool->last = &pool->first;
    use_of = use_in_mutex;
    for (unsigned i = 0; i < connections; i++) {
        pool->items[pool->count++] = shared_memory(sizeof(item));
    }
}

static void acquire(void) {
    waiter self = {0};
    lock();
    if (pool->count > 0) {
        self.given = pool->items[--pool->count];
        unlock();
    } else {
        bp__parking_create(&self.parking);
        *pool->last = &self;
        pool->last = &self.next;
        unlock();
        bp__parking_wait(&self.parking, UINT64_MAX);
    }
    self.given->element++;
    held[this_task()] = self.given;
}

static void release(void) {
    lock();
    waiter *first = pool->first;
    if (first == NULL) {
        pool->items[pool->count++] = held[this_task()];
    } else {
        pool->first = first->next;
        if (pool->first == NULL) {
            pool->last = &pool->first;
        }
        first->given = held[this_task()];
    }
    unlock();
    if (first != NULL) {
        bp__parking_post(&first->parking);
    }
}

const contender mutex_and_array = {"a mutex and an array", create, acquire, release};
