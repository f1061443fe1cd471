// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The path of a caller that finds no idle connection. Functions that every waiting caller runs are inlinable, so that the
// compiler specializes them: unspecialized generic code looks up its types at run time, which would cost more than the rest.

/// A caller's continuation. It is one word, which the core stores in the wait queue as the waiter.
@usableFromInline
typealias Waiting<Lease> = UnsafeContinuation<Lease, any Error>

extension _PoolEngine {
    /// Acquires a connection after the fast path found none: an idle connection if there is one by now, or else one for which
    /// the caller waits in the queue.
    @inlinable
    func acquireSlowly(timeout: AcquireTimeout, _ site: _LeaseSite) async throws -> Core.Lease {
        let timeout = timeout.resolved(configured: settings.acquireTimeout)
        let began = clock.now
        var stale: Core.Lease?
        do {
            guard timeout.map({ $0 > .zero }) ?? true else { return try acquireAtOnce(site) }
            if settings.detectsNestedAcquires, site.isScoped, taskHoldsAllConnections() {
                throw ConnectionPoolError.nestedAcquire(statistics, poolName: settings.name)
            }
            while stale == nil, let idle = core.tryAcquire() {
                if isStale(idle) {
                    stale = idle
                } else if try handOut(idle, site, ifStale: .use) {
                    return idle
                }
            }
        } catch {
            throw acquireFailed(error, waited: began, nil)
        }
        if let stale { return try await waitForValidation(of: stale, timeout: timeout, since: began, site) }
        return try await wait(timeout: timeout, since: began, site)
    }

    /// Starts to validate a connection, and waits in the queue.
    ///
    /// If the connection is valid, it goes to the oldest waiter, which is usually this caller.
    @usableFromInline
    func waitForValidation(
        of stale: Core.Lease,
        timeout: Duration?,
        since began: UInt64,
        _ site: _LeaseSite
    ) async throws -> Core.Lease {
        let validation = validateForWaiter(stale, inheritingTask: true)
        // When this caller no longer waits, its validation no longer counts as one that will serve a waiter. Reconcile then,
        // because another waiter may need a new connection.
        defer { if validation.end() { reconcile() } }
        return try await wait(timeout: timeout, since: began, site)
    }

