/* SPDX-License-Identifier: Apache-2.0 */

/* Single promises of the headers that C programs rely on. */
#include "program.h"

#include <errno.h>
#include <string.h>

static bp_pool *pool;

static void large_elements(void) {
    bp_pool_configuration configuration = {.max_size = 1, .hard_limit = 1, .element_size = (size_t)1 << 30};
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    CHECK(bp_pool_memory(pool) < (size_t)3 << 29);
    bp_lease lease = open_connection(pool);
    ((char *)bp_element(pool, lease))[((size_t)1 << 30) - 1] = 1;
    /* The limits can be raised later. */
    bp_lease second;
    CHECK(bp_resize(pool, 2, 2) == BP_OK && bp_begin_open_unrequested(pool, &second) == BP_OK);
    CHECK(bp_cancel_open(pool, second) == BP_OK);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

static void elements_of_ended_leases(void) {
    pool = create_pool(1, 1);
    bp_pool *other = create_pool(1, 1);
    bp_lease lease = open_connection(pool);
    CHECK(bp_element(pool, lease) != NULL && bp_element(other, lease) == NULL);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    CHECK(bp_element(pool, lease) == NULL);
    bp_lease next = bp_try_acquire(pool);
    CHECK(bp_element(pool, lease) == NULL && bp_element(pool, next) != NULL);
    CHECK(bp_begin_close(pool, next) == BP_OK && bp_element(pool, next) != NULL);
    CHECK(bp_finish_close(pool, next) == BP_OK && bp_element(pool, next) == NULL);
    CHECK(bp_pool_destroy(pool) == BP_OK && bp_pool_destroy(other) == BP_OK);
}

static void change_errno(void *element, void *context) {
    (void)element;
    ++*(int *)context;
    errno = EBADF;
}

static void failed_connect_keeps_errno(void) {
    pool = create_pool(1, 2);
    bp_lease first = open_connection(pool), second = open_connection(pool), permit;
    CHECK(bp_resize(pool, 1, 3) == BP_OK && bp_acquire(pool, 0, &permit) == BP_OPEN);
    CHECK(bp_release(pool, first) == BP_RECONCILE);
    int closed = 0;
    errno = ECONNREFUSED;
    CHECK(bp_cancel_open_and_reconcile(pool, permit, change_errno, &closed) == BP_CONNECT_FAILED);
    CHECK(errno == ECONNREFUSED && closed == 1);
    CHECK(strcmp(bp_status_name(BP_CONNECT_FAILED), "BP_CONNECT_FAILED") == 0);
    CHECK(bp_release_and_reconcile(pool, second, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

static void close_function_is_required(void) {
    pool = create_pool(1, 2);
    bp_lease first = open_connection(pool), second = open_connection(pool);
    CHECK(bp_release_and_reconcile(pool, first, NULL, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_discard_and_reconcile(pool, first, NULL, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_reconcile(pool, NULL, NULL) == BP_INVALID_ARGUMENT);
    CHECK(bp_shutdown_and_reconcile(pool, NULL, NULL) == BP_INVALID_ARGUMENT && !bp_is_shut_down(pool));
    CHECK(bp_shutdown_and_wait(pool, 0, NULL, NULL) == BP_INVALID_ARGUMENT && !bp_is_shut_down(pool));
    /* A lease that has ended: the call reconciles all the same. */
    CHECK(bp_release(pool, first) == BP_RECONCILE && bp_total(pool) == 2);
    CHECK(bp_discard_and_reconcile(pool, first, close_nothing, NULL) == BP_STALE_LEASE && bp_total(pool) == 1);
    CHECK(bp_release_and_reconcile(pool, second, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

static void prepared_tickets(void) {
    pool = create_pool(1, 1);
    bp_ticket ticket;
    void *context;
    CHECK(bp_wait_prepare(pool, &ticket) == BP_OK && bp_pool_destroy(pool) == BP_BUSY);
    CHECK(bp_wait_claim(pool, ticket, &context) == BP_OK && bp_pool_destroy(pool) == BP_BUSY);
    CHECK(bp_wait_join(pool, ticket, NULL, BP_NO_DEADLINE, NULL) == BP_CANCELLED);
    uint64_t next = 1;
    CHECK(bp_expire(NULL, 1, &context, 1, &next) == 0 && next == BP_NO_DEADLINE);
    CHECK(bp_pool_destroy(pool) == BP_OK);
}

/* Waits that time out behind one that does not end leave no memory behind. */
static void expired_waits(void) {
    enum { AT_ONCE = 100, ROUNDS = 1000, WARM_UP = 20 };
    void *contexts[AT_ONCE], *context;
    bp_ticket first, ticket;
    uint64_t next;
    size_t memory = 0;
    pool = create_pool(1, 1);
    bp_lease lease = open_connection(pool);
    CHECK(bp_wait_prepare(pool, &first) == BP_OK);
    CHECK(bp_wait_join(pool, first, &first, BP_NO_DEADLINE, NULL) == BP_OK);
    for (uint64_t now = 1; now <= ROUNDS; now++) {
        for (int i = 0; i < AT_ONCE; i++) {
            CHECK(bp_wait_prepare(pool, &ticket) == BP_OK);
            CHECK(bp_wait_join(pool, ticket, &ticket, now, NULL) == BP_OK);
        }
        CHECK(bp_expire(pool, now, contexts, AT_ONCE, &next) == AT_ONCE && bp_waiting(pool) == 1);
        memory = now == WARM_UP ? bp_pool_memory(pool) : memory;
    }
    CHECK(bp_pool_memory(pool) == memory);
    CHECK(bp_wait_claim(pool, first, &context) == BP_OK && context == &first);
    CHECK(bp_release_and_reconcile(pool, lease, close_nothing, NULL) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, SECOND, close_nothing, NULL) == BP_OK && bp_pool_destroy(pool) == BP_OK);
}

int main(void) {
    large_elements();
    elements_of_ended_leases();
    failed_connect_keeps_errno();
    close_function_is_required();
    prepared_tickets();
    expired_waits();
    puts("the contract holds");
    return 0;
}
