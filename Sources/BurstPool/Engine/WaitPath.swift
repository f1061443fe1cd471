import Synchronization

// The path of a caller that finds no idle connection. Inlinable where every waiting caller passes: generic code that is not
// specialized looks up its types at run time, which would cost more than everything else here.

/// A waiter in the core's queue is its continuation, which is one word.
@usableFromInline
typealias Waiting<Lease> = UnsafeContinuation<Lease, any Error>

extension _PoolEngine {
    /// Acquires a connection by way of the wait queue, unless one has become idle meanwhile.
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

    /// Waits in the queue while a connection is validated, which goes to the oldest waiter: usually this caller.
    @usableFromInline
    func waitForValidation(
        of stale: Core.Lease,
        timeout: Duration?,
        since began: UInt64,
        _ site: _LeaseSite
    ) async throws -> Core.Lease {
        let validation = validateForWaiter(stale, inheritingTask: true)
        // A caller that has left does not count on the validation, and neither does anyone else.
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
        observeLeases(now: clock.now)
        throw ConnectionPoolError.acquireTimedOut(timeout: .zero, shortage(), since: nil, poolName: settings.name)
    }

    /// Waits in the queue.
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
        health.settle(now: began)
        let place = waits.begin(core.number(of: ticket), at: began, site, notesName: settings.tracksTaskNames)
        defer { waits.end(place) }
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

    /// For a caller that came just after an eviction and was given a connection from before it. The caller joins the queue
    /// at its end; only callers that came later than itself are in front of it.
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
            observeLeases(now: now)
            reconcile(for: ticket)
        case .cancelled:
            continuation.resume(throwing: CancellationError())
        case .shutDown:
            continuation.resume(throwing: refusal(.shutDown))
        case .tooManyWaiters:
            continuation.resume(throwing: refusal(.tooManyWaiters))
        }
    }

    /// Records which leases exist, so that the age of the oldest one is known if this wait takes too long.
    @inlinable
    func observeLeases(now: UInt64) {
        // This looks at all slots, which takes some nanoseconds each. Once in 10 microseconds for each slot is less than a
        // thousandth of the time, and recent enough: a lease that is younger than the latest look has no age yet.
        let total = core.total
        if total > 0 { core.observeLeases(now: now, interval: UInt64(total) * 10_000) }
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

    /// Notes that a caller waits no longer.
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
            let timeout = patience.timeout ?? .zero
            error =
                patience.isShortened
                ? ConnectionPoolError.overloaded(after: timeout, shortage, since: began, poolName: settings.name)
                : ConnectionPoolError.acquireTimedOut(timeout: timeout, shortage, since: began, poolName: settings.name)
        }
        return acquireFailed(error, waited: began, ticket)
    }

    /// Reports a failed acquisition. Every one of them is reported exactly once.
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
        health.settle(now: now)
        return Shortage(
            statistics: statistics,
            oldestLeaseAge: age == 0 ? nil : .nanoseconds(Int64(clamping: age)),
            lastOpenError: openErrors.sinceLastSuccess,
            lastProgress: health.lastSuccess,
            causeWithoutWait: shortageCauseWithoutWait()
        )
    }
}
