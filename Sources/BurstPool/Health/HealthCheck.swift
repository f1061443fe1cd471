// SPDX-License-Identifier: Apache-2.0

// A health check finds out whether the server works, without delaying any caller. It validates an idle connection, opens one if
// there is room, or watches whether callers release their connections. It never joins the wait queue.

extension _PoolEngine {
    /// Checks the server and returns the health of the pool, at the latest when `timeout` has passed.
    public func checkHealth(timeout: Duration?) async -> ConnectionPoolHealth {
        await checkHealth(until: PoolClock.deadline(after: timeout, from: clock.now))
    }

    func checkHealth(until deadline: UInt64) async -> ConnectionPoolHealth {
        var check = HealthCheck()
        noteReleases(now: clock.now)
        check.changesBefore = health.count
        check.isAwaited = core.waiting > 0 || core.counts.opening > 0
        while !core.isShutDown, !Task.isCancelled {
            let change = expectedChange()
            if !core.isPaused, let validation = startValidationForCheck() {
                switch await clock.wait(for: validation, until: deadline) {
                case .done: return describeHealth(now: clock.now, verdict: .healthy)
                case .failed:
                    if check.hasOpened {
                        return describe(.failing, .failedValidation(statistics, poolName: settings.name))
                    }
                    check.changesBefore = health.count
                    continue
                case .timedOut: return describe(.unresponsive, unanswered)
                case .cancelled: return currentHealth
                }
            }
            if let status = statusChanged(since: check.changesBefore) {
                return describeHealth(now: clock.now, verdict: status)
            }
            let ended = openForCheck(&check) ?? change
            guard await pauseCheck(&check, ended, until: deadline) else { break }
            noteReleases(now: clock.now)
        }
        return describeHealth(now: clock.now, verdict: verdictWithoutSuccess(check))
    }

    /// Returns the status after a check that has found no success; `nil` if the check says nothing.
    private func verdictWithoutSuccess(_ check: HealthCheck) -> ConnectionPoolHealth.Status? {
        if Task.isCancelled || core.isPaused { return nil }
        if health.isFailing { return .failing }
        // If callers wait, or an attempt to connect runs, and nothing succeeded or failed during the whole check, the server does not
        // answer. A caller whose timeout has just passed counts, too.
        let isAwaited = check.isAwaited || check.hasOpened || core.waiting > 0
        return isAwaited && health.count == check.changesBefore ? .unresponsive : nil
    }

    /// What one check has done so far.
    private struct HealthCheck {
        var changesBefore = 0
        var hasOpened = false
        /// Whether callers waited, or an attempt to connect ran, when the check began.
        var isAwaited = false
        /// How long to wait before the next step of the check, in nanoseconds: from 1 millisecond to 32.
        var pause: UInt64 = 1_000_000
    }

    /// Returns the status if a success or a failure since `changes` decides it.
    private func statusChanged(since changes: Int) -> ConnectionPoolHealth.Status? {
        guard health.count != changes else { return nil }
        if !health.isFailing { return .healthy }
        // The latest event is a failure. That is no verdict while the pool has other connections, because they may work.
        let counts = core.counts
        return counts.idle + counts.leased == 0 ? .failing : nil
    }

    /// Validates an idle connection, or one that callers share. Returns `nil` if there is none.
    private func startValidationForCheck() -> OneShot? {
        if let validation = sharing?.startValidation() { return validation }
        guard let idle = takeIdleForCheck() else { return nil }
        let outcome = OneShot()
        startValidation(idle) { outcome.fire($0 ? .done : .failed) }
        return outcome
    }

    /// Takes an idle connection, if no caller waits for one.
    private func takeIdleForCheck() -> Core.Lease? {
        while let idle = core.tryAcquire() {
            let flags = header(of: idle).pointee.flags(.concernHandOut)
            if !flags.isEmpty, !isUsable(idle, flags, ifStale: .use) { continue }
            if (try? isOpen(idle)) == true { return idle }
        }
        return nil
    }

    /// Returns an event that fires when an attempt to open a connection or a close has ended, if one is under way. To be called before
    /// the check looks for a connection and for room, so that it misses nothing.
    private func expectedChange() -> OneShot? {
        let counts = core.counts
        guard core.total > counts.idle + counts.leased else { return nil }
        let ended = OneShot()
        minimumIdle.attemptEnded.add(ended)
        return ended
    }

