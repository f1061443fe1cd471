/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A turn: for some milliseconds, threads acquire, use and release connections of one contender. Contenders take turns,
 * so that what disturbs the machine disturbs neighbours alike.
 */
#ifndef TURN_H
#define TURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MAX_WAITS 65536

/* One thread's part of a turn. */
typedef struct {
    atomic_bool *is_over;
    long hold;           /* How long a connection is in use, in nanoseconds. 0: only its element is written. */
    uint64_t operations; /* How many leases the thread has had. */
    uint64_t *waits;     /* If not NULL: how long the thread waited for each of its first MAX_WAITS leases. */
} turn_part;

static inline uint64_t clock_now(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Uses a connection. */
static inline void use(turn_part *part, void *element) {
    ++*(volatile uint64_t *)element;
    if (part->hold > 0) {
        struct timespec hold = {0, part->hold};
        nanosleep(&hold, NULL);
    }
}

/*
 * The loop of a thread, to be inlined with the calls of the contender. acquire: sets element and lease, and is false if
 * there was no connection. The clock is read only where waits are recorded.
 */
#define WORK(part, ACQUIRE, RELEASE)                                                                                   \
    while (!atomic_load_explicit((part)->is_over, memory_order_relaxed)) {                                             \
        for (int i = 0; i < ((part)->waits == NULL ? 64 : 1); i++) {                                                   \
            uint64_t since = (part)->waits == NULL ? 0 : clock_now(CLOCK_MONOTONIC);                                   \
            void *element;                                                                                             \
            if (!(ACQUIRE)) {                                                                                          \
                continue;                                                                                              \
            }                                                                                                          \
            if ((part)->waits != NULL && (part)->operations < MAX_WAITS) {                                             \
                (part)->waits[(part)->operations] = clock_now(CLOCK_MONOTONIC) - since;                                \
            }                                                                                                          \
            use(part, element);                                                                                        \
            RELEASE;                                                                                                   \
            (part)->operations++;                                                                                      \
        }                                                                                                              \
    }

#endif
