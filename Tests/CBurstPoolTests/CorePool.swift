// SPDX-License-Identifier: Apache-2.0

import CBurstPool

/// A pool of the C core for one test. Destroyed with everything that is left in it.
final class CorePool: @unchecked Sendable {
    let pool: OpaquePointer

    init(
        maxSize: UInt32,
        hardLimit: UInt32? = nil,
        maxWaiters: UInt32 = 0,
        elementSize: Int = 8,
        stripes: UInt32 = 0,
        keepsExcess: Bool = false
    ) {
        var configuration = bp_pool_configuration()
        configuration.max_size = maxSize
        configuration.hard_limit = hardLimit ?? maxSize
        configuration.max_waiters = maxWaiters
        configuration.element_size = elementSize
        configuration.stripes = stripes
        configuration.keep_excess = keepsExcess
        var created: OpaquePointer?
        precondition(bp_pool_create(&configuration, &created) == .ok)
        pool = created!
    }

    deinit {
        bp_shutdown(pool)
        var lease = bp_lease()
        while bp_take_idle(pool, &lease) == .ok {
            bp_begin_close(pool, lease)
            bp_finish_close(pool, lease)
        }
        bp_pool_destroy(pool)
    }

    /// Opens a connection. The caller holds its lease.
    func open() -> bp_lease {
        var lease = bp_lease()
        precondition(bp_begin_open_unrequested(pool, &lease) == .ok)
        precondition(bp_finish_open(pool, lease) == .ok)
        return lease
    }

    /// Joins the queue. The context identifies the waiter.
    func join(_ context: Int, deadline: UInt64 = BP_NO_DEADLINE) -> bp_ticket {
        var ticket = bp_ticket()
        precondition(bp_wait_prepare(pool, &ticket) == .ok)
        precondition(bp_wait_join(pool, ticket, UnsafeMutableRawPointer(bitPattern: context), deadline, nil) == .ok)
        return ticket
    }

    /// Hands off to the oldest waiter. Returns its number.
    func handOff() -> Int? {
        var context: UnsafeMutableRawPointer?
        return bp_hand_off(pool, &context) == .ok ? Int(bitPattern: context) : nil
    }

    /// Removes the waiters whose deadline has passed. Returns their numbers, and when to call again.
    func expire(_ now: UInt64, capacity: Int = 16) -> (gone: [Int], next: UInt64) {
        var contexts = [UnsafeMutableRawPointer?](repeating: nil, count: capacity)
        var next: UInt64 = 0
        let count = bp_expire(pool, now, &contexts, capacity, &next)
        return (contexts.prefix(count).map { Int(bitPattern: $0) }, next)
    }

    var statistics: bp_pool_statistics {
        var statistics = bp_pool_statistics()
        bp_pool_statistics_get(pool, &statistics)
        return statistics
    }
}
