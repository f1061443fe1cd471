// SPDX-License-Identifier: Apache-2.0

import Synchronization

// A connection is opened in a task of its own. If the waiter on whose behalf it is opened gets a released connection first, or
// leaves the queue, the new connection goes to another waiter or becomes idle.

extension _PoolEngine {
    /// Starts to open a connection.
    ///
    /// - Parameters:
    ///   - ticket: The wait on whose behalf the connection is opened; `nil` for the minimum of idle connections.
    ///   - attempt: The attempt that the gate has let through, if there is a gate.
    ///   - place: The place in the group that the connection occupies, if the pool belongs to a group.
    ///   - inheritingTask: Whether the attempt gets the current task's task-local values and priority.
    @usableFromInline
    func open(
        _ permit: Core.Lease,
        for ticket: Core.Ticket?,
        _ attempt: ConnectGate.Attempt?,
        in place: Place?,
        inheritingTask: Bool
    ) {
        if let place { occupy(place, with: permit) }
        noteTotal()
        let header = header(of: permit)
        header.pointee.reset(
            settings.initialFlags,
            generation: evictions.generation,
            number: maintenance.nextConnectionNumber()
        )
        let began = events.isObserved ? clock.now : 0
        if attempt?.isProbe == true { events.report(.breakerChanged(.halfOpen)) }
        let task = Canceller()
        _ = header.pointee.abortHandle.putIfEmpty(AbortHandle { task.cancel() })
        let opening = Opening(ticket: ticket, attempt: attempt, began: began)
        let limit = settings.connectTimeout ?? (attempt?.isProbe == true ? gate?.probeTimeout : nil)
        let operation = beginOperation(limit, in: permit) { [self] in
            self.header(of: permit).pointee.set(.isLate)
            task.cancel()
            attemptFailed(
                ConnectionPoolError.connectTimedOut(
                    after: limit ?? .zero,
                    statistics,
                    poolName: settings.name
                ),
                opening
            )
        }
        let work: @Sendable () async -> Void = { [self] in
            let outcome = await makeConnection(permit)
            let isInTime = endOperation(operation, in: permit)
            switch outcome {
            case .opened:
                connectionOpened(permit, opening, isInTime: isInTime)
            case .failed(let error):
                freeSlotAfterFailure(permit)
                noteTotal()
                if isInTime { attemptFailed(error, opening) } else { slotIsFree() }
            case .unprepared(let error):
                core.finishOpen(permit)
                closeInBackground(permit, .preparationFailed)
                if isInTime { attemptFailed(error, opening) }
            }
        }
        task.watch(inheritingTask ? Task { await work() } : Task.detached { await work() })
    }

    private enum Outcome {
        case opened
        case failed(any Error)
        /// The connection is open and in its slot, but could not be prepared.
        case unprepared(any Error)
    }

    /// Opens and prepares a connection in its slot.
    private func makeConnection(_ permit: Core.Lease) async -> Outcome {
        let header = header(of: permit)
        let connection = connection(of: permit)
        do {
            connection.initialize(to: try await strategy.makeConnection())
        } catch {
            _ = header.pointee.abortHandle.take()
            return .failed(error)
        }
        do {
            try await strategy.prepareConnection(&connection.pointee)
        } catch {
            return .unprepared(error)
        }
        let lifetime = strategy.connectionLifetime(connection.pointee)
        // Otherwise the pool would replace the connection at once, again and again. A failed attempt has a pace.
        if let lifetime, lifetime <= .zero { return .unprepared(ExpiredConnection(lifetime: lifetime)) }
        _ = header.pointee.abortHandle.take()
        if let abort = strategy.abortHandle(for: connection.pointee) {
            _ = header.pointee.abortHandle.putIfEmpty(AbortHandle(abort))
        }
        limitLifetime(permit, lifetime)
        watchForClose(permit)
        return .opened
    }

    private func limitLifetime(_ permit: Core.Lease, _ ownLifetime: Duration?) {
        let own = ownLifetime.map { max(1, $0.nanoseconds) }
        let jittered = settings.maxLifetime.map { lifetime in
            // Half of what a clock can tell is some hundred years, and as a floating-point number it still fits.
            let longest = Double(min(lifetime, .max / 2))
            return UInt64(longest * (1 - Double.random(in: 0...1) * settings.configuration.lifetimeJitter))
        }
        let header = header(of: permit)
        if let lifetime = [own, jittered].compactMap({ $0 }).min() {
            // The connection expires 1/16 of its lifetime early, because the pool retires an eighth of the connections at a
            // time: retiring them all can take that long, and no idle connection may become older than allowed.
            let expiry = clock.now.addingSaturated(lifetime / 16 * 15)
            if expiry != .max { header.pointee.lowerExpiry(to: expiry) }
            maintenance.noteLifetime(lifetime)
        }
        // An eviction may have set an expiry while the connection was opening.
        let expiry = header.pointee.expiresAt.load(ordering: .relaxed)
        guard expiry > 0 else { return }
        maintenance.look(at: expiry)
        alarm.ring(at: expiry)
    }

