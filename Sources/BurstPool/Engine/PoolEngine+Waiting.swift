// Inlinable where a caller that waits comes by: generic code that is not specialised looks up its types at run time,
// which would cost more than all else in here.

/// A caller that waits is its continuation, which is one word, and so fits the core's context.
@usableFromInline
typealias Waiting<Lease> = UnsafeContinuation<Lease, any Error>

extension _PoolEngine {
    /// Acquires by way of the queue, unless there happens to be an idle connection.
    @inlinable
    func acquireSlowly(timeout: Duration?) async throws -> Core.Lease {
        while let idle = core.tryAcquire() {
            if try isUsable(idle) { return idle }
        }
        if let timeout, timeout <= .zero {
            if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics) }
            throw ConnectionPoolError.acquireTimedOut(timeout: timeout, shortage())
        }
        let ticket = try prepareWait()
        do {
            return try await withTaskCancellationHandler {
                try await withUnsafeThrowingContinuation { (continuation: Waiting<Core.Lease>) in
                    join(ticket, continuation, timeout: timeout)
                }
            } onCancel: {
                if case .claimed(let context) = core.claimWait(ticket) {
                    fail(context, CancellationError())
                }
            }
        } catch let shortage as Shortage {
            throw ConnectionPoolError.acquireTimedOut(timeout: timeout ?? .zero, shortage)
        }
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
    func join(_ ticket: Core.Ticket, _ continuation: Waiting<Core.Lease>, timeout: Duration?) {
        let now = clock.now
        let deadline = PoolClock.deadline(after: timeout, from: now)
        switch core.joinWait(
            ticket,
            context: unsafeBitCast(continuation, to: UnsafeRawPointer.self),
            deadline: deadline
        )
        {
        case .joined(let armTimer):
            if armTimer { timer.arm(self) }
            observeLeases(now: now)
            settle()
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
