/* SPDX-License-Identifier: Apache-2.0 */

/* A pool of this library whose connections are all open. */
#include "filled_pool.h"

#include <burstpool/bp_blocking.h>

#include <stdio.h>
#include <stdlib.h>

static void close_nothing(void *element, void *context) {
    (void)element;
    (void)context;
}

void require(bp_status status) {
    if (status != BP_OK) {
        fprintf(stderr, "%s\n", bp_status_message(status));
        exit(1);
    }
}

void *create_filled(unsigned connections, size_t element_size) {
    bp_pool_configuration configuration = {
        .max_size = connections, .hard_limit = connections, .element_size = element_size};
    bp_pool *pool;
    bp_lease leases[64];
    require(bp_pool_create(&configuration, &pool));
    for (unsigned i = 0; i < connections; i++) {
        require(bp_begin_open_unrequested(pool, &leases[i]));
        require(bp_finish_open(pool, leases[i]));
    }
    for (unsigned i = 0; i < connections; i++) {
        require(bp_release(pool, leases[i]));
    }
    return pool;
}

void destroy_filled(void *pool) {
    require(bp_shutdown_and_wait(pool, BP_NO_DEADLINE, close_nothing, NULL));
    require(bp_pool_destroy(pool));
}
