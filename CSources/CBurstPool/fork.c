/* SPDX-License-Identifier: Apache-2.0 */

/* The list of all pools, and the handlers of fork(). See fork.h. */
#include "fork.h"

#include "pool.h"

#include <pthread.h>

/* Protects the list. Locked only while a pool is created or destroyed and while the process forks. */
static pthread_mutex_t bp__list_mutex = PTHREAD_MUTEX_INITIALIZER;
static bp_pool *bp__first_pool;
static pthread_once_t bp__fork_once = PTHREAD_ONCE_INIT;

static void bp__before_fork(void) {
    pthread_mutex_lock(&bp__list_mutex);
}

static void bp__after_fork_in_parent(void) {
    pthread_mutex_unlock(&bp__list_mutex);
}

/* The child has one thread, so the stores are relaxed. */
static void bp__after_fork_in_child(void) {
    for (bp_pool *pool = bp__first_pool; pool != NULL; pool = pool->next) {
        pool->is_forked = true;
        /* Because of these words, bp_try_acquire returns no lease, and the calls that release check is_forked. */
        bp__store_relaxed(&pool->waiting, BP_SHUT | BP_FORKED_BIT);
        bp__store_relaxed(&pool->limits, BP_SHUT);
    }
    bp__forget_other_threads();
    pthread_mutex_unlock(&bp__list_mutex);
}

static bool bp__has_fork_handlers;

static void bp__register_fork_handlers(void) {
    bp__has_fork_handlers = pthread_atfork(bp__before_fork, bp__after_fork_in_parent, bp__after_fork_in_child) == 0;
}

bool bp__remember_pool(bp_pool *pool) {
    pthread_once(&bp__fork_once, bp__register_fork_handlers);
    if (!bp__has_fork_handlers) {
        return false;
    }
    pthread_mutex_lock(&bp__list_mutex);
    pool->next = bp__first_pool;
    pool->previous = NULL;
    if (pool->next != NULL) {
        pool->next->previous = pool;
    }
    bp__first_pool = pool;
    pthread_mutex_unlock(&bp__list_mutex);
    return true;
}

void bp__forget_pool(bp_pool *pool) {
    pthread_mutex_lock(&bp__list_mutex);
    if (pool->next != NULL) {
        pool->next->previous = pool->previous;
    }
    *(pool->previous != NULL ? &pool->previous->next : &bp__first_pool) = pool->next;
    pthread_mutex_unlock(&bp__list_mutex);
}
