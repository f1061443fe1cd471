/* SPDX-License-Identifier: Apache-2.0 */

// A C++ program: what the contract of close functions means for exceptions, and that a thread which is cancelled in a
// function of bp_pool.hpp that is noexcept does not end the program.
#include <CBurstPool.h>
#include <bp_pool.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                               \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

static void fail_to_close() {
    throw std::runtime_error("close");
}

// As the header asks for: the exception ends the program where it is thrown.
static void close_noexcept(void *, void *) noexcept {
    fail_to_close();
}

// Against the contract.
static void close_and_throw(void *, void *) {
    fail_to_close();
}

static void close_nothing(void *, void *) noexcept {}

static bp_lease open_connection(bp_pool *pool) {
    bp_lease lease;
    CHECK(bp_acquire(pool, 0, &lease) == BP_OPEN && bp_finish_open(pool, lease) == BP_OK);
    return lease;
}

static bp_pool *create_pool() {
    bp_pool_configuration configuration{};
    configuration.max_size = 1;
    configuration.hard_limit = 3;
    bp_pool *pool;
    CHECK(bp_pool_create(&configuration, &pool) == BP_OK);
    return pool;
}

static void end_where_it_is_thrown() {
    pid_t child = fork();
    if (child == 0) {
        std::set_terminate([] { _exit(42); });
        bp_pool *pool = create_pool();
        bp_discard_and_reconcile(pool, open_connection(pool), close_noexcept, nullptr);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

// The slot stays closing, nothing hangs, and the thread can go on with the pool.
static void stay_consistent() {
    bp_pool *pool = create_pool();
    bp_lease first = open_connection(pool), second = open_connection(pool), third = open_connection(pool);
    bool is_caught = false;
    try {
        bp_release_and_reconcile(pool, first, close_and_throw, nullptr);
    } catch (const std::runtime_error &) {
        is_caught = true;
    }
    bp_pool_statistics statistics;
    CHECK(is_caught && bp_pool_statistics_get(pool, &statistics) == BP_OK && statistics.closing == 1);
    CHECK(bp_release_and_reconcile(pool, second, close_nothing, nullptr) == BP_OK && bp_total(pool) == 2);
    CHECK(bp_release_and_reconcile(pool, third, close_nothing, nullptr) == BP_OK);
    CHECK(bp_shutdown_and_wait(pool, 20000000, close_nothing, nullptr) == BP_TIMED_OUT);
    CHECK(bp_total(pool) == 1 && bp_pool_destroy(pool) == BP_BUSY);
    // A program that knows that the close has ended can say so.
    CHECK(bp_finish_close(pool, first) == BP_STALE_LEASE);
    bp_slot_view view;
    for (uint32_t i = 0; bp_slot_at(pool, i, &view) == BP_OK; i++) {
        if (view.state == BP_SLOT_CLOSING) {
            CHECK(bp_finish_close(pool, view.lease) == BP_OK);
        }
    }
    CHECK(bp_total(pool) == 0);
}

static void *shut_down_while_cancelled(void *pool) {
    using namespace std::chrono_literals;
    pthread_cancel(pthread_self());
    CHECK(!static_cast<burstpool::pool<int> *>(pool)->shutdown(20ms));
    pthread_testcancel();
    return nullptr;
}

static void end_cancelled() {
    burstpool::pool<int> pool({1, 1});
    auto lease = pool.acquire(burstpool::forever, [] { return 1; });
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, nullptr, shut_down_while_cancelled, &pool) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

int main() {
    end_cancelled();
    end_where_it_is_thrown();
    stay_consistent();
    std::puts("an exception ends the program, or its slot stays closing");
    return 0;
}
