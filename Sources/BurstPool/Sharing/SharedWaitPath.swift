// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The path of a caller that finds no idle lease.

extension SharedPoolEngine {
    @usableFromInline
    func acquireSlowly(timeout: AcquireTimeout, _ site: _LeaseSite) async throws -> Core.Lease {
        let timeout = timeout.resolved(configured: settings.acquireTimeout)
        let began = clock.now
        do {
            let mayWait = timeout.map { $0 > .zero } ?? true
            if let lease = try acquireAtOnce(site, ifStale: mayWait ? .returnIdle : .use) { return lease }
            guard mayWait else { throw unavailableAtOnce() }
        } catch {
            throw acquireFailed(error, waited: began, nil)
        }
        return try await wait(timeout: timeout, since: began, site)
    }

    /// Acquires an idle lease, or one of a connection that is not checked out.
    @usableFromInline
    func tryAcquire(_ site: _LeaseSite) -> Core.Lease? {
        try? acquireAtOnce(site, ifStale: .use)
    }

    private func acquireAtOnce(_ site: _LeaseSite, ifStale: StaleConnection) throws -> Core.Lease? {
        while true {
            while let idle = core.tryAcquire() {
                if try handOut(idle, site) { return idle }
            }
            guard try !core.hasWaiters && checkOutIdleConnection(ifStale: ifStale) else { return nil }
            reconcile()
        }
    }

    private func unavailableAtOnce() -> ConnectionPoolError {
        if core.isShutDown { return .poolShutDown(statistics, poolName: settings.name) }
        return .acquireTimedOut(
            timeout: .zero,
            shortage(),
            because: connections.shortageCauseWithoutWait(),
            poolName: settings.name
        )
    }

    private func wait(timeout: Duration?, since began: UInt64, _ site: _LeaseSite) async throws -> Core.Lease {
        let patience = loadShedding?.patience(timeout, queued: core.queued, now: began) ?? Patience(timeout)
        let ticket: Core.Ticket
        do {
            try admitWaiter()
            do {
                ticket = try core.prepareWait()
            } catch {
                waitersAdmitted.subtract(1, ordering: .relaxed)
                throw refusal(error)
            }
        } catch {
            throw acquireFailed(error, waited: began, nil)
        }
        connections.health.recordRelease(now: began)
        let generation = connections.evictions.generation
        let place = waits.begin(core.number(of: ticket), at: began, site, notesName: false)
        defer {
            waits.end(place)
            waitersAdmitted.subtract(1, ordering: .relaxed)
        }
        if events.isObserved { events.report(.waitBegan(ConnectionWait(number: core.number(of: ticket)))) }
        do {
            var lease = try await joinQueue(ticket, patience, since: began)
            while connections.wasOpened(checkout(of: lease).pointee, before: generation) {
                // A thread held this lease when all connections were evicted, before this caller began to wait.
                endOrPutBack(lease)
                lease = try await joinQueue(core.prepareWait(), patience, since: began)
            }
            noteServed(lease, site, ticket, since: began)
            return lease
        } catch {
            throw waitFailed(error, patience, ticket, since: began)
        }
    }

    /// Counts a waiter.
    ///
    /// - Throws: `.tooManyWaiters`.
    private func admitWaiter() throws {
        let waiters = waitersAdmitted.add(1, ordering: .relaxed).newValue
        guard let most = settings.configuration.maxWaiters, waiters > most else { return }
        let limits = connections.core.limits
        guard waiters > most + max(0, limits.hardLimit - connections.core.total) else { return }
        waitersAdmitted.subtract(1, ordering: .relaxed)
        throw refusal(.tooManyWaiters)
    }

