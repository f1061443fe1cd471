import Synchronization

extension _PoolEngine {
    /// Pairs what is free with those who wait, and closes what is excess: the loop that `bp_pool.h` describes.
    ///
    /// To be called after all that may have made a connection or a permit free, and after joining the queue. It never
    /// waits: when it finds nothing to do it returns, and whoever frees the next connection calls it again.
    ///
    /// - Parameter mayCloseInline: Whether the caller closes a excess connection itself, and reconciles again afterwards.
    /// - Returns: Such a connection, which is then in closing.
    @discardableResult
    @inlinable @inline(never)
    func reconcile(mayCloseInline: Bool = false) -> Core.Lease? {
        let toClose = pairAndShrink(mayCloseInline: mayCloseInline)
        // Here, not just where a close has ended: looking for somebody to open for takes a place for a moment, and
        // whoever gives the last place back has to say so.
        if core.isShutDown, core.total == 0 { drained.fire() }
        return toClose
    }

    @inlinable
    func pairAndShrink(mayCloseInline: Bool) -> Core.Lease? {
        while true {
            if core.hasWaiters {
                guard serveOldestWaiter() else { return nil }
            } else if core.hasExcess {
                guard let lease = core.takeIdle() else { return nil }
                if !core.beginCloseExcess(lease) {
                    core.returnIdle(lease)
                } else if mayCloseInline {
                    return lease
                } else {
                    finishClosingInBackground(lease, excessReason)
                }
            } else {
                return nil
            }
        }
    }

    /// - Returns: `false` if there is nothing to serve it with.
    @inlinable
    func serveOldestWaiter() -> Bool {
        if let lease = core.takeIdle() {
            do {
                let flags = header(of: lease).pointee.flags(.concernTaking)
                guard flags.isEmpty || isFit(lease, flags, ifStale: .validate), try isOpen(lease) else { return true }
            } catch {
                // The strategy speaks of cancellation, and whom it speaks to is the caller it was asked for.
                if let waiter = core.handOff() { fail(waiter, error) }
                return true
            }
            if let waiter = core.handOff() {
                serve(waiter, lease)
            } else {
                core.returnIdle(lease)
            }
            return true
        }
        return openForOldestWaiter()
    }

    /// - Returns: `false` if nobody wants a connection to be opened, or none may be.
    @inlinable
    func openForOldestWaiter() -> Bool {
        if let connectGate, !passes(connectGate, mayReturn: core.total > 0) { return false }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            startOpening(permit, for: ticket)
            return true
        case .outOfMemory:
            connectGate?.giveBackUnused()
            guard let waiter = core.handOff() else { return true }
            fail(waiter, ConnectionPoolError.outOfMemory(statistics))
            return true
        case .nothing:
            if isObserved { noteLimit() }
            connectGate?.giveBackUnused()
            // Somebody may have wanted the turn while it was in hand, and so may the pool for its stock.
            if connectGate != nil, core.hasPermitForWaiter { return true }
            if keepsMinimumIdle.load(ordering: .relaxed) { topUp() }
            return false
        }
    }

    /// Whether the gate is open. If not, somebody sees to it that those who wait are looked at again.
    ///
    /// - Parameter mayReturn: Whether it is for somebody who can wait for a connection to come back.
    @usableFromInline
    func passes(_ gate: ConnectGate, mayReturn: Bool) -> Bool {
        switch gate.take(mayReturn: mayReturn, queued: { core.queued }, now: { clock.now }) {
        case .open: return true
        case .noTurn: return false
        case .closed(let moment):
            connectAlarm.arm(at: moment, self)
        case .circuitOpen(let moment):
            connectAlarm.arm(at: moment, self)
            if core.total == 0 {
                failAllWaiters(ConnectionPoolError.circuitOpen(statistics, lastOpenError: latestOpenError.load()))
            }
        }
        return false
    }

    /// Nothing can come back that would serve them.
    func failAllWaiters(_ error: any Error) {
        while let waiter = core.handOff() { fail(waiter, error) }
    }

    /// A place has become free.
    func placeIsFree() {
        noteTotal()
        reconcile()
        topUp()
    }
}
