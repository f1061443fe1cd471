/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a lease costs in C: this library against a mutex with a stack and a condition variable. Prints a table in
 * Markdown.
 *
 *   costs [ROUNDS [MILLISECONDS]]     rounds of turns, and the length of a turn. 21 and 20, unless given
 *
 * To compare another way to acquire, add a contender, and name it in the cases below.
 */
#include "contender.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_THREADS 64
#define MAX_CONTENDERS 4
#define MAX_ROUNDS 1001

/* One row of the comparison. The last contender is the one that the others are compared with. */
typedef struct {
    const char *title;
    unsigned connections, threads;
    size_t element_size;
    long hold;
    bool uses_processor_time; /* Else the time on the wall counts, because threads wait. */
    const contender *contenders[MAX_CONTENDERS];
    double must; /* The greatest ratio that the project accepts: see must_reach. 0: it accepts any. */
} comparison;

#define IDLE &try_acquire, &acquire, &callback_request, &mutex_stack
#define WAITING &acquire, &callback_request, &fifo_mutex, &mutex_stack
static const comparison comparisons[] = {
    {"idle, 1 thread, 8 bytes", 8, 1, 8, 0, true, {IDLE}, 0.5},
    {"idle, 1 thread, 4 KiB", 8, 1, 4096, 0, true, {IDLE}, 0.5},
    {"idle, 2 threads, 8 bytes", 8, 2, 8, 0, false, {IDLE}, 0.5},
    {"idle, 2 threads, 4 KiB", 8, 2, 4096, 0, false, {IDLE}, 0.5},
    {"4 threads, 1 connection, in use for 100 µs, 8 bytes", 1, 4, 8, 100000, false, {WAITING}, 1},
    {"8 threads, 2 connections, in use for 100 µs, 8 bytes", 2, 8, 8, 100000, false, {WAITING}, 1},
    {"8 threads, 2 connections, in use for 100 µs, 4 KiB", 2, 8, 4096, 100000, false, {WAITING}, 1},
    {"8 threads, 2 connections, in use for an instant, 8 bytes", 2, 8, 8, 0, false, {WAITING}, 0},
};

/* What one turn measures, for each lease, in nanoseconds. */
typedef struct {
    double wall, processor, longest_wait, switches;
} measures;

typedef struct {
    const contender *who;
    void *pool;
    turn_part part;
    pthread_barrier_t *start;
    int processor; /* -1: any. */
} worker;

static double processor_time(const struct rusage *usage) {
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e9 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e3;
}

