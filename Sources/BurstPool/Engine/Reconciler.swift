// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension _PoolEngine {
    /// Gives free connections and permits to the oldest waiters, then closes excess connections.
    ///
    /// A permit is the permission to open one more connection. `bp_pool.h` describes the loop. Every thread that may have freed
    /// a connection or a permit calls this function, and so does a caller that has joined the queue. The function never waits.
    /// When it finds nothing to do it returns, because the thread that frees the next connection or permit calls it again.
    ///
    /// - Parameters:
    ///   - mayCloseInline: Whether the caller closes an excess connection itself.
    ///   - ownTicket: The wait of the current task, if it has one. An attempt to open a connection for this wait inherits the
    ///     task-local values and the priority of the task.
    /// - Returns: An excess connection that the caller must close. Its lease is in the closing state.
    @discardableResult
    @inlinable @inline(never)
    func reconcile(mayCloseInline: Bool = false, for ownTicket: Core.Ticket? = nil) -> Core.Lease? {
        let excess = serveWaitersAndShrink(mayCloseInline: mayCloseInline, ownTicket)
        // Checked after each reconciling and not only after a close: a permit that a thread takes and returns also counts in
        // the total for a moment. If the total becomes 0 when the permit is returned, that thread must fire the broadcast.
        if core.isShutDown { noteFreedAfterShutdown() }
        if core.isPaused { leaseEnded.fire() }
        if let share { share.noteReconciled() }
        return excess
    }

    /// Completes a release. If callers wait, gives the connection to the oldest waiter. Otherwise the connection is idle
    /// already, and this function reconciles.
    ///
    /// - Parameters:
    ///   - mayCloseInline: Whether the caller closes an excess connection itself.
    ///   - hasFailed: Whether the use of the connection ended with an error.
    /// - Returns: What ``reconcile(mayCloseInline:for:)`` returns.
    @discardableResult
    @inlinable @inline(never)
    func finishRelease(
        _ lease: Core.Lease,
        _ outcome: _PoolCoreRelease,
        mayCloseInline: Bool = false,
        hasFailed: Bool = false
    ) -> Core.Lease? {
        if !hasFailed { health.noteRelease() }
        if outcome == .awaited {
            if passOn(lease) { return nil }
            guard core.release(lease) else { return nil }
        }
        return reconcile(mayCloseInline: mayCloseInline)
    }

    /// Gives a connection that is in use to the oldest waiter. The connection does not become idle, so no thread searches for
    /// it.
    ///
    /// - Returns: Whether the lease has ended. If not, the caller releases the connection.
    @inlinable
    func passOn(_ lease: Core.Lease) -> Bool {
        // In these cases the connection becomes idle, and reconciling decides: whether another pool of the group gets its
        // place, and what its flags require.
        guard share == nil, header(of: lease).pointee.flags(.concernHandOut).isEmpty else { return false }
        do {
            guard try isOpen(lease) else { return true }
        } catch {
            // The strategy threw a CancellationError. It is for the caller on whose behalf the strategy was asked.
            if let waiter = core.handOff() { fail(waiter, error) }
            return true
        }
        guard let next = core.releaseToWaiter(lease) else { return false }
        serve(next.waiter, next.lease)
        return true
    }

    /// The loop of ``reconcile(mayCloseInline:for:)``.
    @inlinable
    func serveWaitersAndShrink(mayCloseInline: Bool, _ ownTicket: Core.Ticket?) -> Core.Lease? {
        while true {
            if core.hasWaiters {
                guard serveOldestWaiter(ownTicket) else { return nil }
            } else if core.hasExcess {
                guard let lease = core.takeIdle() else { return nil }
                if !beginCloseExcess(lease) {
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

    /// Begins to close a connection if there are more than the pool keeps. Returns whether there were.
    @usableFromInline
    func beginCloseExcess(_ lease: Core.Lease) -> Bool {
        settings.configuration.burstLinger == nil ? core.beginCloseExcess(lease) : core.beginCloseAboveHardLimit(lease)
    }

    /// The reason that is reported when an excess connection is closed.
    @usableFromInline
    var excessReason: ConnectionCloseReason { core.isShutDown ? .shutdown : .excess }

    /// Gives the oldest waiter an idle connection, or opens one for it. Returns `false` if there is nothing to do now.
    @inlinable
    func serveOldestWaiter(_ ownTicket: Core.Ticket?) -> Bool {
        guard let lease = core.takeIdle() else { return openForOldestWaiter(ownTicket) }
        if let share, share.yieldsConnection() {
            closeInBackground(lease, .reclaimed)
            return true
        }
        do {
            let flags = header(of: lease).pointee.flags(.concernHandOut)
            if !flags.isEmpty {
                if isStale(lease), hasEnoughValidations {
                    // A running validation will serve the waiter, and reconciles when it ends. If the validation ended while
                    // this thread held the connection, that reconciling did not find the connection, so this thread checks
                    // again.
                    returnIdle(lease)
                    return !hasEnoughValidations
                }
                guard isUsable(lease, flags, ifStale: .validate) else { return true }
            }
            guard try isOpen(lease) else { return true }
        } catch {
            // The strategy threw a CancellationError. It is for the caller on whose behalf the strategy was asked.
            if let waiter = core.handOff() { fail(waiter, error) }
            return true
        }
        if core.beginCloseAboveHardLimit(lease) {
            closeClosing(lease, excessReason)
        } else if let waiter = core.handOff() {
            serve(waiter, lease)
        } else {
            returnIdle(lease)
        }
        return true
    }

    /// Makes a connection that was taken for a waiter idle again. A sweep may have missed the connection meanwhile, so a task
    /// that runs a body on every connection is told to check again.
    @usableFromInline
    func returnIdle(_ lease: Core.Lease) {
        core.returnIdle(lease)
        visits.lookAgain()
    }

    /// Opens a connection for the oldest waiter that needs one. Returns `false` if no waiter needs one, or if the pool may not
    /// open one now.
    @inlinable
    func openForOldestWaiter(_ ownTicket: Core.Ticket?) -> Bool {
        if hasEnoughValidations { return false }
        if share != nil { return openWithinBudget(ownTicket) }
        if let gate { return openThroughGate(gate, ownTicket) }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(permit, for: ticket, nil, in: nil, inheritingTask: isSame(ticket, ownTicket))
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

    /// Reports that the hard limit was reached, and opens connections if fewer than the minimum are idle.
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

    /// Whether the running validations are enough for all waiters for whom no connection is being opened.
    @inlinable
    var hasEnoughValidations: Bool {
        let validating = validations.forWaiters
        return validating > 0 && validating >= core.queued
    }

    /// Opens a connection for the oldest waiter after the gate has reserved an attempt.
    ///
    /// - Parameter place: The place in the group that the connection gets, if the pool belongs to a group. If it is `nil`, this
    ///   function asks for a place. Afterwards it is `nil`, unless there is a place that no connection has got.
    private func openForOldestWaiter(
        _ gate: ConnectGate,
        _ attempt: ConnectGate.Attempt,
        _ ownTicket: Core.Ticket?,
        _ place: inout Place?
    ) -> Bool {
        guard takePlace(&place) else {
            gate.cancel(attempt)
            return false
        }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(permit, for: ticket, attempt, in: place.take(), inheritingTask: isSame(ticket, ownTicket))
            return true
        case .outOfMemory:
            gate.cancel(attempt)
            failOldestWaiterWithoutMemory()
            return true
        case .nothing:
            gate.cancel(attempt)
            noteNoPermit()
            if attempt.isProbe, !core.isPaused, !canServeSomeone {
                // Attempts that ignore their time limit, and connections that are closing, hold all slots. A probe cannot begin.
                failAllWaiters(nextAttempt: .zero)
                return false
            }
            // While this attempt was reserved, the gate may have refused another thread that wanted to open for a waiter.
            return core.hasPermitForWaiter
        }
    }

    @usableFromInline
    func openThroughGate(_ gate: ConnectGate, _ ownTicket: Core.Ticket?) -> Bool {
        var noPlace: Place?
        return openThroughGate(gate, ownTicket, &noPlace)
    }

    /// Opens a connection for the oldest waiter, if the gate lets an attempt through now. Returns whether to try again.
    ///
    /// - Parameter place: The same as for ``openForOldestWaiter(_:_:_:_:)``.
    func openThroughGate(_ gate: ConnectGate, _ ownTicket: Core.Ticket?, _ place: inout Place?) -> Bool {
        switch gate.ask(mayBeServed: core.total > 0, queued: { core.queued }, now: { clock.now }) {
        case .open(let attempt):
            return openForOldestWaiter(gate, attempt, ownTicket, &place)
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
            if !canServeSomeone { failAllWaiters(nextAttempt: .nanoseconds(moment.subtractingSaturated(clock.now))) }
            return false
        }
    }

    /// Fails all waiters, because the circuit breaker lets nobody connect and no connection can serve them.
    private func failAllWaiters(nextAttempt: Duration) {
        let error = ConnectionPoolError.circuitOpen(
            statistics,
            nextAttempt: nextAttempt,
            lastOpenError: openErrors.sinceLastSuccess,
            poolName: settings.name
        )
        while let waiter = core.handOff() { fail(waiter, error) }
    }

    /// Fails the oldest waiter that needs a new connection, because an attempt to open one is pointless. Returns `false` if
    /// there is no such waiter.
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

    /// Resumes all tasks that wait for the shutdown, and stops the alarm clock, because no connection is left.
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
        minimumIdle.attemptEnded.fire()
    }

    /// Reports the beginning or the end of a burst, if the number of connections has crossed `maxSize`.
    func noteTotal() {
        events.noteTotal({ core.total }, { core.limits })
    }
}
