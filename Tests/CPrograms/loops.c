/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loops and threads on one pool, at random: requests with and without deadlines, cancelled ones, connections that do
 * not open, that are discarded, and that are opened and closed later or at once, drivers that come and go, changing
 * limits; and at the end the pool is shut down by all loops, and destroyed.
 *
 *   loops [requests for each loop]
 */
#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define LOOPS 3
#define THREADS 2
#define REQUESTS 6 /* At the same time, for each loop. */
#define HARD_LIMIT 4

typedef struct {
    _Atomic int is_open;
    _Atomic int users;
} connection;

typedef struct loop loop;

typedef struct {
    bp_request request;
    loop *loop;
    bool is_pending;
} job;

typedef struct {
    bp_lease lease;
    bool is_close;
} attempt;

struct loop {
    bp_driver *driver;
    uint64_t random;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_posted;
    uint64_t timer; /* On the monotonic clock; UINT64_MAX: none. */
    job jobs[REQUESTS];
    attempt attempts[HARD_LIMIT + 4]; /* That end after the run. */
    unsigned attempt_count;
    bool is_running;
    bool has_ended;
    long issued;
};

static bp_pool *pool;
static _Atomic int open_now;
static long requests_for_each = 20000;
static _Atomic long outcomes[64], opened, refused, closed;

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

static bool one_in(uint64_t *state, unsigned n) {
    return next_random(state) % n == 0;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void note_open(connection *it) {
    CHECK(it->is_open == 0 && it->users == 0);
    it->is_open = 1;
    CHECK(++open_now <= HARD_LIMIT);
    opened++;
}

static void note_close(connection *it) {
    CHECK(it->is_open == 1 && it->users == 0);
    it->is_open = 0;
    open_now--;
    closed++;
}

static void use(bp_lease lease) {
    connection *it = bp_element(pool, lease);
    CHECK(it->is_open == 1 && it->users++ == 0);
    it->users--;
}

/* A loop. */

static void finish(loop *it, attempt which) {
    connection *element = bp_element(pool, which.lease);
    if (which.is_close) {
        note_close(element);
        CHECK(bp_driver_finish_close(it->driver, which.lease) == BP_OK);
    } else if (one_in(&it->random, 5)) {
        refused++;
        CHECK(bp_driver_finish_open(it->driver, which.lease, ECONNREFUSED) == BP_OK);
    } else {
        note_open(element);
        CHECK(bp_driver_finish_open(it->driver, which.lease, 0) == BP_OK);
    }
}

static void begin(bp_driver *driver, bp_lease lease, bool is_close) {
    loop *it = bp_driver_data(driver);
    attempt which = {lease, is_close};
    CHECK(it->is_running);
    if (one_in(&it->random, 2)) {
        finish(it, which);
    } else {
        it->attempts[it->attempt_count++] = which;
    }
}

static void on_open(bp_driver *driver, bp_lease permit, void *element) {
    CHECK(element == bp_element(pool, permit));
    begin(driver, permit, false);
}

static void on_close(bp_driver *driver, bp_lease lease, void *element) {
    CHECK(element == bp_element(pool, lease));
    begin(driver, lease, true);
}

static void on_post(bp_driver *driver) {
    loop *it = bp_driver_data(driver);
    errno = EIO; /* The library restores it. */
    pthread_mutex_lock(&it->mutex);
    it->is_posted = true;
    pthread_cond_signal(&it->condition);
    pthread_mutex_unlock(&it->mutex);
}

static void on_arm(bp_driver *driver, uint64_t nanoseconds) {
    loop *it = bp_driver_data(driver);
    CHECK(it->is_running);
    it->timer = nanoseconds == BP_NO_DEADLINE ? UINT64_MAX : now() + nanoseconds;
}

static void on_ended(void *data) {
    loop *it = data;
    it->has_ended = true;
    it->driver = NULL;
}

static void sleep_until_due(loop *it) {
    pthread_mutex_lock(&it->mutex);
    int result = 0;
    while (!it->is_posted && result != ETIMEDOUT) {
        struct timespec until = {(time_t)(it->timer / SECOND), (long)(it->timer % SECOND)};
        result = it->timer == UINT64_MAX ? pthread_cond_wait(&it->condition, &it->mutex)
                                         : pthread_cond_timedwait(&it->condition, &it->mutex, &until);
    }
    it->is_posted = false;
    pthread_mutex_unlock(&it->mutex);
}

static void turn(loop *it) {
    sleep_until_due(it);
    it->timer = UINT64_MAX;
    it->is_running = true;
    CHECK(bp_driver_run(it->driver) == BP_OK);
    it->is_running = false;
    while (!it->has_ended && it->attempt_count != 0) {
        finish(it, it->attempts[--it->attempt_count]);
    }
}

static const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};