static void *run_worker(void *argument) {
    worker *self = argument;
    if (self->processor >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(self->processor, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    /* Sleeps end when they should, and not up to 50 µs later. */
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_barrier_wait(self->start);
    self->who->work(self->pool, &self->part);
    return NULL;
}

static measures take_turn(const comparison *row, const contender *who, void *pool, long milliseconds) {
    static uint64_t waits[MAX_THREADS][MAX_WAITS];
    atomic_bool is_over = false;
    pthread_barrier_t start;
    pthread_t threads[MAX_THREADS];
    worker workers[MAX_THREADS];
    bool records_waits = row->threads > row->connections;
    /* Where each thread can have a CPU of its own, it gets one: else two of them can share one for a whole turn. */
    bool is_pinned = row->threads > 1 && row->threads <= (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    pthread_barrier_init(&start, NULL, row->threads + 1);
    for (unsigned i = 0; i < row->threads; i++) {
        turn_part part = {.is_over = &is_over, .hold = row->hold, .waits = records_waits ? waits[i] : NULL};
        workers[i] = (worker){who, pool, part, &start, is_pinned ? (int)i : -1};
        pthread_create(&threads[i], NULL, run_worker, &workers[i]);
    }
    struct rusage before, after;
    pthread_barrier_wait(&start);
    getrusage(RUSAGE_SELF, &before);
    uint64_t since = clock_now(CLOCK_MONOTONIC);
    struct timespec length = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&length, NULL);
    atomic_store(&is_over, true);
    uint64_t operations = 0, longest_wait = 0;
    for (unsigned i = 0; i < row->threads; i++) {
        pthread_join(threads[i], NULL);
    }
    uint64_t wall = clock_now(CLOCK_MONOTONIC) - since;
    getrusage(RUSAGE_SELF, &after);
    for (unsigned i = 0; i < row->threads; i++) {
        operations += workers[i].part.operations;
        for (uint64_t k = 0; records_waits && k < workers[i].part.operations && k < MAX_WAITS; k++) {
            longest_wait = waits[i][k] > longest_wait ? waits[i][k] : longest_wait;
        }
    }
    pthread_barrier_destroy(&start);
    double count = operations == 0 ? 1 : (double)operations;
    long switches = after.ru_nvcsw - before.ru_nvcsw;
    return (measures){(double)wall / count, (processor_time(&after) - processor_time(&before)) / count,
                      (double)longest_wait, (double)switches / count};
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* The value below which this share of the values is. Sorts them. */
static double quantile(double *values, int count, double share) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[(int)(share * (count - 1) + 0.5)];
}

/*
 * Returns whether a contender must reach the ratio of its row. The last contender and the other mutex are only there to
 * compare. A request is never completed inside the call that submits it, which costs more than a mutex if a connection
 * is idle; a program that minds calls bp_try_acquire first.
 */
static bool must_reach(const comparison *row, int which, int count) {
    bool is_idle = row->threads <= row->connections;
    const contender *who = row->contenders[which];
    return row->must > 0 && which < count - 1 && who != &fifo_mutex && !(is_idle && who == &callback_request);
}

/* Runs one comparison, prints its rows, and returns whether its ratio is what it must be. */
static bool run_comparison(const comparison *row, int rounds, long milliseconds) {
    static measures measured[MAX_CONTENDERS][MAX_ROUNDS];
    void *pools[MAX_CONTENDERS];
    int count = 0;
    while (count < MAX_CONTENDERS && row->contenders[count] != NULL) {
        pools[count] = row->contenders[count]->create(row->connections, row->element_size);
        count++;
    }
    /* The first round warms up. A B C, B C A, C A B, so that none always follows the same one. */
    for (int round = -1; round < rounds; round++) {
        for (int turn = 0; turn < count; turn++) {
            int which = (turn + round + 1) % count;
            measures result = take_turn(row, row->contenders[which], pools[which], milliseconds);
            measured[which][round < 0 ? 0 : round] = result;
        }
    }
    bool is_reached = true;
    for (int which = 0; which < count; which++) {
        double wall[MAX_ROUNDS], processor[MAX_ROUNDS], ratio[MAX_ROUNDS], longest[MAX_ROUNDS], switches[MAX_ROUNDS];
        for (int round = 0; round < rounds; round++) {
            const measures *own = &measured[which][round], *other = &measured[count - 1][round];
            wall[round] = own->wall;
            processor[round] = own->processor;
            longest[round] = own->longest_wait;
            switches[round] = own->switches;
            ratio[round] = row->uses_processor_time ? own->processor / other->processor : own->wall / other->wall;
        }
        double median = quantile(ratio, rounds, 0.5);
        bool must = must_reach(row, which, count);
        is_reached = is_reached && (!must || median <= row->must);
        printf("| %s | %s | %.3g | %.3g | %.2f | %.2f – %.2f | ", which == 0 ? row->title : "",
               row->contenders[which]->name, quantile(wall, rounds, 0.5), quantile(processor, rounds, 0.5), median,
               quantile(ratio, rounds, 0.25), quantile(ratio, rounds, 0.75));
        must ? printf("≤ %.1f | ", row->must) : printf("| ");
        row->threads > row->connections
            ? printf("%.2f | %.3g |\n", quantile(switches, rounds, 0.5), quantile(longest, rounds, 0.5) / 1000)
            : printf("| |\n");
        fflush(stdout);
        row->contenders[which]->destroy(pools[which]);
    }
    return is_reached;
}

int main(int argument_count, char **arguments) {
    int rounds = argument_count > 1 ? atoi(arguments[1]) : 21;
    long milliseconds = argument_count > 2 ? atol(arguments[2]) : 20;
    if (rounds < 1 || rounds > MAX_ROUNDS || milliseconds < 1) {
        fprintf(stderr, "usage: costs [ROUNDS [MILLISECONDS]]\n");
        return 2;
    }
    printf("| | | wall, ns | CPU, ns | ratio | quartiles | must | switches | longest wait, µs |\n");
    printf("|---|---|---|---|---|---|---|---|---|\n");
    int missed = 0;
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        missed += !run_comparison(&comparisons[i], rounds, milliseconds);
    }
    if (missed > 0) {
        fprintf(stderr, "%d of the comparisons miss what they must reach\n", missed);
    }
    return missed > 0;
}
