extension _PoolEngine {
    public func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        let deadline = PoolClock.deadline(after: drainFor, from: clock.now)
        beginShutdown()
        let drained = OneShot()
        allClosed.add(drained)
        if core.total == 0 { noteAllClosed() }
        _ = await wait(for: drained, until: deadline)
        return ConnectionPoolShutdownResult(remaining: statistics)
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
