/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Histories of real threads: many short lives of a pool, each of which is recorded and then checked.
 *
 *   histories [threads] [lives] [steps of each thread in each round] [seed]
 *
 * A life has some rounds, with a rest after each. In the last round the pool is shut down while the threads run. The
 * seed decides what the threads do, but not when.
 */
#include "checker.h"
#include "driver.h"

#include <pthread.h>
#include <string.h>

#define ROUNDS 4

typedef struct {
    driver driver;
    pthread_t thread;
    pthread_barrier_t *barrier;
    long steps;
    bool shuts_down;
    uint64_t moods[ROUNDS]; /* The same for all. */
} worker;

/* Between two waits at the barrier the workers either work or rest. */
static void *work(void *argument) {
    worker *it = argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(it->barrier);
        driver_change_mood(&it->driver, it->moods[round]);
        bool shuts_down = it->shuts_down && round == ROUNDS - 1;
        long when = shuts_down ? (long)random_below(&it->driver.calls.random, (uint64_t)it->steps) : -1;
        for (long step = 0; step < it->steps; step++) {
            driver_step(&it->driver);
            if (step == when) {
                driver_shut_down(&it->driver);
            }
        }
        pthread_barrier_wait(it->barrier);
    }
    /* A connection that one thread releases may go to another thread's wait, until all threads have ended theirs. */
    for (int time = 0; time < 2; time++) {
        pthread_barrier_wait(it->barrier);
        driver_finish(&it->driver);
    }
    pthread_barrier_wait(it->barrier);
    return NULL;
}

/* Nothing may be done before the first look, because it could do what another thread has forgotten. */
static void look_at_rest(driver *observer) {
    rest(&observer->calls, 0);
    uint64_t now = history_now();
    driver_expire_all(observer, now);
    rest(&observer->calls, now);
}

static pool_limits random_limits(uint64_t *random) {
    uint32_t max_size = 1 + (uint32_t)random_below(random, 4);
    return (pool_limits){max_size, max_size + (uint32_t)random_below(random, 4)};
}

/* Collects all events of a life. */
static size_t collect(event *all, worker *workers, long threads, driver *observer) {
    size_t count = observer->calls.log.count;
    memcpy(all, observer->calls.log.events, count * sizeof *all);
    for (long i = 0; i < threads; i++) {
        history *log = &workers[i].driver.calls.log;
        memcpy(all + count, log->events, log->count * sizeof *all);
        count += log->count;
    }
    return count;
}

static void live(worker *workers, long threads, long steps, driver *observer, uint64_t *random, pool_limits limits) {
    static const uint32_t stripes[] = {0, 1, 2, 4};
    bp_pool_configuration configuration = {.max_size = limits.max_size,
                                           .hard_limit = limits.hard_limit,
                                           .element_size = sizeof(element),
                                           .stripes = stripes[random_below(random, 4)]};
    bp_pool *pool;
    meeting_place place = {0};
    pthread_barrier_t barrier;
    REQUIRE(bp_pool_create(&configuration, &pool) == BP_OK, "no pool");
    REQUIRE(pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1) == 0, "no barrier");
    driver_create(observer, pool, &place, random_next(random));
    uint64_t shuts_down = random_below(random, (uint64_t)threads), moods[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        moods[round] = random_next(random);
    }
    for (long i = 0; i < threads; i++) {
        worker *it = &workers[i];
        driver_create(&it->driver, pool, &place, random_next(random));
        it->barrier = &barrier;
        it->steps = steps;
        it->shuts_down = (uint64_t)i == shuts_down;
        memcpy(it->moods, moods, sizeof moods);
        REQUIRE(pthread_create(&it->thread, NULL, work, it) == 0, "no thread");
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        look_at_rest(observer);
    }
    for (int time = 0; time < 3; time++) {
        pthread_barrier_wait(&barrier);
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    look_at_rest(observer);
    pthread_barrier_destroy(&barrier);
    bp_status status = bp_pool_destroy(pool);
    REQUIRE(status == BP_OK, "bp_pool_destroy returned %s", bp_status_name(status));
}

int main(int argc, char **argv) {
    long threads = argc > 1 ? atol(argv[1]) : 8;
    long lives = argc > 2 ? atol(argv[2]) : 20;
    long steps = argc > 3 ? atol(argv[3]) : 500;
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    REQUIRE(threads > 0 && lives > 0 && steps > 0, "threads, lives and steps must be above 0");

    uint64_t random = seed;
    size_t capacity = (size_t)steps * ROUNDS * 64 + 4096;
    worker *workers = calloc((size_t)threads, sizeof *workers);
    event *all = malloc((size_t)(threads + 1) * capacity * sizeof *all);
    driver observer;
    REQUIRE(workers != NULL && all != NULL, "no memory");
    history_create(&observer.calls.log, capacity);
    for (long i = 0; i < threads; i++) {
        history_create(&workers[i].driver.calls.log, capacity);
    }
    size_t events = 0, times[EVENT_REST + 1] = {0};
    for (long life = 0; life < lives; life++) {
        pool_limits limits = random_limits(&random);
        live(workers, threads, steps, &observer, &random, limits);
        size_t count = collect(all, workers, threads, &observer);
        const char *wrong = check_history(all, count, limits);
        REQUIRE(wrong == NULL, "life %ld of seed %llu, soft limit %u, hard limit %u: %s", life,
                (unsigned long long)seed, limits.max_size, limits.hard_limit, wrong);
        for (size_t i = 0; i < count; i++) {
            times[all[i].what]++;
        }
        events += count;
    }
    for (event_kind what = 0; what <= EVENT_REST; what++) {
        REQUIRE(times[what] > 0, "this never happened: %s", event_name(what));
    }
    printf(
        "%ld lives, %zu calls: %zu joins, of which %zu handed off, %zu claimed, %zu expired; %zu opened, %zu rests\n",
        lives, events, times[EVENT_JOIN], times[EVENT_HAND_OFF], times[EVENT_CLAIM], times[EVENT_EXPIRE],
        times[EVENT_FINISH_OPEN], times[EVENT_REST]);
    for (long i = 0; i < threads; i++) {
        history_destroy(&workers[i].driver.calls.log);
    }
    history_destroy(&observer.calls.log);
    free(workers);
    free(all);
    return 0;
}
