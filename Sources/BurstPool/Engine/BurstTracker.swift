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
        var hasChanged: Bool
        repeat {
            let total = core.total
            let limits = limits.values
            let maxSize = limits.maxSize
            if total < limits.hardLimit { burst.isAtLimit.store(false, ordering: .relaxed) }
            let bursts = total > maxSize
            hasChanged = burst.isBursting.exchange(bursts, ordering: .sequentiallyConsistent) != bursts
            if hasChanged {
                observer.connectionPool(
                    bursts
                        ? .burstBegan(total: total, maxSize: maxSize) : .burstEnded(total: total, maxSize: maxSize)
                )
            }
            // What was read before the exchange can be older than what another one has noted before it: look again.
        } while hasChanged
    }

    /// To be called when somebody waits and no permit was to be had.
    @usableFromInline
    func noteLimit() {
        guard let observer else { return }
        let total = core.total
        guard total > 0, core.queued > 0, total >= limits.hardLimit,
            !burst.isAtLimit.exchange(true, ordering: .relaxed)
        else { return }
        observer.connectionPool(.limitReached(total: total))
    }

    @usableFromInline
    func noteBreaker(_ state: ConnectionCircuitBreaker.State) {
        observer?.connectionPool(.breakerChanged(state))
    }
}
