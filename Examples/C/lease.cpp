/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pool of sockets in C++: a lease releases its connection at the end of its scope, also when an exception ends it.
 *
 *     c++ -std=c++17 lease.cpp $(pkg-config --cflags --libs burstpool) -o lease
 */
#include <burstpool/bp_pool.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

/* One end of a pair of sockets. What is written to it can be read from it again, because a thread sends it back. */
class Echo {
  public:
    Echo() {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            throw std::runtime_error("no socket could be opened");
        }
        descriptor_ = ends[0];
        std::thread([other = ends[1]] {
            char byte;
            while (read(other, &byte, 1) == 1 && write(other, &byte, 1) == 1) {
            }
            close(other);
        }).detach();
    }

    Echo(Echo &&other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    ~Echo() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }

    char ask(char question) {
        char answer = 0;
        if (write(descriptor_, &question, 1) != 1 || read(descriptor_, &answer, 1) != 1) {
            throw std::runtime_error("the connection is broken");
        }
        return answer;
    }

  private:
    int descriptor_;
};

void check(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "failed: %s\n", what);
        std::exit(1);
    }
}

Echo open_echo() {
    return Echo();
}

} // namespace

int main() {
    burstpool::pool<Echo> pool({2, 4}); /* Two connections; four while there is much to do. */

    std::vector<std::thread> threads;
    for (char letter = 'a'; letter < 'i'; letter++) {
        threads.emplace_back([&pool, letter] {
            for (int round = 0; round < 1000; round++) {
                auto echo = pool.acquire(10s, open_echo);
                check(echo->ask(letter) == letter, "the answer is the letter of this thread");
                if (round % 250 == 249) {
                    echo.discard(); /* As if it were broken. */
                }
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    check(pool.statistics().in_use == 0 && pool.statistics().idle <= 2, "all are released, and the burst is over");

    /* An exception ends the scope, and with it the lease. */
    try {
        auto echo = pool.acquire(1s, open_echo);
        check(pool.statistics().in_use == 1, "one connection is in use");
        throw std::runtime_error("something else went wrong");
    } catch (const std::runtime_error &) {
        check(pool.statistics().in_use == 0, "the exception has released it");
    }

    /* An exception from the function that opens a connection reaches the caller, and the slot is free again. */
    {
        std::vector<burstpool::lease<Echo>> leases;
        while (auto idle = pool.try_acquire()) {
            leases.push_back(std::move(*idle));
        }
        const auto before = pool.statistics();
        try {
            auto echo = pool.acquire(0s, []() -> Echo { throw std::runtime_error("connection refused"); });
            check(false, "a connection that did not open is not acquired");
        } catch (const std::runtime_error &refused) {
            check(std::string(refused.what()) == "connection refused", "the caller gets the exception");
        }
        check(pool.statistics().opening == 0 && pool.statistics().in_use == before.in_use, "the slot is free again");

        while (leases.size() < 4) {
            leases.push_back(pool.acquire(0s, open_echo));
        }
        try {
            auto fifth = pool.acquire(20ms, open_echo);
            check(false, "all four are in use");
        } catch (const burstpool::error &error) {
            check(error.status() == BP_TIMED_OUT, error.what());
        }

        /* The connection belongs to this program then, and the pool may open another one. */
        Echo own = leases.back().detach();
        check(own.ask('x') == 'x' && !leases.back() && pool.statistics().in_use == 3, "a connection was detached");
    }

    check(pool.shutdown(5s), "all connections are closed");
    std::printf("8000 answers over at most 4 sockets, and none is left open\n");
}
