extension _PoolEngine {
    /// Pairs what is free with those who wait, and closes what is surplus: the loop that `bp_pool.h` describes.
    ///
    /// To be called after all that may have made a connection or a permit free, and after joining the queue. It never
    /// waits: when it finds nothing to do it returns, and whoever frees the next connection calls it again.
    ///
    /// - Parameter mayCloseInline: Whether the caller closes a surplus connection itself, and settles again afterwards.
    /// - Returns: Such a connection, which is then in closing.
    @discardableResult
    @inlinable
    func settle(mayCloseInline: Bool = false) -> Core.Lease? {
        let toClose = pairAndShrink(mayCloseInline: mayCloseInline)
        // Here, not just where a close has ended: looking for somebody to open for takes a place for a moment, and
        // whoever gives the last place back has to say so.
        if core.isShutDown, core.total == 0 { drained.fire() }
        return toClose
    }

    @inlinable
    func pairAndShrink(mayCloseInline: Bool) -> Core.Lease? {
        while true {
            if core.somebodyWaits {
                guard serveOldestWaiter() else { return nil }
            } else if core.hasSurplus {
                guard let lease = core.takeIdle() else { return nil }
                if !core.beginCloseSurplus(lease) {
                    core.putBack(lease)
                } else if mayCloseInline {
                    return lease
                } else {
                    finishClosingInBackground(lease)
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
                guard try isUsable(lease) else { return true }
            } catch {
                // The strategy speaks of cancellation, and whom it speaks to is the caller it was asked for.
                if let waiter = core.handOver() { fail(waiter, error) }
                return true
            }
            if let waiter = core.handOver() {
                serve(waiter, lease)
            } else {
                core.putBack(lease)
            }
            return true
        }
        return openForOldestWaiter()
    }

    /// - Returns: `false` if nobody wants a connection to be opened, or none may be.
    @inlinable
    func openForOldestWaiter() -> Bool {
        if let connectTurns, !connectTurns.take() { return false }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(for: ticket, permit)
            return true
        case .outOfMemory:
            connectTurns?.giveBack()
            guard let waiter = core.handOver() else { return true }
            fail(waiter, ConnectionPoolError.outOfMemory(statistics))
            return true
        case .nothing:
            guard let connectTurns else { return false }
            connectTurns.giveBack()
            // Somebody may have wanted the turn while it was in hand.
            return core.permitIsWanted
        }
    }

    /// After a body that returned: closes surplus connections, and throws what closing throws.
    @usableFromInline
    func closeAfterReturn(_ surplus: Core.Lease) async throws {
        var firstError: (any Error)?
        var next: Core.Lease? = surplus
        while let lease = next {
            if let error = await finishClosingUncancelled(lease) {
                if firstError == nil, closeErrors == .thrown {
                    firstError = error
                } else {
                    observer?.connectionPool(failedToClose: error)
                }
            }
            next = settle(mayCloseInline: true)
        }
        if let firstError { throw firstError }
    }

    /// After a body that threw, whose error wins.
    @usableFromInline
    func closeAfterFailure(_ surplus: Core.Lease) async {
        var next: Core.Lease? = surplus
        while let lease = next {
            if let error = await finishClosingUncancelled(lease) { observer?.connectionPool(failedToClose: error) }
            next = settle(mayCloseInline: true)
        }
    }
}
