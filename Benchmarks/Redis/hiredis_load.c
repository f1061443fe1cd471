/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a C program does by hand with hiredis: threads GET one key on connections that they take from a stack behind a
 * mutex, and wait for on a condition variable. With DEPTH above 1, a thread sends so many commands at once, and then
 * reads their replies.
 *
 *   hiredis_load SOCKET THREADS CONNECTIONS DEPTH SECONDS
 *
 * Prints requests per second, microseconds of this process's CPU time per request, and the 99th percentile of the time
 * of a request in milliseconds.
 */
#define _GNU_SOURCE
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_CONNECTIONS = 1024 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static redisContext *idle[MOST_CONNECTIONS];
static int idle_count, depth;
static double end;

typedef struct {
    float *times; /* In milliseconds. */
    size_t count, capacity;
} measures;

static void fail(const char *what) {
    fprintf(stderr, "hiredis_load: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double cpu_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static redisContext *acquire(void) {
    pthread_mutex_lock(&mutex);
    while (idle_count == 0) {
        pthread_cond_wait(&released, &mutex);
    }
    redisContext *connection = idle[--idle_count];
    pthread_mutex_unlock(&mutex);
    return connection;
}

static void release(redisContext *connection) {
    pthread_mutex_lock(&mutex);
    idle[idle_count++] = connection;
    pthread_cond_signal(&released);
    pthread_mutex_unlock(&mutex);
}

static void note(measures *it, double milliseconds) {
    if (it->count == it->capacity) {
        it->capacity = it->capacity == 0 ? 4096 : it->capacity * 2;
        it->times = realloc(it->times, it->capacity * sizeof *it->times);
        if (it->times == NULL) {
            fail("out of memory");
        }
    }
    it->times[it->count++] = (float)milliseconds;
}

static void *work(void *argument) {
    measures *it = argument;
    for (double began = now(), ended; began < end; began = ended) {
        redisContext *connection = acquire();
        for (int i = 0; i < depth; i++) {
            redisAppendCommand(connection, "GET key");
        }
        for (int i = 0; i < depth; i++) {
            redisReply *reply;
            if (redisGetReply(connection, (void **)&reply) != REDIS_OK || reply->type != REDIS_REPLY_STRING ||
                strcmp(reply->str, "value") != 0) {
                fail("the reply is wrong");
            }
            freeReplyObject(reply);
        }
        release(connection);
        ended = now();
        for (int i = 0; i < depth; i++) {
            note(it, (ended - began) * 1e3);
        }
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    float first = *(const float *)a, second = *(const float *)b;
    return (first > second) - (first < second);
}

int main(int count, char **arguments) {
    if (count != 6) {
        fail("usage: hiredis_load SOCKET THREADS CONNECTIONS DEPTH SECONDS");
    }
    int threads = atoi(arguments[2]), connections = atoi(arguments[3]);
    depth = atoi(arguments[4]);
    if (threads < 1 || connections < 1 || connections > MOST_CONNECTIONS || depth < 1) {
        fail("the arguments are no positive numbers");
    }
    for (int i = 0; i < connections; i++) {
        redisContext *connection = redisConnectUnix(arguments[1]);
        if (connection == NULL || connection->err != 0) {
            fail("cannot connect");
        }
        release(connection);
    }
    pthread_t *running = calloc((size_t)threads, sizeof *running);
    measures *found = calloc((size_t)threads, sizeof *found), all = {0};
    if (running == NULL || found == NULL) {
        fail("out of memory");
    }
    double begun = now(), cpu_begun = cpu_time();
    end = begun + atof(arguments[5]);
    for (int i = 0; i < threads; i++) {
        pthread_create(&running[i], NULL, work, &found[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(running[i], NULL);
    }
    double passed = now() - begun, cpu = cpu_time() - cpu_begun;
    for (int i = 0; i < threads; i++) {
        for (size_t n = 0; n < found[i].count; n++) {
            note(&all, found[i].times[n]);
        }
    }
    qsort(all.times, all.count, sizeof *all.times, compare);
    printf("%.0f %.2f %.3f\n", (double)all.count / passed, cpu / (double)all.count * 1e6,
           all.times[all.count * 99 / 100]);
    return 0;
}
