/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pool for C++17 and later: connections are objects, and a lease releases its connection at the end of its scope.
 *
 *     burstpool::pool<Socket> pool({8, 16});                         // soft limit 8, hard limit 16
 *     {
 *         auto socket = pool.acquire(1s, [] { return Socket("db", 5432); });
 *         socket->send("...");
 *     }                                                              // released here, also after an exception
 *
 * The pool creates connections with the function that is passed to acquire, and closes them with their destructor. This
 * header only wraps bp_blocking.h, whose rules for threads, signals and clocks hold.
 *
 * Exceptions
 *
 *   If the function that opens a connection throws, acquire frees the slot, reconciles, and passes the exception on.
 *   All other failures are a burstpool::error, which has the status. release, discard and detach throw it if the lease
 *   is empty, and detach passes on what the move constructor of the connection throws. No destructor throws. The
 *   destructor of the connection must be noexcept, which the compiler checks.
 *
 * Cancellation
 *
 *   acquire is a cancellation point while it waits, as bp_acquire is. shutdown and the destructor of the pool are not.
 *
 * Fork
 *
 *   In a child process, acquire and resize throw a burstpool::error with BP_FORKED. The destructor of the pool frees
 *   the pool's memory there, but does not wait for leases, and does not call the destructors of idle connections.
 */
#ifndef BP_POOL_HPP
#define BP_POOL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <pthread.h>

#include "bp_blocking.h"

namespace burstpool {

/* A timeout that never passes. */
inline constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

/* A call that has failed, with the status that the function in C returned. */
class error : public std::runtime_error {
  public:
    explicit error(bp_status status) : std::runtime_error(bp_status_message(status)), status_(status) {}

    bp_status status() const noexcept {
        return status_;
    }