static void create_driver(loop *it) {
    it->has_ended = it->is_posted = false;
    it->timer = UINT64_MAX;
    CHECK(bp_driver_create(pool, &functions, it, &it->driver) == BP_OK);
}

/* Requests. */

static void on_done(bp_request *request) {
    job *it = request->data;
    loop *on = it->loop;
    CHECK(on->is_running && it->is_pending);
    CHECK(bp_driver_run(on->driver) == BP_BUSY);
    it->is_pending = false;
    outcomes[request->status]++;
    CHECK(request->error == (request->status == BP_CONNECT_FAILED ? ECONNREFUSED : 0));
    if (request->status != BP_OK) {
        return;
    }
    use(request->lease);
    if (one_in(&on->random, 16)) {
        CHECK(bp_driver_discard(on->driver, request->lease) == BP_OK);
    } else {
        CHECK(bp_driver_release(on->driver, request->lease) == BP_OK);
        CHECK(bp_driver_release(on->driver, request->lease) == BP_STALE_LEASE);
    }
}

static void submit(loop *it, job *which) {
    static const uint64_t timeouts[] = {BP_NO_DEADLINE, 20000, 200000, SECOND, 0, BP_NO_DEADLINE - 1};
    bp_request_init(&which->request, on_done, which);
    which->loop = it;
    which->is_pending = true;
    errno = 0;
    CHECK(bp_request_submit(&which->request, it->driver, timeouts[next_random(&it->random) % 6]) == BP_OK);
    CHECK(errno == 0 && which->is_pending);
    CHECK(bp_request_submit(&which->request, it->driver, 0) == BP_BUSY);
    it->issued++;
    if (one_in(&it->random, 8)) {
        bp_status status = bp_request_cancel(&which->request);
        CHECK((status == BP_OK || status == BP_STALE_TICKET) && which->is_pending);
        CHECK(bp_request_cancel(&which->request) == BP_STALE_TICKET);
    }
}

static void submit_at_the_end(loop *it) {
    for (unsigned i = 0; i < REQUESTS; i++) {
        job *which = &it->jobs[i];
        bp_request_init(&which->request, on_done, which);
        bp_status status = bp_request_submit(&which->request, it->driver, BP_NO_DEADLINE);
        CHECK(status == BP_OK || status == BP_SHUT_DOWN);
        which->is_pending = status == BP_OK;
    }
}

static bool is_any_pending(const loop *it) {
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (it->jobs[i].is_pending) {
            return true;
        }
    }
    return false;
}

static void submit_all(loop *it) {
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (!it->jobs[i].is_pending && it->issued < requests_for_each) {
            bp_lease lease = bp_try_acquire(pool);
            if (lease.slot != NULL) {
                use(lease);
                CHECK(bp_driver_release(it->driver, lease) == BP_OK);
            }
            submit(it, &it->jobs[i]);
        }
    }
}

static void close_and_reopen(loop *it) {
    while (is_any_pending(it)) {
        turn(it);
    }
    CHECK(bp_driver_close(it->driver, on_ended) == BP_OK && bp_driver_close(it->driver, on_ended) == BP_BUSY);
    while (!it->has_ended) {
        turn(it);
    }
    create_driver(it);
}