    /// Opens a connection for the check, or for the oldest waiter, at most once in a check.
    ///
    /// - Returns: An event that fires when an attempt to open a connection has ended; `nil` if this call opened none.
    private func openForCheck(_ check: inout HealthCheck) -> OneShot? {
        guard !check.hasOpened, !core.isPaused, core.counts.opening == 0 else { return nil }
        var attempt: ConnectGate.Attempt?
        if let gate {
            guard
                case .open(let reserved) = gate.ask(
                    mayBeServed: false,
                    isHealthCheck: true,
                    queued: { core.queued },
                    now: { clock.now }
                )
            else { return nil }
            attempt = reserved
        }
        let ended = OneShot()
        var place = share?.takePlace()
        let hasRoom = share == nil || place != nil
        if hasRoom, let permit = core.beginOpenUnrequested() {
            minimumIdle.attemptEnded.add(ended)
            open(permit, for: nil, attempt, in: place, inheritingTask: false)
        } else if hasRoom, case .opening(let ticket, let permit) = core.beginOpen() {
            minimumIdle.attemptEnded.add(ended)
            open(permit, for: ticket, attempt, in: place, inheritingTask: false)
        } else {
            if let taken = place.take() { share?.releasePlace(taken) }
            if let attempt {
                gate?.cancel(attempt)
                if core.hasPermitForWaiter { reconcile() }
            }
            return nil
        }
        check.hasOpened = true
        return ended
    }

    /// Waits before the next step of the check. Returns `false` if the deadline has passed or the task was cancelled.
    private func pauseCheck(_ check: inout HealthCheck, _ ended: OneShot?, until deadline: UInt64) async -> Bool {
        let next = min(deadline, clock.now.addingSaturated(check.pause))
        check.pause = min(check.pause * 2, 32_000_000)
        let outcome = await clock.wait(for: ended ?? OneShot(), until: next)
        return outcome != .cancelled && clock.now < deadline
    }

    private func describe(_ status: ConnectionPoolHealth.Status, _ failure: ConnectionPoolError) -> ConnectionPoolHealth
    {
        describeHealth(now: clock.now, verdict: status, failure: failure)
    }

    private var unanswered: ConnectionPoolError {
        .failedValidation(statistics, isUnanswered: true, poolName: settings.name)
    }

    // MARK: Waiting for health

    /// Repeats the check until it finds the pool healthy.
    ///
    /// - Throws: The latest error, or `.acquireTimedOut`, when the time has passed; `.poolShutDown`; `CancellationError`; an
    ///   error that the strategy calls permanent.
    public func waitUntilHealthy(timeout: Duration?) async throws {
        let began = clock.now
        let deadline = PoolClock.deadline(after: timeout, from: began)
        let pace = ConnectionBackoff(base: .milliseconds(50), cap: .seconds(1))
        var failures = 0
        while true {
            let failuresBefore = openErrors.count
            let found = await checkHealth(until: deadline)
            try Task.checkCancellation()
            if found.isHealthy { return }
            if found.status == .shutDown { throw ConnectionPoolError.poolShutDown(statistics, poolName: settings.name) }
            let isNew = openErrors.count != failuresBefore
            if isNew, let error = openErrors.latest, strategy.connectErrorIsPermanent(error) { throw error }
            if clock.now >= deadline { throw failureToBecomeHealthy(found, timeout: timeout ?? .zero, since: began) }
            failures += 1
            let pause = clock.now.addingSaturated(pace.delay(afterFailures: failures))
            try await clock.sleep(until: min(deadline, pause))
        }
    }

    /// Returns the error of a wait whose time has passed. If the server is failing this is the latest failure, because it says
    /// more than a timeout.
    private func failureToBecomeHealthy(
        _ found: ConnectionPoolHealth,
        timeout: Duration,
        since began: UInt64
    ) -> any Error {
        if let failure = found.lastFailure, found.status == .failing { return failure }
        let shortage = shortage()
        return ConnectionPoolError.acquireTimedOut(
            timeout: timeout,
            shortage,
            because: shortage.cause(since: began),
            poolName: settings.name
        )
    }
}
