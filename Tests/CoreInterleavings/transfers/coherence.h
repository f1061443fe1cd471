/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The caches of the simulated CPUs: which of them have a copy of which cache line.
 *
 * A CPU that writes a line must be the only one that has it, and a CPU that reads a line must have it. If that is not
 * so already, the line, or the permission to write it, comes from another CPU, and this counts as one transfer. Caches
 * never get full, so a line that nobody else writes stays where it is.
 */
#ifndef TRANSFERS_COHERENCE_H
#define TRANSFERS_COHERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SIZE 64
#define MOST_CPUS 128
#define MOST_TASKS (MOST_CPUS * 4)
#define TASK_STACK_SIZE 16384

/* What memory is used for. A contender names its own memory. */
typedef enum {
    USE_WORDS,   /* The line of words that the fast path reads, or the mutex and what it protects. */
    USE_INSIDE,  /* The count of the threads inside slow calls. */
    USE_STRIPES, /* The idle connections. */
    USE_QUEUE,   /* The list of waiters: its free nodes, its tail, its nodes. */
    USE_SLOTS,
    USE_STACKS, /* The stacks of the tasks, where a waiter receives its lease. */
    USE_OTHER,
    USES,
} memory_use;

/* What a task is doing. */
typedef enum { ACQUIRING, RELEASING, ACTIVITIES } activity;

typedef struct {
    uint64_t transfers[ACTIVITIES][USES];
    uint64_t loads; /* Atomic loads, whether or not they are transfers. */
} coherence_counts;

/* Since coherence_reset. */
extern coherence_counts counted;

/* Returns what an address in the heap is used for. Set by the contender. */
extern memory_use (*use_of)(const void *address);

/* Empties the heap and all caches. */
void coherence_reset(void);

/* One access of a CPU. Memory outside of the heap and the stacks of the tasks is not shared, and does not count. */
void coherence_access(unsigned cpu, activity what, const void *address, size_t size, bool is_write);

/* Zeroed memory in the simulated heap, which only coherence_reset frees. The program ends if there is none. */
void *shared_memory(size_t size);
char *task_stack(unsigned task);

#endif