    private func joinQueue(_ ticket: Core.Ticket, _ patience: Patience, since began: UInt64) async throws -> Core.Lease
    {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: Waiting<Core.Lease>) in
                join(
                    ticket,
                    continuation,
                    deadline: PoolClock.deadline(after: patience.timeout, from: began),
                    now: began
                )
            }
        } onCancel: {
            if case .claimed(let waiter) = core.claimWait(ticket) { fail(waiter, CancellationError()) }
        }
    }

    private func join(_ ticket: Core.Ticket, _ continuation: Waiting<Core.Lease>, deadline: UInt64, now: UInt64) {
        switch core.joinWait(
            ticket,
            context: unsafeBitCast(continuation, to: UnsafeRawPointer.self),
            deadline: deadline
        ) {
        case .joined(let isEarliest):
            if isEarliest { alarm.ring(at: deadline) }
            core.observeLeases(now: now)
            serveWaiters(inheritingTask: true, growing: true)
            reconcile()
        case .cancelled:
            continuation.resume(throwing: CancellationError())
        case .shutDown:
            continuation.resume(throwing: refusal(.shutDown))
        case .tooManyWaiters:
            continuation.resume(throwing: refusal(.tooManyWaiters))
        }
    }

    /// Gives idle leases to the oldest waiters. If there are too few, lets connections have more leases, and asks for more
    /// connections.
    ///
    /// - Parameters:
    ///   - inheritingTask: Whether the task that waits for a connection gets the task-local values and the priority of this one.
    ///   - growing: Whether the strategy is asked for new limits of all connections.
    /// - Returns: Whether a lease was put back, because its waiter had left.
    @discardableResult
    func serveWaiters(inheritingTask: Bool = false, growing: Bool = false) -> Bool {
        var growing = growing
        var hasPutBack = false
        while core.hasWaiters {
            if let lease = core.takeIdle() {
                if serveOldestWaiter(lease) { hasPutBack = true }
                continue
            }
            if growing {
                growing = false
                if growLeases() { continue }
            }
            if !settings.spreadsLeases, revive() { continue }
            do {
                if try checkOutIdleConnection(ifStale: .returnIdle) { continue }
            } catch {
                // The strategy threw a CancellationError, which is for the caller on whose behalf it was asked.
                if let waiter = core.handOff() { fail(waiter, error) }
                continue
            }
            if settings.spreadsLeases {
                if lacksConnection(running: supplies.count) { supplyConnections(inheritingTask: inheritingTask) }
                // Otherwise a connection that is excess would be used again and again.
                if raiseLeaseCap() || revive() { continue }
            }
            if events.isObserved {
                let limit = connections.core.limits.hardLimit
                events.noteLimit(total: connections.core.total, queued: core.queued, hardLimit: limit)
            }
            supplyConnections(inheritingTask: inheritingTask)
            return hasPutBack
        }
        return hasPutBack
    }

    /// Gives a lease to the oldest waiter, if its connection can be used. Returns whether the lease was put back.
    private func serveOldestWaiter(_ lease: Core.Lease) -> Bool {
        do {
            if header(of: lease).pointee.stateNow.contains(SharingState.losesLeases), endsLease(lease) { return false }
            guard try isOpen(lease) else { return false }
        } catch {
            if let waiter = core.handOff() { fail(waiter, error) }
            return false
        }
        if let waiter = core.handOff() {
            serve(waiter, lease)
            return false
        }
        core.returnIdle(lease)
        return true
    }

    func serve(_ waiter: UnsafeRawPointer, _ lease: Core.Lease) {
        unsafeBitCast(waiter, to: Waiting<Core.Lease>.self).resume(returning: lease)
    }

    func fail(_ waiter: UnsafeRawPointer, _ error: any Error) {
        unsafeBitCast(waiter, to: Waiting<Core.Lease>.self).resume(throwing: error)
    }

    // MARK: Reports and errors

    private func noteServed(_ lease: Core.Lease, _ site: _LeaseSite, _ ticket: Core.Ticket, since began: UInt64) {
        noteLease(lease, site)
        noteWaitEnded()
        guard events.isObserved else { return }
        events.report(
            .acquired(
                .waited,
                waited: clock.elapsed(since: began),
                wait: ConnectionWait(number: core.number(of: ticket))
            )
        )
    }

    private func noteWaitEnded() {
        guard core.waiting == 0 else { return }
        events.noteQueueIsEmpty()
        // Otherwise a connection would be opened after the delay although its caller was served.
        if settings.configuration.connectDelay != nil { dropUnneededSupplies() }
    }

    private func waitFailed(_ error: any Error, _ patience: Patience, _ ticket: Core.Ticket, since began: UInt64)
        -> any Error
    {
        noteWaitEnded()
        guard let shortage = error as? Shortage else { return acquireFailed(error, waited: began, ticket) }
        connections.health.noteTimeout(since: began)
        let timeout = patience.timeout ?? .zero
        let cause = shortage.cause(since: began)
        let timedOut =
            patience.isShortened
            ? ConnectionPoolError.overloaded(after: timeout, shortage, because: cause, poolName: settings.name)
            : .acquireTimedOut(timeout: timeout, shortage, because: cause, poolName: settings.name)
        return acquireFailed(timedOut, waited: began, ticket)
    }

    /// Reports a failed acquisition. Every one of them is reported exactly once.
    private func acquireFailed(_ error: any Error, waited began: UInt64, _ ticket: Core.Ticket?) -> any Error {
        events.report(
            .acquireFailed(
                error,
                waited: clock.elapsed(since: began),
                wait: ticket.map { ConnectionWait(number: core.number(of: $0)) }
            )
        )
        return error
    }

    private func refusal(_ failure: _PoolCoreFailure) -> ConnectionPoolError {
        switch failure {
        case .shutDown: .poolShutDown(statistics, poolName: settings.name)
        case .tooManyWaiters:
            .tooManyWaiters(
                statistics,
                limit: settings.configuration.maxWaiters,
                because: connections.shortageCauseWithoutWait(),
                lastOpenError: connections.openErrors.sinceLastSuccess,
                poolName: settings.name
            )
        case .outOfMemory: .outOfMemory(statistics, poolName: settings.name)
        }
    }

    private func shortage() -> Shortage {
        let now = clock.now
        let age = core.oldestLeaseAge(now: now)
        connections.health.recordRelease(now: now)
        return Shortage(
            statistics: statistics,
            oldestLeaseAge: age == 0 ? nil : .nanoseconds(Int64(clamping: age)),
            lastOpenError: connections.openErrors.sinceLastSuccess,
            lastProgress: connections.health.lastSuccess
        )
    }

    /// Ends the waits whose deadline has passed.
    func expireWaiters(now: UInt64) {
        guard let deadline = core.nextDeadline, deadline <= now else { return }
        var shortage: Shortage?
        _ = core.expire(now: now) { waiter in
            let error = shortage ?? self.shortage()
            shortage = error
            fail(waiter, error)
        }
    }
}