    /// What the pool needs to know about an attempt to open a connection when the attempt ends.
    struct Opening: Sendable {
        let ticket: Core.Ticket?
        let attempt: ConnectGate.Attempt?
        let began: UInt64
    }

    /// Gives a connection that has opened to the waiter for which it was opened, gives it to another waiter, or makes it idle.
    private func connectionOpened(_ permit: Core.Lease, _ opening: Opening, isInTime: Bool) {
        // After a timeout, attemptFailed() has failed or requeued the waiter already.
        let ticket = isInTime ? opening.ticket : nil
        openErrors.noteSuccess()
        health.noteSuccess(now: clock.now)
        let header = header(of: permit)
        header.pointee.clear(.isLate)
        let isRetired = header.pointee.flags(.isRetired).closeReason
        if ticket != nil, events.isObserved { header.pointee.set(.isFresh) }
        minimumIdle.internalUse.begin()
        core.finishOpen(permit)
        if isInTime, let attempt = opening.attempt, let change = gate?.noteSuccess(attempt) {
            events.report(.breakerChanged(change))
        }
        events.report(.opened(duration: clock.elapsed(since: opening.began), wait: wait(of: ticket)))
        if let isRetired {
            closeInBackground(permit, isRetired)
            if let ticket { _ = core.requeueWait(ticket) }
            reconcile()
        } else if core.isPaused {
            // No connection is handed out now. The waiter goes back to its position in the queue and is served after the pause.
            header.pointee.clear(.isFresh)
            if let ticket { _ = core.requeueWait(ticket) }
            _ = core.release(permit)
            reconcile()
        } else if let ticket, case .claimed(let waiter) = core.claimWait(ticket) {
            serve(waiter, permit)
            if gate != nil { reconcile() }
        } else {
            header.pointee.clear(.isFresh)
            if core.release(permit) || gate != nil { reconcile() }
        }
        endInternalUse()
        connectionHasOpened()
        // The gate may now let another attempt begin. A failed attempt does not refill, because the pool would try again at
        // once.
        if gate != nil { refill() }
        minimumIdle.attemptEnded.fire()
    }

    /// Fails the waiter for which an attempt was made, or lets the waiter wait for another attempt.
    private func attemptFailed(_ error: any Error, _ opening: Opening) {
        let now = clock.now
        openErrors.noteFailure(error)
        // Recorded before the failure: a connection that was released earlier does not show that the server works now.
        noteReleases(now: now)
        health.noteFailure(error, now: now)
        let retries = gate?.retries ?? false
        let isPermanent = retries && strategy.connectErrorIsPermanent(error)
        let willRetry = retries && !isPermanent
        if let attempt = opening.attempt,
            let change = gate?.noteFailure(attempt, permanent: isPermanent ? error : nil, now: now)
        {
            events.report(.breakerChanged(change))
        }
        events.report(
            .openFailed(
                error,
                duration: clock.elapsed(since: opening.began),
                willRetry: willRetry,
                wait: wait(of: opening.ticket)
            )
        )
        if let ticket = opening.ticket {
            if willRetry {
                _ = core.requeueWait(ticket)
            } else if case .claimed(let waiter) = core.claimWait(ticket) {
                fail(waiter, error)
            }
        }
        if isPermanent, !canServeSomeone {
            while let waiter = core.handOff() { fail(waiter, error) }
        }
        reconcile()
        if settings.minimumIdle > 0 { lookWithin(maintenance.interval) }
        minimumIdle.attemptEnded.fire()
    }
}

/// The error of an attempt to connect whose connection was too old already.
private struct ExpiredConnection: Error, CustomStringConvertible {
    let lifetime: Duration

    var description: String {
        """
        The strategy says that the connection, which has just opened, may stay open for \(lifetime) (connectionLifetime). Check that its \
        credentials have not expired, and that the clocks of client and server agree.
        """
    }
}
