import Synchronization

extension _PoolEngine {
    /// Gives free connections and permits to the oldest waiters, then closes excess connections: the loop that `bp_pool.h`
    /// describes.
    ///
    /// Called after everything that may have freed a connection or a permit, and after a caller has joined the queue. It
    /// never waits. When it finds nothing to do it returns, and the thread that frees the next connection calls it again.
    ///
    /// - Parameters:
    ///   - mayCloseInline: Whether the caller closes an excess connection itself.
    ///   - ownTicket: The wait of the current task, if it has one: a connection that is opened for it inherits its
    ///     task-local values and priority.
    /// - Returns: An excess connection that the caller must close. Its lease is in the closing state.
    @discardableResult
    @inlinable @inline(never)
    func reconcile(mayCloseInline: Bool = false, for ownTicket: Core.Ticket? = nil) -> Core.Lease? {
        let excess = serveWaitersAndShrink(mayCloseInline: mayCloseInline, ownTicket)
        // Here, and not only where a close has ended: a permit that is taken and returned also counts for a moment, and
        // the thread that returns the last one must say so.
        if core.isShutDown { noteFreedAfterShutdown() }
        if core.isPaused { leaseEnded.fire() }
        return excess
    }

    /// Reconciles after a connection has come back from a body that returned, and notes that it has.
    @discardableResult
    @inlinable @inline(never)
    func reconcileAfterReturn(mayCloseInline: Bool = false) -> Core.Lease? {
        health.noteReturn()
        return reconcile(mayCloseInline: mayCloseInline)
    }

    @inlinable
    func serveWaitersAndShrink(mayCloseInline: Bool, _ ownTicket: Core.Ticket?) -> Core.Lease? {
        while true {
            if core.hasWaiters {
                guard serveOldestWaiter(ownTicket) else { return nil }
            } else if core.hasExcess {
                guard let lease = core.takeIdle() else { return nil }
                if !core.beginCloseExcess(lease) {
                    returnIdle(lease)
                } else if mayCloseInline {
                    return lease
                } else {
                    closeClosing(lease, excessReason)
                }
            } else {
                return nil
            }
        }
    }

    /// Why a connection is excess.
    @usableFromInline
    var excessReason: ConnectionCloseReason { core.isShutDown ? .shutdown : .excess }

    /// Returns `false` if there is nothing to serve the waiter with.
    @inlinable
    func serveOldestWaiter(_ ownTicket: Core.Ticket?) -> Bool {
        guard let lease = core.takeIdle() else { return openForOldestWaiter(ownTicket) }
        do {
            let flags = header(of: lease).pointee.flags(.concernHandOut)
            if !flags.isEmpty {
                if isStale(lease), hasEnoughValidations {
                    // A validation that is under way will serve the waiter, and reconciles when it ends. One that has ended
                    // while this thread held the connection could not find it, so look again.
                    returnIdle(lease)
                    return !hasEnoughValidations
                }
                guard isUsable(lease, flags, ifStale: .validate) else { return true }
            }
            guard try isOpen(lease) else { return true }
        } catch {
            // The strategy threw a CancellationError, which is for the caller on whose behalf it was asked.
            if let waiter = core.handOff() { fail(waiter, error) }
            return true
        }
        if let waiter = core.handOff() {
            serve(waiter, lease)
        } else {
            returnIdle(lease)
        }
        return true
    }

    /// Returns a connection that was taken for a waiter. A sweep may have missed it meanwhile.
    @usableFromInline
    func returnIdle(_ lease: Core.Lease) {
        core.returnIdle(lease)
        visits.lookAgain()
    }

