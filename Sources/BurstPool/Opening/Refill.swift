// SPDX-License-Identifier: Apache-2.0

// Connections that are opened before callers ask for them.

extension _PoolEngine {
    /// Opens connections until the minimum of idle connections, and the target of `prewarm`, is reached.
    @usableFromInline
    func refill() {
        guard minimumIdle.isWanted, !core.isShutDown else { return }
        // A full pool, which a pool with many waiters is, need not be counted.
        guard core.total < core.limits.maxSize else { return }
        minimumIdle.perform { openMissing() }
    }

    /// Ends the internal use of a connection.
    func endInternalUse() {
        if minimumIdle.internalUse.end() { refill() }
    }

    private func openMissing() {
        let missing = minimumIdle.missing(
            { core.counts },
            maxSize: core.limits.maxSize,
            countAgain: { refill() }
        )
        guard missing > 0 else { return }
        for _ in 0..<missing {
            var attempt: ConnectGate.Attempt?
            if let gate {
                // No caller waits for this connection, so there is nothing to wait for instead.
                switch gate.ask(mayBeServed: false, queued: { core.queued }, now: { clock.now }) {
                case .open(let reserved): attempt = reserved
                case .full: return
                case .closed(let moment), .refused(_, let moment), .circuitOpen(let moment):
                    return alarm.ring(at: moment)
                }
            }
            var place = share?.takePlace()
            guard share == nil || place != nil, let permit = core.beginOpenUnrequested() else {
                if let taken = place.take() { share?.releasePlace(taken) }
                if let attempt {
                    gate?.cancel(attempt)
                    // A waiter may have been refused because of this attempt.
                    if core.hasPermitForWaiter { reconcile() }
                }
                return
            }
            open(permit, for: nil, attempt, in: place, inheritingTask: false)
        }
    }

    // MARK: Prewarming

    /// Opens connections until so many are open.
    ///
    /// - Throws: What kept one of them from opening, unless attempts are repeated; `.poolShutDown`; `CancellationError`.
    public func prewarm(_ wanted: Int?) async throws {
        let count = wanted ?? settings.minimumIdle
        let maxSize = core.limits.maxSize
        if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics, poolName: settings.name) }
        guard (0...maxSize).contains(count) else {
            throw ConnectionPoolError.invalidConfiguration(
                "prewarm was asked for \(count) connections, and maxSize is \(maxSize). A pool keeps between 0 and maxSize connections.",
                poolName: settings.name
            )
        }
        let failuresBefore = openErrors.count
        // Connections that have closed unnoticed do not count.
        maintain(checksForClosed: true)
        minimumIdle.beginWarming(count)
        defer { minimumIdle.endWarming() }
        while true {
            let attemptEnded = OneShot()
            let isWarmAlready = isWarm(count)
            // A signal stays in the list until an attempt ends, which may never happen in a pool that is warm.
            if !isWarmAlready { minimumIdle.attemptEnded.add(attemptEnded) }
            if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics, poolName: settings.name) }
            guard count <= core.limits.maxSize else { break }
            if isWarmAlready || isWarm(count) { return }
            if openErrors.count != failuresBefore, let error = openErrors.latest {
                let mayRepeat = gate?.retries ?? false
                if !mayRepeat || strategy.connectErrorIsPermanent(error) { throw error }
            }
            refill()
            if await attemptEnded.waitUnlessCancelled() == .cancelled { throw CancellationError() }
        }
        throw ConnectionPoolError.invalidConfiguration(
            "maxSize was lowered below the \(count) connections that prewarm was opening.",
            poolName: settings.name
        )
    }

    private func isWarm(_ count: Int) -> Bool {
        let counts = core.counts
        return counts.idle + counts.leased >= count
    }
}
