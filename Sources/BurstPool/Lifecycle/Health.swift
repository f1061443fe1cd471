extension _PoolEngine {
    /// Returns when the pool has a connection that works.
    ///
    /// - Throws: The last error, when the time has passed; `.poolShutDown`; `CancellationError`; an error that the strategy
    ///   calls permanent.
    public func waitUntilHealthy(timeout: Duration?) async throws {
        let deadline = PoolClock.deadline(after: timeout, from: clock.now)
        let pace = ConnectionBackoff(base: .milliseconds(50), cap: .seconds(1))
        var failures = 0
        var latest: (any Error)?
        while true {
            do {
                if try await hasWorkingConnection(until: deadline) { return }
            } catch {
                let isFinal = (error as? ConnectionPoolError)?.code == .poolShutDown || error is CancellationError
                if isFinal || strategy.connectErrorIsPermanent(error) { throw error }
                // An earlier failure says more than that the time has passed.
                if clock.now >= deadline { throw latest ?? error }
                latest = error
            }
            failures += 1
            let pause = clock.now.addingSaturated(pace.delay(afterFailures: failures))
            try await clock.sleep(until: min(deadline, pause))
            if clock.now >= deadline, let latest { throw latest }
        }
    }

    private func hasWorkingConnection(until deadline: UInt64) async throws -> Bool {
        let timeout: AcquireTimeout =
            deadline == .max ? .unlimited : .after(.nanoseconds(deadline.subtractingSaturated(clock.now)))
        let lease = try await acquire(timeout: timeout)
        noteRelease(lease, header(of: lease).pointee.flags(.concernRelease))
        return await validateAndWait(lease)
    }
}
