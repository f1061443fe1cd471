/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two epoll loops and four threads share one pool: the loop or thread that has waited longest gets the next connection.
 */
#include "epoll_driver.h"

#include <poll.h>

#define JOBS 20 /* At the same time, for each loop. */
#define LETTERS 1000
#define THREADS 4

static bp_pool *pool;
static struct sockaddr_in server;

/* A loop, on its own thread. */

typedef struct {
    loop loop;
    job jobs[JOBS];
    int sent, answered;
} worker;

static worker *worker_of(job *it) {
    return (worker *)(void *)((char *)it->loop - offsetof(worker, loop));
}

static void on_answer(job *it, bp_status status, char answer) {
    worker *on = worker_of(it);
    check(status == BP_OK, bp_status_message(status));
    check(answer == it->letter, "the server's answer");
    on->answered++;
    if (on->sent < LETTERS) {
        on->sent++;
        send_letter(it, 10 * SECOND);
    }
}

static pthread_barrier_t all_done;

static void *run_loop(void *argument) {
    worker *it = argument;
    loop_create(&it->loop, pool, server);
    for (int i = 0; i < JOBS; i++) {
        it->jobs[i] = (job){.loop = &it->loop, .letter = (char)('a' + i), .answered = on_answer};
        it->sent++;
        send_letter(&it->jobs[i], 10 * SECOND);
    }
    while (it->answered < LETTERS) {
        loop_turn(&it->loop);
    }
    pthread_barrier_wait(&all_done);
    loop_end(&it->loop);
    return NULL;
}

/* A thread that blocks. The sockets do not, because the loops use them too. */

static void close_connection(void *element, void *context) {
    (void)context;
    close(((connection *)element)->fd);
}

static void *run_thread(void *argument) {
    char letter = (char)('A' + (intptr_t)argument), answer;
    for (int i = 0; i < LETTERS; i++) {
        bp_lease lease;
        bp_status status = bp_acquire(pool, 10 * SECOND, &lease);
        check(status == BP_OK || status == BP_OPEN, "a connection within ten seconds");
        connection *it = bp_element(pool, lease);
        if (status == BP_OPEN) {
            it->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            check(connect(it->fd, (struct sockaddr *)&server, sizeof server) == 0, "a connection");
            bp_finish_open(pool, lease);
        }
        struct pollfd readable = {it->fd, POLLIN, 0};
        check(write(it->fd, &letter, 1) == 1 && poll(&readable, 1, 10000) == 1 && read(it->fd, &answer, 1) == 1 &&
                  answer == letter,
              "the server's answer");
        bp_release_and_reconcile(pool, lease, close_connection, NULL);
    }
    pthread_barrier_wait(&all_done);
    return NULL;
}

int main(void) {
    static worker workers[2];
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = 4, .element_size = sizeof(connection)};
    check(bp_pool_create(&configuration, &pool) == BP_OK, "a pool");
    server = start_echo_server();
    pthread_barrier_init(&all_done, NULL, 2 + THREADS);
    pthread_t threads[2 + THREADS];
    for (intptr_t i = 0; i < 2 + THREADS; i++) {
        void *argument = i < 2 ? (void *)&workers[i] : (void *)i;
        check(pthread_create(&threads[i], NULL, i < 2 ? run_loop : run_thread, argument) == 0, "a thread");
    }
    for (int i = 0; i < 2 + THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    check(bp_pool_destroy(pool) == BP_OK, "a pool that nobody uses");
    printf("%d answers to loops, %d to threads\n", workers[0].answered + workers[1].answered, THREADS * LETTERS);
    return 0;
}
