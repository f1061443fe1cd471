// SPDX-License-Identifier: Apache-2.0

extension _PoolEngine: AlarmClockOwner {
    /// Does everything that is due, and asks for the next wake-up.
    @usableFromInline
    func alarmClockRang() {
        let now = clock.now
        expireWaiters(now: now)
        operations.expire(now: now) { visit in
            core.forEachSlot { _, slot in visit(header(of: slot.lease).pointee.operation) }
        }
        if gate?.hasOpened(now: now) == true {
            reconcile()
            refill()
        }
        if maintenance.isDue(now: now) { maintain() }
        alarm.ring(at: nextMoment)
    }

    /// The earliest moment at which any part of the pool has something to do.
    var nextMoment: UInt64 {
        // After a shutdown only the time limits of calls that are under way remain.
        if core.isShutDown { return operations.nextMoment }
        let next = min(core.nextDeadline ?? .max, operations.nextMoment, maintenance.nextMoment)
        return gate.map { min(next, $0.nextMoment) } ?? next
    }

    /// Ends the waits whose deadline has passed.
    private func expireWaiters(now: UInt64) {
        guard let deadline = core.nextDeadline, deadline <= now else { return }
        var shortage: Shortage?
        _ = core.expire(now: now) { waiter in
            let error = shortage ?? self.shortage()
            shortage = error
            fail(waiter, error)
        }
    }

    // MARK: Timed operations

    /// Begins to watch a call of the strategy that works on a slot. If the limit passes before ``endOperation(_:in:)`` is
    /// called, `limitPassed` runs.
    func beginOperation(
        _ limit: Duration?,
        in lease: Core.Lease,
        limitPassed: @escaping @Sendable () -> Void
    ) -> TimedOperation {
        let deadline = limit == nil ? .max : PoolClock.deadline(after: limit, from: clock.now)
        let operation = TimedOperation(deadline: deadline, limitPassed: limitPassed)
        operations.begin(operation, in: header(of: lease).pointee.operation)
        alarm.ring(at: deadline)
        return operation
    }

    /// Ends a timed operation. Returns whether the operation has ended in time; if not, `limitPassed` has run or is running.
    func endOperation(_ operation: TimedOperation, in lease: Core.Lease) -> Bool {
        operations.end(operation, in: header(of: lease).pointee.operation)
    }
}
