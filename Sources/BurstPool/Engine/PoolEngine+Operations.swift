import Synchronization

extension _PoolEngine {
    /// Opens connections until so many are open.
    ///
    /// - Throws: What kept one of them from opening, unless attempts are repeated; `.poolShutDown`; `CancellationError`.
    public func prewarm(_ wanted: Int?) async throws {
        let count = wanted ?? settings.minimumIdle
        let maxSize = limits.maxSize
        guard (0...maxSize).contains(count) else {
            throw ConnectionPoolError.invalidConfiguration(
                "prewarm was asked for \(count) connections and maxSize is \(maxSize), but a pool keeps no more than maxSize connections"
            )
        }
        let failedBefore = failedOpens.load(ordering: .relaxed)
        keepsMinimumIdle.store(true, ordering: .relaxed)
        maintenance.beginWarming(count)
        defer { maintenance.endWarming() }
        while true {
            let ended = OneShot()
            let isWarmAlready = isWarm(count)
            // It stays in the list until an opening ends, which may be never in a pool that is warm.
            if !isWarmAlready { openingEnded.add(ended) }
            guard count <= limits.maxSize else { break }
            if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics) }
            if isWarmAlready || isWarm(count) { return }
            let mayRepeat = connectGate?.retries ?? false
            if failedOpens.load(ordering: .acquiring) != failedBefore, let error = latestFailure.load() {
                if !mayRepeat || strategy.connectErrorIsPermanent(error) { throw error }
            }
            topUp()
            if await ended.waitUnlessCancelled() == .cancelled { throw CancellationError() }
        }
        throw ConnectionPoolError.invalidConfiguration(
            "maxSize has become less than the \(count) connections to prewarm"
        )
    }

    private func isWarm(_ count: Int) -> Bool {
        let counts = core.counts
        return counts.idle + counts.leased >= count
    }

    /// Hands out no connections, and opens none, until ``resume()``.
    public func pause() {
        core.pause()
    }

    public func resume() {
        core.resume()
        reconcile()
        topUp()
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
        var latest: (any Error)?
        while true {
            do {
                if try await isHealthy(until: deadline) { return }
            } catch {
                let isFinal = (error as? ConnectionPoolError)?.code == .poolShutDown || error is CancellationError
                // That the time was up says less than what has failed before.
                if isFinal || strategy.connectErrorIsPermanent(error) { throw error }
                if clock.now >= deadline { throw latest ?? error }
                latest = error
            }
            failures += 1
            let now = clock.now
            let pause = now.addingSaturated(pace.delay(afterFailures: failures))
            try await clock.sleep(until: min(deadline, pause))
            if clock.now >= deadline, let latest { throw latest }
        }
    }

    private func isHealthy(until deadline: UInt64) async throws -> Bool {
        let now = clock.now
        let left = deadline == .max ? nil : Duration.nanoseconds(deadline - min(deadline, now))
        let lease = try await acquire(timeout: left)
        noteReturn(lease, header(of: lease).pointee.flags(.concernReturn))
        guard try await validate(lease, timeout: left, since: now) else { return false }
        if !disposeSpecially(lease, header(of: lease).pointee.flags(.concernReturn)), core.release(lease) {
            reconcile()
        }
        return true
    }
}
