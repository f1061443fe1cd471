/* SPDX-License-Identifier: Apache-2.0 */

/* What an atomic operation does to memory, in three models. */
#ifndef EXPLORER_MEMORY_H
#define EXPLORER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    MEMORY_SC,   /* Every thread sees every store immediately. */
    MEMORY_TSO,  /* x86: each thread has a first-in first-out store buffer; read-modify-writes drain it. */
    MEMORY_VIEW, /* Release, acquire and relaxed as in C11: each thread has a view, and loads may see old values. */
} memory_model;

extern memory_model model;

/* Called after each operation, for traces. NULL: not called. */
extern void (*memory_watcher)(const char *operation, const void *cell, uint64_t value);

/* Called before each run. */
void memory_reset(void);
/* Makes the thread's stores visible, because it has ended, or sleeps. */
void memory_drain(unsigned thread);
void memory_drain_all(void);
/* Returns whether the thread has a buffered store. If so, makes its oldest one visible. */
bool memory_has_pending(unsigned thread);
void memory_flush_one(unsigned thread);

/*
 * Passes what one thread knows to another one by other means than the core's atomics (a wake-up, a ticket passed on).
 */
#define MEMORY_CHANNELS 32
void memory_send(unsigned channel);
void memory_receive(unsigned channel);

#endif
