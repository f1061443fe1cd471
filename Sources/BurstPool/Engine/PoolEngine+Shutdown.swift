extension _PoolEngine {
    public func shutdown(drainFor: Duration?) async {
        let deadline = PoolClock.deadline(after: drainFor, from: clock.now)
        beginShutdown()
        let signal = OneShot()
        drained.add(signal)
        if core.total == 0 { drained.fire() }
        let alarm =
            deadline == .max
            ? nil
            : Task.detached { [clock] in
                try? await clock.sleep(until: deadline)
                signal.fire(.timedOut)
            }
        _ = await signal.waitUnlessCancelled()
        alarm?.cancel()
    }

    /// Hands out no more connections, fails those who wait, and starts closing what is idle.
    public func beginShutdown() {
        core.shutdown()
        timer.disarm()
        connectAlarm.disarm()
        maintenance.stop()
        while let waiter = core.handOff() {
            fail(waiter, ConnectionPoolError.poolShutDown(statistics))
        }
        reconcile()
        openingEnded.fire()
    }

    /// Shuts the pool down, and aborts what is being opened and what is in use.
    public func abort() {
        beginShutdown()
        for slot in liveSlots() where slot.state != .idle {
            header(of: slot.lease).pointee.takeAbortHandle()?.abort()
        }
    }
}
