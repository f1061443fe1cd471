// SPDX-License-Identifier: Apache-2.0

extension _PoolEngine {
    public func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        let held = connectionsHeldByTask()
        beginShutdown()
        await waitUntilClosed(exceptHeld: held, timeout: drainFor)
        return ConnectionPoolShutdownResult(remaining: statistics, heldByCaller: held)
    }

    /// Waits until all connections of a pool that was shut down are closed, except those that the present task holds.
    func waitUntilClosed(exceptHeld held: Int, timeout: Duration?) async {
        let deadline = PoolClock.deadline(after: timeout, from: clock.now)
        if held > 0 {
            events.report(.shutdownInsideBody(connections: held))
            await waitUntilOnlyHeld(held, until: deadline)
        } else {
            let drained = OneShot()
            allClosed.add(drained)
            if core.total == 0 { noteAllClosed() }
            _ = await clock.wait(for: drained, until: deadline)
        }
    }

    /// Waits until the only connections left are those that the present task holds, for whose end it would wait for ever.
    private func waitUntilOnlyHeld(_ held: Int, until deadline: UInt64) async {
        while core.total > held {
            let freed = OneShot()
            leaseEnded.add(freed)
            if core.total <= held { return }
            switch await clock.wait(for: freed, until: deadline) {
            case .done, .failed: continue
            case .timedOut, .cancelled: return
            }
        }
    }

    /// Hands out no more connections, fails the waiters, and starts to close the idle connections.
    public func beginShutdown() {
        core.shutdown()
        while let waiter = core.handOff() {
            fail(waiter, ConnectionPoolError.poolShutDown(statistics, poolName: settings.name))
        }
        reconcile()
        noteTotal()
        minimumIdle.attemptEnded.fire()
        // Only time limits of opens, closes and validations remain; the alarm path asks for their moment again.
        alarm.silence()
        alarm.ring(at: operations.nextMoment)
    }

    /// Begins the shutdown of a pool whose last reference was dropped.
    public func abandon() {
        // Before the shutdown, because it resets the limits.
        if !core.isShutDown { events.report(.dropped(statistics)) }
        beginShutdown()
    }

    /// Shuts the pool down, and aborts attempts to open a connection and connections in use.
    public func abort() {
        beginShutdown()
        for slot in liveSlots() where slot.state != .idle {
            header(of: slot.lease).pointee.abortHandle.take()?.abort()
        }
    }
}