  private:
    bp_status status_;
};

/* The limits of a pool: see bp_pool_configuration. */
struct limits {
    std::uint32_t max_size;
    std::uint32_t hard_limit;
    std::uint32_t max_waiters = 0;
};

template <typename Connection> class pool;

/*
 * The right to use one connection, until the lease is released, discarded, detached or destroyed. A lease can be moved,
 * but not copied. One thread at a time can use it. A lease must end before its pool is destroyed. The destructor of the
 * pool waits for this.
 */
template <typename Connection> class lease {
  public:
    lease() noexcept = default;

    lease(lease &&other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), lease_(other.lease_), connection_(other.connection_) {}

    lease &operator=(lease &&other) noexcept {
        if (this != &other) {
            end(&bp_release_and_reconcile);
            pool_ = std::exchange(other.pool_, nullptr);
            lease_ = other.lease_;
            connection_ = other.connection_;
        }
        return *this;
    }

    lease(const lease &) = delete;
    lease &operator=(const lease &) = delete;

    /* Releases the connection. */
    ~lease() {
        end(&bp_release_and_reconcile);
    }

    /* Returns whether the lease has a connection. False after a move from it, a release, a discard or a detach. */
    explicit operator bool() const noexcept {
        return pool_ != nullptr;
    }

    /* Returns the connection. Undefined if the lease is empty. */
    Connection &operator*() const noexcept {
        return *connection_;
    }
    Connection *operator->() const noexcept {
        return connection_;
    }

    /* Releases the connection now, and empties the lease. */
    void release() {
        require();
        end(&bp_release_and_reconcile);
    }

    /* Closes the connection, for example because it is broken, and empties the lease. */
    void discard() {
        require();
        end(&bp_discard_and_reconcile);
    }

    /* Takes the connection out of the pool, which may open another connection in its place, and empties the lease. */
    Connection detach() {
        require();
        Connection connection(std::move(*connection_));
        connection_->~Connection();
        bp_pool *from = std::exchange(pool_, nullptr);
        bp_detach(from, lease_);
        bp_reconcile(from, &pool<Connection>::close, nullptr);
        return connection;
    }

  private:
    friend class pool<Connection>;

    lease(bp_pool *from, bp_lease acquired) noexcept
        : pool_(from), lease_(acquired),
          connection_(std::launder(static_cast<Connection *>(bp_element(from, acquired)))) {}

    void require() const {
        if (pool_ == nullptr) {
            throw error(BP_STALE_LEASE);
        }
    }

    void end(bp_status (*how)(bp_pool *, bp_lease, bp_close_function, void *)) noexcept {
        if (pool_ != nullptr) {
            how(std::exchange(pool_, nullptr), lease_, &pool<Connection>::close, nullptr);
        }
    }

    bp_pool *pool_ = nullptr;
    bp_lease lease_ = {};
    Connection *connection_ = nullptr;
};

/* A pool of connections. All members can be called from any thread at the same time, except the destructor. */
template <typename Connection> class pool {
    static_assert(std::is_nothrow_destructible_v<Connection>,
                  "the destructor closes the connection, and must not throw");
    static_assert(alignof(Connection) <= 64, "the pool aligns elements to 64 bytes at most");

  public:
    /* Creates a pool without connections. Throws error: BP_INVALID_CONFIGURATION, BP_OUT_OF_MEMORY. */
    explicit pool(const limits &sizes) {
        bp_pool_configuration configuration{};
        configuration.max_size = sizes.max_size;
        configuration.hard_limit = sizes.hard_limit;
        configuration.max_waiters = sizes.max_waiters;
        configuration.element_size = sizeof(Connection);
        configuration.element_alignment = alignof(Connection);
        check(bp_pool_create(&configuration, &pool_));
    }

    pool(const pool &) = delete;
    pool &operator=(const pool &) = delete;

    /*
     * Shuts the pool down, waits until all leases have ended, and frees it. No other thread may call the pool any more,
     * except to end a lease.
     */
    ~pool() {
        shut_down_and_wait(BP_NO_DEADLINE);
        bp_pool_destroy(pool_);
    }

    /*
     * Acquires an idle connection. If no connection is idle, it opens one, if the hard limit allows. Otherwise it
     * waits, first come first served. open: called without arguments, returns a Connection. The timeout limits the
     * wait, and not the time that open takes. Throws error: BP_TIMED_OUT, BP_SHUT_DOWN, BP_TOO_MANY_WAITERS,
     * BP_OUT_OF_MEMORY, BP_FORKED; and what open throws.
     */
    template <typename Open> lease<Connection> acquire(std::chrono::nanoseconds timeout, Open &&open) {
        bp_lease acquired{};
        bp_status status = bp_acquire(pool_, nanoseconds(timeout), &acquired);
        if (status == BP_OPEN) {
            permit opening(pool_, acquired);
            ::new (bp_element(pool_, acquired)) Connection(std::forward<Open>(open)());
            opening.finish();
            status = BP_OK;
        }
        check(status);
        return lease<Connection>(pool_, acquired);
    }

    /* Acquires an idle connection if no caller waits. Returns std::nullopt if that is not possible. */
    std::optional<lease<Connection>> try_acquire() noexcept {
        bp_lease acquired = bp_try_acquire(pool_);
        if (acquired.slot == nullptr) {
            return std::nullopt;
        }
        return lease<Connection>(pool_, acquired);
    }

    /* Changes the limits. Throws error: BP_INVALID_CONFIGURATION, BP_SHUT_DOWN. */
    void resize(std::uint32_t max_size, std::uint32_t hard_limit) {
        check(bp_resize(pool_, max_size, hard_limit));
        bp_reconcile(pool_, &pool::close, nullptr);
    }

    /*
     * Shuts the pool down, and waits until all leases have ended. In the threads that wait, acquire throws an error
     * with BP_SHUT_DOWN. Returns whether all connections are closed. The other connections are closed when they are
     * released.
     */
    bool shutdown(std::chrono::nanoseconds timeout) noexcept {
        return shut_down_and_wait(nanoseconds(timeout)) == BP_OK;
    }

    /* Counts connections and waiters. */
    bp_pool_statistics statistics() const noexcept {
        bp_pool_statistics counts{};
        bp_pool_statistics_get(pool_, &counts);
        return counts;
    }

    /* Returns the pool in C, for the calls that this class does not have. This object shuts it down and frees it. */
    bp_pool *get() const noexcept {
        return pool_;
    }

  private:
    friend class lease<Connection>;

    /* A permit. Its destructor frees the slot if the function that opens a connection has thrown. */
    class permit {
      public:
        permit(bp_pool *from, bp_lease acquired) noexcept : pool_(from), permit_(acquired) {}
        permit(const permit &) = delete;
        permit &operator=(const permit &) = delete;

        ~permit() {
            if (pool_ != nullptr) {
                bp_cancel_open_and_reconcile(pool_, permit_, &pool::close, nullptr);
            }
        }

        void finish() noexcept {
            bp_finish_open(std::exchange(pool_, nullptr), permit_);
        }

      private:
        bp_pool *pool_;
        bp_lease permit_;
    };

    static void close(void *element, void *) noexcept {
        std::launder(static_cast<Connection *>(element))->~Connection();
    }

    /* Not a cancellation point, because the functions that call it are noexcept, and a cancellation unwinds the stack.
     */
    bp_status shut_down_and_wait(std::uint64_t timeout) noexcept {
        int cancel_state = 0;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
        bp_status status = bp_shutdown_and_wait(pool_, timeout, &pool::close, nullptr);
        pthread_setcancelstate(cancel_state, nullptr);
        return status;
    }

    static std::uint64_t nanoseconds(std::chrono::nanoseconds timeout) noexcept {
        if (timeout == forever) {
            return BP_NO_DEADLINE;
        }
        return timeout.count() > 0 ? static_cast<std::uint64_t>(timeout.count()) : 0;
    }

    static void check(bp_status status) {
        if (status != BP_OK) {
            throw error(status);
        }
    }

    bp_pool *pool_ = nullptr;
};

} // namespace burstpool

#endif
