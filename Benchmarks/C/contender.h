/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What takes part in the comparison. Each contender is a file of its own, which implements this interface for one way
 * to share connections among threads.
 */
#ifndef CONTENDER_H
#define CONTENDER_H

#include "turn.h"

#include <stddef.h>

typedef struct {
    const char *name;
    /* Creates a pool with so many connections, all idle, each with an element of this size. */
    void *(*create)(unsigned connections, size_t element_size);
    /* One thread's part of a turn: acquires and releases until the turn is over. */
    void (*work)(void *pool, turn_part *part);
    void (*destroy)(void *pool);
} contender;

extern const contender try_acquire;      /* bp_try_acquire and bp_release */
extern const contender acquire;          /* bp_acquire and bp_release_and_reconcile */
extern const contender callback_request; /* bp_request_submit and bp_driver_release, on event loops */
extern const contender mutex_stack;      /* a mutex, an array as a stack, and a condition variable */
extern const contender fifo_mutex;       /* the same, but waiters are served in order */

#endif