    /// Acquires a connection for a caller that does not wait: an idle one, without a validation.
    @usableFromInline
    func acquireAtOnce(_ site: _LeaseSite) throws -> Core.Lease {
        while let idle = core.tryAcquire() {
            if try handOut(idle, site, ifStale: .use) { return idle }
        }
        if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics, poolName: settings.name) }
        core.observeLeases(now: clock.now)
        throw ConnectionPoolError.acquireTimedOut(
            timeout: .zero,
            shortage(),
            because: shortageCauseWithoutWait(),
            poolName: settings.name
        )
    }

    /// Waits in the queue until a connection is available, or the wait ends with an error.
    @inlinable @inline(__always)
    func wait(timeout: Duration?, since began: UInt64, _ site: _LeaseSite) async throws -> Core.Lease {
        let patience = loadShedding?.patience(timeout, queued: core.queued, now: began) ?? Patience(timeout)
        let ticket: Core.Ticket
        do {
            ticket = try prepareWait()
        } catch {
            throw acquireFailed(error, waited: began, nil)
        }
        let generation = evictions.generation
        health.recordRelease(now: began)
        let place = waits.begin(core.number(of: ticket), at: began, site, notesName: settings.tracksTaskNames)
        defer {
            waits.end(place)
            if let share { share.noteWaitEnded() }
        }
        if events.isObserved { noteWaitBegan(ticket) }
        do {
            var lease = try await joinQueue(ticket, patience, since: began)
            if events.isObserved || hasFlags(lease) {
                while wasOpened(lease, before: generation) {
                    closeInBackground(lease, .evicted)
                    lease = try await joinQueueAgain(patience, since: began)
                }
                noteServed(lease, site, ticket, since: began)
            }
            return lease
        } catch {
            throw waitFailed(error, patience, ticket, since: began)
        }
    }

    @inlinable @inline(__always)
    func joinQueue(_ ticket: Core.Ticket, _ patience: Patience, since began: UInt64) async throws -> Core.Lease {
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
            if case .claimed(let waiter) = core.claimWait(ticket) {
                fail(waiter, CancellationError())
            }
        }
    }

    /// Joins the queue again, at its end.
    ///
    /// This is for a caller that began to wait just after an eviction and was served with a connection that was opened before
    /// the eviction. The callers that are now in front of this caller in the queue came later than it.
    @usableFromInline
    func joinQueueAgain(_ patience: Patience, since began: UInt64) async throws -> Core.Lease {
        try await joinQueue(prepareWait(), patience, since: began)
    }

    @inlinable
    func prepareWait() throws -> Core.Ticket {
        do {
            return try core.prepareWait()
        } catch {
            throw refusal(error)
        }
    }

    /// Returns the error for a caller that the core did not admit to the wait queue.
    @usableFromInline
    func refusal(_ failure: _PoolCoreFailure) -> ConnectionPoolError {
        switch failure {
        case .shutDown: .poolShutDown(statistics, poolName: settings.name)
        case .tooManyWaiters:
            .tooManyWaiters(
                statistics,
                limit: settings.configuration.maxWaiters,
                because: shortageCauseWithoutWait(),
                lastOpenError: openErrors.sinceLastSuccess,
                poolName: settings.name
            )
        case .outOfMemory: .outOfMemory(statistics, poolName: settings.name)
        }
    }

    @inlinable
    func join(_ ticket: Core.Ticket, _ continuation: Waiting<Core.Lease>, deadline: UInt64, now: UInt64) {
        gate?.noteJoin()
        switch core.joinWait(
            ticket,
            context: unsafeBitCast(continuation, to: UnsafeRawPointer.self),
            deadline: deadline
        )
        {
        case .joined(let isEarliest):
            if isEarliest { alarm.ring(at: deadline) }
            core.observeLeases(now: now)
            reconcile(for: ticket)
        case .cancelled:
            continuation.resume(throwing: CancellationError())
        case .shutDown:
            continuation.resume(throwing: refusal(.shutDown))
        case .tooManyWaiters:
            continuation.resume(throwing: refusal(.tooManyWaiters))
        }
    }

    @inlinable
    func serve(_ waiter: UnsafeRawPointer, _ lease: Core.Lease) {
        unsafeBitCast(waiter, to: Waiting<Core.Lease>.self).resume(returning: lease)
    }

    @inlinable
    func fail(_ waiter: UnsafeRawPointer, _ error: any Error) {
        unsafeBitCast(waiter, to: Waiting<Core.Lease>.self).resume(throwing: error)
    }

    @inlinable
    func hasFlags(_ lease: Core.Lease) -> Bool {
        !header(of: lease).pointee.flags(.all).isEmpty
    }

    // MARK: Reports and errors

    @usableFromInline
    func noteWaitBegan(_ ticket: Core.Ticket) {
        events.report(.waitBegan(ConnectionWait(number: core.number(of: ticket))))
    }

    /// Notes that a caller no longer waits.
    func noteWaitEnded() {
        if core.waiting == 0 { events.noteQueueIsEmpty() }
    }

    /// Returns the error for a caller that has waited without success, and reports it.
    @usableFromInline
    func waitFailed(_ error: any Error, _ patience: Patience, _ ticket: Core.Ticket, since began: UInt64) -> any Error {
        gate?.noteLeave()
        if events.isObserved { noteWaitEnded() }
        var error = error
        if let shortage = error as? Shortage {
            health.noteTimeout(since: began)
            let timeout = patience.timeout ?? .zero
            let cause = shortage.cause(since: began)
            error =
                patience.isShortened
                ? ConnectionPoolError.overloaded(after: timeout, shortage, because: cause, poolName: settings.name)
                : ConnectionPoolError.acquireTimedOut(
                    timeout: timeout,
                    shortage,
                    because: cause,
                    poolName: settings.name
                )
        }
        return acquireFailed(error, waited: began, ticket)
    }

    /// Reports a failed acquisition to the observer. Each failed acquisition is reported exactly once.
    @usableFromInline
    func acquireFailed(_ error: any Error, waited began: UInt64, _ ticket: Core.Ticket?) -> any Error {
        events.report(.acquireFailed(error, waited: clock.elapsed(since: began), wait: wait(of: ticket)))
        return error
    }

    func wait(of ticket: Core.Ticket?) -> ConnectionWait? {
        ticket.map { ConnectionWait(number: core.number(of: $0)) }
    }

    /// Returns what is known about why no connection is available.
    @usableFromInline
    func shortage() -> Shortage {
        let now = clock.now
        let age = core.oldestLeaseAge(now: now)
        health.recordRelease(now: now)
        return Shortage(
            statistics: statistics,
            oldestLeaseAge: age == 0 ? nil : .nanoseconds(Int64(clamping: age)),
            lastOpenError: openErrors.sinceLastSuccess,
            lastProgress: health.lastSuccess
        )
    }
}
