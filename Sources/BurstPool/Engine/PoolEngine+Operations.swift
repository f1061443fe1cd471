import Synchronization

extension _PoolEngine {
    /// Opens connections until so many are open.
    ///
    /// - Throws: What kept one of them from opening, unless attempts are repeated; `.poolShutDown`; `CancellationError`.
    public func prewarm(_ wanted: Int?) async throws {
        let count = wanted ?? settings.minimumIdle
        let maxSize = softLimit.load(ordering: .relaxed)
        guard (0...maxSize).contains(count) else {
            throw ConnectionPoolError.invalidConfiguration(
                "prewarm was asked for \(count) connections and maxSize is \(maxSize), but a pool keeps no more than maxSize connections"
            )
        }
        let failedBefore = failedOpens.load(ordering: .relaxed)
        upkeep.warmers.add(1, ordering: .relaxed)
        defer {
            // The target is not for ever: it would undo idleTimeout.
            if upkeep.warmers.subtract(1, ordering: .relaxed).newValue == 0 {
                upkeep.warmTarget.store(0, ordering: .relaxed)
            }
        }
        while count <= softLimit.load(ordering: .relaxed) {
            upkeep.warmTarget.max(count, ordering: .relaxed)
            let ended = OneShot()
            openingEnded.add(ended)
            if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics) }
            let counts = core.counts
            if counts.idle + counts.leased >= count { return }
            let mayRepeat = connectGate?.retries ?? false
            if failedOpens.load(ordering: .relaxed) != failedBefore, let error = latestOpenError.load() {
                if !mayRepeat || strategy.connectErrorIsPermanent(error) { throw error }
            }
            topUp()
            if await ended.waitUnlessCancelled() == .cancelled { throw CancellationError() }
        }
        throw ConnectionPoolError.invalidConfiguration(
            "maxSize has become less than the \(count) connections to prewarm"
        )
    }

    /// Hands out no connections, and opens none, until ``resume()``.
    public func pause() {
        core.pause()
    }

    public func resume() {
        core.resume()
        settle()
    }

    public var isPaused: Bool { core.isPaused }

    /// Returns when a connection can be had that works.
    ///
    /// - Throws: What kept it from being had last, when the time is up; `.poolShutDown`; `CancellationError`; what the
    ///   strategy calls permanent.
    public func waitUntilHealthy(timeout: Duration?) async throws {
        let deadline = PoolClock.deadline(after: timeout, from: clock.now)
        let pace = ConnectionBackoff(base: .milliseconds(50), cap: .seconds(1))
        var failures = 0
        while true {
            do {
                let left = deadline == .max ? nil : Duration.nanoseconds(deadline - min(deadline, clock.now))
                let lease = try await acquire(timeout: left)
                if try await validate(lease, timeout: left, since: clock.now) { return release(lease) }
            } catch {
                let isFinal = (error as? ConnectionPoolError)?.code == .poolShutDown || error is CancellationError
                if isFinal || strategy.connectErrorIsPermanent(error) || clock.now >= deadline { throw error }
                failures += 1
                let pause = pace.delay(afterFailures: failures)
                try await clock.sleep(until: min(deadline, clock.now.addingReportingOverflow(pause).partialValue))
            }
        }
    }
}
