/* What an atomic operation does to memory, under three models. */
#ifndef EXPLORER_MEMORY_H
#define EXPLORER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    MEMORY_SC,   /* Everybody sees every store at once. */
    MEMORY_TSO,  /* x86: each thread has a first-in first-out store buffer; read-modify-writes drain it. */
    MEMORY_VIEW, /* Release, acquire and relaxed as in C11: each thread has a view, and loads may see old values. */
} memory_model;

extern memory_model model;

/* Called for each operation, after it; for traces. NULL: nobody looks. */
extern void (*memory_watcher)(const char *operation, const void *cell, uint64_t value);

/* Before each run. */
void memory_reset(void);
/* The thread's stores are visible now (it has ended, or sleeps). */
void memory_drain(unsigned thread);
void memory_drain_all(void);
/* Whether the thread has a buffered store, and makes its oldest one visible. */
bool memory_has_pending(unsigned thread);
void memory_flush_one(unsigned thread);

/* What one thread knows, given to another by means other than the core's atomics (a wake-up, a ticket passed on). */
#define MEMORY_CHANNELS 32
void memory_send(unsigned channel);
void memory_receive(unsigned channel);

#endif
