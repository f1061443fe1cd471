import Synchronization

/// Whether the pool bursts, and whether it is at its limit, so that the observer is told of each change once.
final class BurstTracker: Sendable {
    let isBursting = Atomic(false)
    let isAtLimit = Atomic(false)
}

// For the observer, and nothing where there is none.

extension _PoolEngine {
    /// To be called whenever the total may have changed.
    @usableFromInline
    func noteTotal() {
        guard let observer else { return }
        let total = core.total
        let maxSize = softLimit.load(ordering: .relaxed)
        if total < hardLimit.load(ordering: .relaxed) { burst.isAtLimit.store(false, ordering: .relaxed) }
        if total > maxSize {
            if !burst.isBursting.exchange(true, ordering: .relaxed) {
                observer.connectionPool(.burstBegan(total: total, maxSize: maxSize))
            }
        } else if burst.isBursting.exchange(false, ordering: .relaxed) {
            observer.connectionPool(.burstEnded(total: total, maxSize: maxSize))
        }
    }

    /// To be called when somebody waits and no permit was to be had.
    @usableFromInline
    func noteLimit() {
        guard let observer else { return }
        let total = core.total
        guard total > 0, total >= hardLimit.load(ordering: .relaxed),
            !burst.isAtLimit.exchange(true, ordering: .relaxed)
        else { return }
        observer.connectionPool(.limitReached(total: total))
    }

    @usableFromInline
    func noteBreaker(_ state: ConnectionCircuitBreaker.State) {
        observer?.connectionPool(.breakerChanged(state))
    }
}
