/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the core knows about a thread.
 *
 * A pool may be freed only when no thread is inside a call on it. Calls on the slow path count themselves in
 * bp_pool.inside, which costs an atomic read-modify-write at the beginning and at the end. The fast path of
 * bp_release_and_reconcile cannot afford that. There, the thread writes the pool's address to its own record before it
 * releases the connection, and 0 afterwards, with two stores that are not read-modify-writes. The thread that wants to
 * free the pool reads all records. It sees the first store, because it has seen the connection that the other thread
 * released after the store. The fast path of bp_driver_release does the same with the driver's address, and a loop
 * reads all records before its driver ends.
 *
 * Records are never freed. The record of a thread that has ended is used again for a new thread.
 */
#ifndef BP_THREAD_RECORD_H
#define BP_THREAD_RECORD_H

#include "atomics.h"
#include "include/bp_pool.h"

/* A call of bp_reconcile that this thread is in. */
typedef struct {
    bp_pool *pool;
    uintptr_t frame; /* Where the call's stack frame is. */
} bp_reconciling;

#define BP_MAX_RECONCILING 8 /* The number of nested calls, each inside a close function of another pool. */

typedef struct bp_thread_record {
    bp_atomic64 inside; /* The pool or driver that the thread may be releasing a connection to; 0: none. */
    bp_atomic64 in_use; /* 1 while a thread has this record. */
    struct bp_thread_record *next;
    bp_reconciling reconciling[BP_MAX_RECONCILING]; /* Only for the thread itself. */
    unsigned depth;
} bp_thread_record;

/* Returns the record of the calling thread, or NULL if there is no memory for one. */
bp_thread_record *bp__thread_record(void);

/* Returns the record of the calling thread, or NULL if it has none yet. */
#ifdef BP_THREADS_ARE_FIBERS
#define bp__known_thread_record() bp__thread_record()
#else
extern _Thread_local bp_thread_record *bp__own_record;
#define bp__known_thread_record() bp__own_record
#endif

/* Returns the first of all records. The other records follow by next. */
bp_thread_record *bp__thread_records(void);

/*
 * Makes the records of all other threads unused, in a child process, which has only the thread that called fork().
 * Otherwise a new pool could never be freed if it had the address of a pool to which another thread was releasing when
 * the process forked. The stores are relaxed, because the child has one thread.
 */
void bp__forget_other_threads(void);

/* Returns whether a thread is on the fast path of bp_release_and_reconcile with this pool, or of bp_driver_release with
 * this driver. */
static inline bool bp__thread_is_releasing_to(const void *pool_or_driver) {
    for (bp_thread_record *it = bp__thread_records(); it != NULL; it = it->next) {
        /* Acquire: pairs with the release store at the end of the fast path. */
        if (bp__load(&it->inside) == (uint64_t)(uintptr_t)pool_or_driver) {
            return true;
        }
    }
    return false;
}

#endif
