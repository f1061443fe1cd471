// SPDX-License-Identifier: Apache-2.0

package import BurstPool
import Synchronization

/// Turns a pool's running total of leases of idle connections into increments.
package final class IdleLeaseCount: Sendable {
    private struct State {
        /// Reads the total of the observed pool. Returns `nil` when the pool is gone.
        var readTotal: @Sendable () -> Int? = { nil }
        var isObserved: @Sendable (AnyObject) -> Bool = { _ in false }
        /// The part of the total that has been added to ``uncollected``.
        var counted = 0
        /// Leases that ``IdleLeaseCount/takeNew()`` has not returned yet.
        var uncollected = 0

        mutating func count(upTo total: Int?) {
            guard let total, total > counted else { return }
            uncollected += total - counted
            counted = total
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Observes a pool instead of the previous one. Observing the same pool again changes nothing.
    package func observe<Strategy>(_ pool: ConnectionPool<Strategy>) {
        state.withLock { state in
            if state.isObserved(pool) { return }
            state.count(upTo: state.readTotal())
            state.readTotal = { [weak pool] in pool?.statistics.idleLeases }
            state.isObserved = { [weak pool] in $0 === pool }
            state.counted = 0
        }
    }

    /// Notes the final total of a pool that is about to disappear.
    package func noteFinalTotal(_ total: Int?) {
        state.withLock { $0.count(upTo: total) }
    }

    /// Returns the number of leases since the previous call.
    package func takeNew() -> Int {
        state.withLock { state in
            state.count(upTo: state.readTotal())
            defer { state.uncollected = 0 }
            return state.uncollected
        }
    }
}
