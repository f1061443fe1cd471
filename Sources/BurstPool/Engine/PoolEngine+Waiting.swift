import Synchronization

// Inlinable where a caller that waits comes by: generic code that is not specialised looks up its types at run time,
// which would cost more than all else in here.

/// A caller that waits is its continuation, which is one word, and so fits the core's context.
@usableFromInline
typealias Waiting<Lease> = UnsafeContinuation<Lease, any Error>

extension _PoolEngine {
    /// Acquires by way of the queue, unless there happens to be an idle connection.
    @inlinable
    func acquireSlowly(timeout: Duration?, _ site: _LeaseSite) async throws -> Core.Lease {
        let now = clock.now
        let mayWait = timeout.map { $0 > .zero } ?? true
        while let idle = core.tryAcquire() {
            if mayWait, isStale(idle), try await !validate(idle, timeout: timeout, since: now) { continue }
            // Also after validating, which takes its time.
            if try take(idle, site, ifStale: .use) { return idle }
        }
        guard mayWait else {
            if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics) }
            throw ConnectionPoolError.acquireTimedOut(timeout: timeout ?? .zero, shortage())
        }
        if detectsNestedAcquires, site.isScoped, taskHoldsAll() { throw ConnectionPoolError.nestedAcquire(statistics) }
        return try await wait(timeout: timeout, since: now, site)
    }

    /// Waits in the queue.
    @inlinable @inline(__always)
    func wait(timeout: Duration?, since began: UInt64, _ site: _LeaseSite) async throws -> Core.Lease {
        let patience = loadShedding?.timeout(timeout, queued: core.queued, now: began) ?? Patience(timeout)
        let ticket = try prepareWait()
        let evictionsBefore = evictions.load(ordering: .relaxed)
        if isObserved { noteWaitBegan(ticket) }
        do {
            var lease = try await lineUp(ticket, patience, since: began)
            if isObserved || isSpecial(lease) {
                while isEvicted(lease, since: evictionsBefore) {
                    closeInBackground(lease, .evicted)
                    lease = try await lineUpAgain(patience, since: began)
                }
                noteServed(lease, site, ticket, since: began)
            }
            return lease
        } catch {
            throw waitFailed(error, patience, ticket, since: began)
        }
    }

    @inlinable @inline(__always)
    func lineUp(_ ticket: Core.Ticket, _ patience: Patience, since began: UInt64) async throws -> Core.Lease {
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
            if case .claimed(let context) = core.claimWait(ticket) {
                fail(context, CancellationError())
            }
        }
    }

    /// For a caller that came just after an eviction and was served with a connection that somebody had found fit to be
    /// handed out just before it. It loses its place only to those who have come since.
    @usableFromInline
    func lineUpAgain(_ patience: Patience, since began: UInt64) async throws -> Core.Lease {
        try await lineUp(prepareWait(), patience, since: began)
    }

    @inlinable
    func prepareWait() throws -> Core.Ticket {
        do {
            return try core.prepareWait()
        } catch .shutDown {
            throw ConnectionPoolError.poolShutDown(statistics)
        } catch .tooManyWaiters {
            throw ConnectionPoolError.tooManyWaiters(statistics)
        } catch .outOfMemory {
            throw ConnectionPoolError.outOfMemory(statistics)
        }
    }

    @inlinable
    func join(_ ticket: Core.Ticket, _ continuation: Waiting<Core.Lease>, deadline: UInt64, now: UInt64) {
        connectGate?.noteJoin()
        switch core.joinWait(
            ticket,
            context: unsafeBitCast(continuation, to: UnsafeRawPointer.self),
            deadline: deadline
        )
        {
        case .joined(let armTimer):
            if armTimer { timer.arm(self) }
            observeLeases(now: now)
            reconcile()
        case .cancelled:
            continuation.resume(throwing: CancellationError())
        case .shutDown:
            continuation.resume(throwing: ConnectionPoolError.poolShutDown(statistics))
        case .tooManyWaiters:
            continuation.resume(throwing: ConnectionPoolError.tooManyWaiters(statistics))
        }
    }

    /// So that the age of the oldest lease is known when this wait has taken too long.
    @inlinable
    func observeLeases(now: UInt64) {
        // A look at all slots, some nanoseconds each. At most once in 10 microseconds for each is below a thousandth of
        // the time; and a lease that is younger than the latest look has no age yet, so that must not be long ago.
        let total = core.total
        if total > 0 { core.observeLeases(now: now, interval: UInt64(total) * 10_000) }
    }

    @inlinable
    func serve(_ context: UnsafeRawPointer, _ lease: Core.Lease) {
        unsafeBitCast(context, to: Waiting<Core.Lease>.self).resume(returning: lease)
    }

    @inlinable
    func fail(_ context: UnsafeRawPointer, _ error: any Error) {
        unsafeBitCast(context, to: Waiting<Core.Lease>.self).resume(throwing: error)
    }

    /// Whether it must be validated, and may be handed out if it is valid.
    @inlinable
    func isStale(_ lease: Core.Lease) -> Bool {
        header(of: lease).pointee.flags(.concernTaking) == .isStale
    }

    @inlinable
    func isSpecial(_ lease: Core.Lease) -> Bool {
        !header(of: lease).pointee.flags(.all).isEmpty
    }

    // MARK: Away from the way of a caller that is served

    @usableFromInline
    func noteWaitBegan(_ ticket: Core.Ticket) {
        observer?.connectionPool(.waitBegan(ConnectionWait(number: core.number(of: ticket))))
    }

    /// What to tell a caller that waited in vain.
    @usableFromInline
    func waitFailed(_ error: any Error, _ patience: Patience, _ ticket: Core.Ticket, since began: UInt64) -> any Error {
        connectGate?.noteLeave()
        var error = error
        if let shortage = error as? Shortage {
            let timeout = patience.timeout ?? .zero
            error =
                patience.isShortened
                ? ConnectionPoolError.overloaded(after: timeout, shortage)
                : ConnectionPoolError.acquireTimedOut(timeout: timeout, shortage)
        }
        if let observer {
            if let shed = error as? ConnectionPoolError, shed.code == .tooManyWaiters || shed.code == .overloaded {
                observer.connectionPool(.shed(shed))
            }
            let wait = ConnectionWait(number: core.number(of: ticket))
            observer.connectionPool(.acquireFailed(error, waited: clock.elapsed(since: began), wait: wait))
        }
        return error
    }

    /// Ends the waits whose time is up.
    ///
    /// - Returns: Whether it is for the caller to see to the next deadline.
    func expireWaiters() -> Bool {
        var shortage: Shortage?
        let next = core.expire(now: clock.now) { context in
            let error = shortage ?? self.shortage()
            shortage = error
            fail(context, error)
        }
        return next != nil
    }

    @usableFromInline
    func shortage() -> Shortage {
        let age = core.oldestLeaseAge(now: clock.now)
        return Shortage(
            statistics: statistics,
            oldestLeaseAge: age == 0 ? nil : .nanoseconds(Int64(clamping: age)),
            lastOpenError: latestOpenError.load()
        )
    }
}
