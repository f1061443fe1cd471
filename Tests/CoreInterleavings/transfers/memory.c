/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the core calls when it accesses memory: the operations of atomics_scheduled.h, and for plain accesses the
 * functions that the compiler inserts for ThreadSanitizer, whose own library is not linked. The compiler leaves out
 * accesses to variables that no other thread can reach, and those that follow an access to the same address.
 */
#include "atomics.h"
#include "cpus.h"
#include "fork.h"

#include "parking_scheduled.h"
#include "thread_record.h"
#include "thread_records.h"

#include <string.h>

uint64_t explored_purge_slack = 64;
uint64_t explored_purge_limit = 1024;
uint64_t explored_now;

static void plain(const void *address, size_t size, bool is_write) {
    if (tasks_run()) {
        coherence_access(this_cpu(), this_activity(), address, size, is_write);
    }
}

static void atomic(const void *address, size_t size, bool is_write) {
    before_operation();
    plain(address, size, is_write);
}

uint64_t explored_load(const bp_atomic64 *cell, bool acquire) {
    (void)acquire;
    counted.loads++;
    atomic(cell, sizeof *cell, false);
    return cell->value;
}

void explored_store(bp_atomic64 *cell, uint64_t value, bool release) {
    (void)release;
    atomic(cell, sizeof *cell, true);
    cell->value = value;
}

/* A compare-and-swap that fails needs the line like one that succeeds. */
bool explored_cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    atomic(cell, sizeof *cell, true);
    if (cell->value != *expected) {
        *expected = cell->value;
        return false;
    }
    cell->value = desired;
    return true;
}

uint64_t explored_exchange(bp_atomic64 *cell, uint64_t value) {
    atomic(cell, sizeof *cell, true);
    uint64_t before = cell->value;
    cell->value = value;
    return before;
}

uint64_t explored_add(bp_atomic64 *cell, uint64_t delta) {
    atomic(cell, sizeof *cell, true);
    uint64_t before = cell->value;
    cell->value = before + delta;
    return before;
}

void *explored_calloc(size_t size) {
    return shared_memory(size);
}

void explored_free(void *block) {
    (void)block;
}

uint32_t explored_home_number(void) {
    return this_cpu();
}

/* Sleeping. A post writes the waiter's memory, and the waiter reads it. */

bool bp__parking_create(bp_parking *parking) {
    plain(parking, sizeof *parking, true);
    *parking = (bp_parking){0};
    return true;
}

void bp__parking_destroy(bp_parking *parking) {
    (void)parking;
}

void bp__parking_post(bp_parking *parking) {
    plain(parking, sizeof *parking, true);
    parking->posted = 1;
}

static bool is_posted(const void *parking) {
    return ((const bp_parking *)parking)->posted != 0;
}

bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    (void)timeout;
    waits++;
    sleep_until(is_posted, parking);
    plain(parking, sizeof *parking, false);
    return true;
}

void bp__pause(uint64_t nanoseconds) {
    (void)nanoseconds;
    between_calls();
}

uint64_t bp__now(void) {
    return 0;
}

/* A simulated pool is never destroyed, and no process forks. */

bool bp__remember_pool(bp_pool *pool) {
    (void)pool;
    return true;
}

void bp__forget_pool(bp_pool *pool) {
    (void)pool;
}

/* The record of each task, in a line of its own. */

static bp_thread_record *records[MOST_TASKS + 1];

bp_thread_record *bp__thread_record(void) {
    return records[tasks_run() ? this_task() : MOST_TASKS];
}

bp_thread_record *bp__thread_records(void) {
    return records[0];
}

void bp__forget_other_threads(void) {}

void create_thread_records(void) {
    bp_thread_record *next = NULL;
    for (unsigned i = MOST_TASKS + 1; i-- > 0;) {
        records[i] = shared_memory(sizeof *records[i]);
        records[i]->next = next;
        next = records[i];
    }
}

/* Called by instrumented code. */

#define READ_AND_WRITE(size)                                                                                           \
    void __tsan_read##size(void *address) {                                                                            \
        plain(address, size, false);                                                                                   \
    }                                                                                                                  \
    void __tsan_write##size(void *address) {                                                                           \
        plain(address, size, true);                                                                                    \
    }                                                                                                                  \
    void __tsan_unaligned_read##size(void *address) {                                                                  \
        plain(address, size, false);                                                                                   \
    }                                                                                                                  \
    void __tsan_unaligned_write##size(void *address) {                                                                 \
        plain(address, size, true);                                                                                    \
    }
READ_AND_WRITE(1)
READ_AND_WRITE(2)
READ_AND_WRITE(4)
READ_AND_WRITE(8)
READ_AND_WRITE(16)

void *__tsan_memcpy(void *to, const void *from, size_t size) {
    if (size > 0) {
        plain(from, size, false);
        plain(to, size, true);
    }
    return memcpy(to, from, size);
}

void *__tsan_memset(void *to, int value, size_t size) {
    if (size > 0) {
        plain(to, size, true);
    }
    return memset(to, value, size);
}

void __tsan_init(void) {}
