/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pool of file descriptors: eight threads send requests to an echo server over at most four sockets.
 *
 * The program shows all that a C program does with the pool: opening a connection on a permit, waiting with a timeout,
 * releasing, discarding a connection that is dead, and shutting down.
 */
#include <burstpool/bp_blocking.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 2000
#define SECOND UINT64_C(1000000000)

static bp_pool *pool;

/* Ends the program with a message if the condition is false. */
static void check(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* The server's side of one connection: it returns each byte, and closes the connection on 'x'. */
static void *echo(void *argument) {
    int fd = (int)(intptr_t)argument;
    char byte;
    while (read(fd, &byte, 1) == 1 && byte != 'x' && write(fd, &byte, 1) == 1) {
    }
    close(fd);
    return NULL;
}

static int connect_to_echo(void) {
    int ends[2];
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return -1;
    }
    if (pthread_create(&thread, NULL, echo, (void *)(intptr_t)ends[1]) != 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    pthread_detach(thread);
    return ends[0];
}

static void close_descriptor(void *element, void *context) {
    (void)context;
    close(*(int *)element);
}

/* Acquires a descriptor, and opens one if none is idle. timeout: in nanoseconds. */
static bp_status acquire_descriptor(uint64_t timeout, bp_lease *lease) {
    bp_status status = bp_acquire(pool, timeout, lease);
    if (status == BP_OPEN) {
        int fd = connect_to_echo();
        if (fd < 0) {
            return bp_cancel_open_and_reconcile(pool, *lease, close_descriptor, NULL);
        }
        *(int *)bp_element(pool, *lease) = fd;
        status = bp_finish_open(pool, *lease);
    }
    return status;
}

static void *ask(void *argument) {
    char letter = (char)('a' + (intptr_t)argument);
    for (int round = 0; round < ROUNDS; round++) {
        bp_lease lease;
        check(acquire_descriptor(10 * SECOND, &lease) == BP_OK, "a connection within ten seconds");
        int fd = *(int *)bp_element(pool, lease);
        char answer = 0;
        check(write(fd, &letter, 1) == 1 && read(fd, &answer, 1) == 1 && answer == letter,
              "the answer is the letter of this thread");
        if (round % 500 == 499) {
            check(write(fd, "x", 1) == 1, "the server can be told to hang up");
            check(bp_discard_and_reconcile(pool, lease, close_descriptor, NULL) == BP_OK,
                  "a dead connection is discarded");
        } else {
            check(bp_release_and_reconcile(pool, lease, close_descriptor, NULL) == BP_OK, "a connection is released");
        }
        check(bp_release_and_reconcile(pool, lease, close_descriptor, NULL) == BP_STALE_LEASE,
              "a second release is refused");
    }
    return NULL;
}

int main(void) {
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = 4, .element_size = sizeof(int)};
    bp_status status = bp_pool_create(&configuration, &pool);
    check(status == BP_OK, bp_status_message(status));

    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) {
        check(pthread_create(&threads[i], NULL, ask, (void *)i) == 0, "a thread starts");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    bp_pool_statistics after;
    bp_pool_statistics_get(pool, &after);
    check(after.in_use == 0 && after.waiting == 0 && after.idle <= 2,
          "all connections are released and the burst is over");

    /* All four descriptors are in use: a fifth caller waits until its timeout has passed. */
    bp_lease leases[4], none;
    for (int i = 0; i < 4; i++) {
        check(acquire_descriptor(SECOND, &leases[i]) == BP_OK, "four at once");
    }
    check(bp_acquire(pool, SECOND / 50, &none) == BP_TIMED_OUT && none.slot == NULL, "a fifth caller times out");
    for (int i = 0; i < 4; i++) {
        check(bp_release_and_reconcile(pool, leases[i], close_descriptor, NULL) == BP_OK, "four are released");
    }

    check(bp_shutdown_and_wait(pool, 5 * SECOND, close_descriptor, NULL) == BP_OK, "no connection is left open");
    check(bp_acquire(pool, 0, &none) == BP_SHUT_DOWN, "nothing is acquired after the shutdown");
    check(bp_pool_destroy(pool) == BP_OK, "the pool is destroyed");
    printf("%d answers over at most 4 descriptors, and none is left open\n", THREADS * ROUNDS);
    return 0;
}