    /// Returns `false` if no waiter needs a connection to be opened, or none may be opened now.
    @inlinable
    func openForOldestWaiter(_ ownTicket: Core.Ticket?) -> Bool {
        if hasEnoughValidations { return false }
        if let gate { return openThroughGate(gate, ownTicket) }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(permit, for: ticket, nil, inheritingTask: isSame(ticket, ownTicket))
            return true
        case .outOfMemory:
            failOldestWaiterWithoutMemory()
            return true
        case .nothing:
            if events.isObserved || minimumIdle.mayHaveWork { noteNoPermit() }
            return false
        }
    }

    @inlinable
    func isSame(_ ticket: Core.Ticket, _ ownTicket: Core.Ticket?) -> Bool {
        guard let ownTicket else { return false }
        return core.number(of: ownTicket) == core.number(of: ticket)
    }

    /// Reports the limit, and looks whether connections are missing for the minimum of idle ones.
    @usableFromInline
    func noteNoPermit() {
        if events.isObserved {
            events.noteLimit(total: core.total, queued: core.queued, hardLimit: core.limits.hardLimit)
        }
        if minimumIdle.mayHaveWork { refill() }
    }

    @usableFromInline
    func failOldestWaiterWithoutMemory() {
        guard let waiter = core.handOff() else { return }
        fail(waiter, ConnectionPoolError.outOfMemory(statistics, poolName: settings.name))
    }

    /// Whether every waiter for whom no connection is being opened is about to be served with one that is being validated.
    @inlinable
    var hasEnoughValidations: Bool {
        let validating = validations.forWaiters
        return validating > 0 && validating >= core.queued
    }

    private func openForOldestWaiter(_ gate: ConnectGate, _ attempt: ConnectGate.Attempt, _ ownTicket: Core.Ticket?)
        -> Bool
    {
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(permit, for: ticket, attempt, inheritingTask: isSame(ticket, ownTicket))
            return true
        case .outOfMemory:
            gate.cancel(attempt)
            failOldestWaiterWithoutMemory()
            return true
        case .nothing:
            gate.cancel(attempt)
            noteNoPermit()
            // Another waiter may have been refused because of this attempt.
            return core.hasPermitForWaiter
        }
    }

    @usableFromInline
    func openThroughGate(_ gate: ConnectGate, _ ownTicket: Core.Ticket?) -> Bool {
        switch gate.ask(mayBeServed: core.total > 0, queued: { core.queued }, now: { clock.now }) {
        case .open(let attempt):
            return openForOldestWaiter(gate, attempt, ownTicket)
        case .full:
            return false
        case .closed(let moment):
            alarm.ring(at: moment)
            return false
        case .refused(let error, let moment):
            alarm.ring(at: moment)
            return failOldestWaiterThatNeedsPermit(error)
        case .circuitOpen(let moment):
            alarm.ring(at: moment)
            if !canServeSomeone {
                let error = ConnectionPoolError.circuitOpen(
                    statistics,
                    nextAttempt: .nanoseconds(moment.subtractingSaturated(clock.now)),
                    lastOpenError: openErrors.sinceLastSuccess,
                    poolName: settings.name
                )
                while let waiter = core.handOff() { fail(waiter, error) }
            }
            return false
        }
    }

    /// Tells the oldest waiter for whom a connection would be opened now that this is pointless. Returns `false` if there is
    /// none.
    private func failOldestWaiterThatNeedsPermit(_ error: any Error) -> Bool {
        guard case .opening(let ticket, let permit) = core.beginOpen() else { return false }
        core.cancelOpen(permit)
        if case .claimed(let waiter) = core.claimWait(ticket) { fail(waiter, error) }
        return true
    }

    /// Notes that a connection may have been closed in a pool that was shut down.
    @usableFromInline
    func noteFreedAfterShutdown() {
        leaseEnded.fire()
        if core.total == 0 { noteAllClosed() }
    }

    /// Ends the waits for a shutdown, and the alarm clock, because nothing is left to do.
    @usableFromInline
    func noteAllClosed() {
        alarm.silence()
        allClosed.fire()
    }

    /// Reports the new total, serves waiters, and opens connections for the minimum of idle connections. Called whenever a
    /// slot has become free.
    func slotIsFree() {
        noteTotal()
        reconcile()
        refill()
        visits.lookAgain()
    }

    func noteTotal() {
        events.noteTotal({ core.total }, { core.limits })
    }
}
