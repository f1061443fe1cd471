/* SPDX-License-Identifier: Apache-2.0 */

/* Threads with blocking sockets: eight threads send 500 letters each, over at most four connections. */
#include <CBurstPool.h>

#include "echo_server.h"

#include <errno.h>

#define THREADS 8
#define LETTERS 500

static bp_pool *pool;
static struct sockaddr_in server;

static void close_descriptor(void *element, void *context) {
    (void)context;
    close(*(int *)element);
}

/* Waits for a connection, and opens one if the pool permits. errno says why a connection did not open. */
static bp_status acquire(uint64_t timeout, bp_lease *lease) {
    bp_status status = bp_acquire(pool, timeout, lease);
    if (status != BP_OPEN) {
        return status;
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return bp_cancel_open_and_reconcile(pool, *lease, close_descriptor, NULL);
    }
    *(int *)bp_element(pool, *lease) = fd;
    return bp_finish_open(pool, *lease);
}

static void *send_letters(void *argument) {
    char letter = (char)('a' + (intptr_t)argument), answer;
    for (int i = 0; i < LETTERS; i++) {
        bp_lease lease;
        check(acquire(10 * SECOND, &lease) == BP_OK, "a connection within ten seconds");
        int fd = *(int *)bp_element(pool, lease);
        check(write(fd, &letter, 1) == 1 && read(fd, &answer, 1) == 1 && answer == letter, "the server's answer");
        if (i % 100 == 99) {
            /* As if the connection were broken. */
            bp_discard_and_reconcile(pool, lease, close_descriptor, NULL);
        } else {
            bp_release_and_reconcile(pool, lease, close_descriptor, NULL);
        }
    }
    return NULL;
}

int main(void) {
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = 4, .element_size = sizeof(int)};
    check(bp_pool_create(&configuration, &pool) == BP_OK, "a pool");

    server = address_that_refuses();
    bp_lease lease;
    check(acquire(0, &lease) == BP_CONNECT_FAILED && errno == ECONNREFUSED, "the reason of a failed connect");

    server = start_echo_server();
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) {
        check(pthread_create(&threads[i], NULL, send_letters, (void *)i) == 0, "a thread");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    check(bp_total(pool) <= 2, "no more than max_size connections are left");
    check(bp_shutdown_and_wait(pool, 5 * SECOND, close_descriptor, NULL) == BP_OK, "the end of the pool");
    check(bp_pool_destroy(pool) == BP_OK, "a pool that nobody uses");
    printf("%d answers\n", THREADS * LETTERS);
    return 0;
}