static pthread_barrier_t all_created, loops_are_done;

static void *run_loop(void *argument) {
    loop *it = argument;
    create_driver(it);
    pthread_barrier_wait(&all_created);
    while (it->issued < requests_for_each || is_any_pending(it)) {
        submit_all(it);
        if (one_in(&it->random, 50)) {
            uint32_t max_size = 1 + (uint32_t)(next_random(&it->random) % HARD_LIMIT);
            CHECK(bp_resize(pool, max_size, HARD_LIMIT) == BP_OK && bp_driver_reconcile(it->driver) == BP_OK);
        }
        if (one_in(&it->random, 40)) {
            close_and_reopen(it);
        } else if (is_any_pending(it)) {
            turn(it);
        }
    }
    pthread_barrier_wait(&loops_are_done);
    /* Requests that have just been submitted are refused, told of the shutdown, or still served. */
    submit_at_the_end(it);
    CHECK(bp_driver_shutdown(it->driver, on_ended) == BP_OK);
    while (!it->has_ended) {
        turn(it);
    }
    CHECK(!is_any_pending(it));
    return NULL;
}

/* A thread that blocks. */

static void close_for_thread(void *element, void *context) {
    (void)context;
    note_close(element);
}

static void *run_thread(void *argument) {
    uint64_t random = (uint64_t)(uintptr_t)argument;
    pthread_barrier_wait(&all_created);
    for (;;) {
        bp_lease lease;
        bp_status status = bp_acquire(pool, one_in(&random, 4) ? 50000 : BP_NO_DEADLINE, &lease);
        if (status == BP_OPEN && one_in(&random, 5)) {
            CHECK(bp_cancel_open_and_reconcile(pool, lease, close_for_thread, NULL) == BP_CONNECT_FAILED);
            continue;
        }
        if (status == BP_OPEN) {
            note_open(bp_element(pool, lease));
            status = bp_finish_open(pool, lease);
        }
        if (status == BP_SHUT_DOWN) {
            return NULL;
        }
        CHECK(status == BP_OK || status == BP_TIMED_OUT);
        if (status == BP_OK) {
            use(lease);
            CHECK((one_in(&random, 16) ? bp_discard_and_reconcile
                                       : bp_release_and_reconcile)(pool, lease, close_for_thread, NULL) == BP_OK);
        }
    }
}

int main(int argc, char **argv) {
    static loop loops[LOOPS];
    pthread_t threads[LOOPS + THREADS];
    requests_for_each = argc > 1 ? atol(argv[1]) : requests_for_each;
    bp_pool_configuration configuration = {.max_size = 2, .hard_limit = HARD_LIMIT, .element_size = sizeof(connection)};
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    pthread_barrier_init(&all_created, NULL, LOOPS + THREADS);
    pthread_barrier_init(&loops_are_done, NULL, LOOPS);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (uintptr_t i = 0; i < LOOPS; i++) {
        loops[i].random = i;
        pthread_mutex_init(&loops[i].mutex, NULL);
        pthread_cond_init(&loops[i].condition, &attributes);
        CHECK(pthread_create(&threads[i], NULL, run_loop, &loops[i]) == 0);
    }
    for (uintptr_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[LOOPS + i], NULL, run_thread, (void *)(i + 100)) == 0);
    }
    for (unsigned i = 0; i < LOOPS + THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(open_now == 0 && opened == closed && bp_total(pool) == 0 && bp_waiting(pool) == 0);
    CHECK(bp_pool_destroy(pool) == BP_OK);
    printf("%ld requests: %ld served, %ld timed out, %ld cancelled, %ld refused; %ld connections\n",
           requests_for_each * LOOPS, outcomes[BP_OK], outcomes[BP_TIMED_OUT], outcomes[BP_CANCELLED],
           outcomes[BP_CONNECT_FAILED], opened);
    return 0;
}
