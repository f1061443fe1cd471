/* SPDX-License-Identifier: Apache-2.0 */

/* What the programs share: a check that ends the program, and a pool of one size. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <CBurstPool.h>

#include <stdio.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000000)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static inline bp_pool *create_pool(uint32_t max_size, uint32_t hard_limit) {
    bp_pool_configuration configuration = {.max_size = max_size, .hard_limit = hard_limit, .element_size = 8};
    bp_pool *pool;
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    return pool;
}

/* Acquires a connection, which is open at once. */
static inline bp_lease open_connection(bp_pool *pool) {
    bp_lease lease;
    CHECK(bp_acquire(pool, 0, &lease) == BP_OPEN);
    CHECK(bp_finish_open(pool, lease) == BP_OK);
    return lease;
}

static inline void close_nothing(void *element, void *context) {
    (void)element;
    (void)context;
}

#endif
