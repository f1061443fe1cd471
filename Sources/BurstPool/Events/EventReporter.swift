// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Tells the pool's observer what happens, and remembers which changes it has told.
@usableFromInline
final class EventReporter: Sendable {
    private let poolName: String
    private let observer: (any ConnectionPoolObserver)?
    /// Cached, because testing the optional existential copies it.
    @usableFromInline let isObserved: Bool
    private let isBursting = Atomic(false)
    private let isAtLimit = Atomic(false)

    init(poolName: String, _ observer: (any ConnectionPoolObserver)?) {
        self.poolName = poolName
        self.observer = observer
        isObserved = observer != nil
    }

    @usableFromInline
    func report(_ event: @autoclosure () -> ConnectionPoolEvent) {
        observer?.connectionPool(named: poolName, did: event())
    }

    // MARK: Changes of the total

    /// Reports the beginning and the end of a burst. Called whenever the total may have changed.
    func noteTotal(_ total: () -> Int, _ limits: () -> _PoolCoreLimits) {
        guard isObserved else { return }
        var hasChanged: Bool
        repeat {
            let total = total()
            let limits = limits()
            if total < limits.hardLimit { isAtLimit.store(false, ordering: .relaxed) }
            // After a shutdown the limits are 0, and no excess connection is a burst.
            let bursts = limits.maxSize > 0 && total > limits.maxSize
            hasChanged = isBursting.exchange(bursts, ordering: .sequentiallyConsistent) != bursts
            if hasChanged {
                report(
                    bursts
                        ? .burstBegan(total: total, maxSize: limits.maxSize)
                        : .burstEnded(total: total, maxSize: limits.maxSize)
                )
            }
            // What this thread read before the exchange can be older than what another thread has reported: look again.
        } while hasChanged
    }

    /// Reports that callers begin to wait because the pool is at its limit.
    func noteLimit(total: Int, queued: Int, hardLimit: Int) {
        guard total > 0, queued > 0, total >= hardLimit, !isAtLimit.exchange(true, ordering: .relaxed) else { return }
        report(.limitReached(total: total))
    }

    /// Notes that no caller waits any more, so that the next one that waits at the limit is reported again.
    func noteQueueIsEmpty() {
        if isAtLimit.load(ordering: .relaxed) { isAtLimit.store(false, ordering: .relaxed) }
    }
}
