public import BurstPool
import Synchronization

extension LockFreeSwiftCore {
    /// Takes a place among those that may wait, so that the wait can be cancelled from now on.
    public func prepareWait() throws(_PoolCoreFailure) -> LockFreeSwiftTicket {
        guard !isShutDown else { throw .shutDown }
        return try books.pointee.queue.prepare()
    }

    /// Joins the queue at its end.
    public func joinWait(
        _ ticket: LockFreeSwiftTicket,
        context: UnsafeRawPointer,
        deadline: UInt64
    ) -> _PoolCoreJoining {
        // Before the waiter can be found: the count is never too low, and who releases after this will look.
        books.pointee.waiting.wrappingAdd(1 + .highOne, ordering: .sequentiallyConsistent)
        guard let isEarliest = books.pointee.queue.join(ticket, context: context, deadline: deadline) else {
            countGone(.waiting)
            return .cancelled
        }
        // After the append: either this sees the shutdown, or the shutdown's settling sees the waiter.
        if isShutDown, case .claimed = claimWait(ticket) { return .shutDown }
        return .joined(armTimer: isEarliest)
    }

    /// Makes this waiter go, wherever it stands in the queue. O(1), amortised: now and then one call tidies up.
    public func claimWait(_ ticket: LockFreeSwiftTicket) -> _PoolCoreClaim {
        guard let departure = books.pointee.queue.leave(ticket) else { return .tooLate }
        guard let context = departure.context else { return .claimedBeforeJoining }
        books.pointee.queue.tidy(alive: countGone(departure.before))
        return .claimed(context)
    }

    /// Makes the oldest waiter go.
    public func handOver() -> UnsafeRawPointer? {
        guard let departure = books.pointee.queue.serveOldest() else { return nil }
        countGone(departure.before)
        return departure.context
    }

    /// Makes waiters go whose deadline has passed: at most 256 in one call.
    public func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        withUnsafeTemporaryAllocation(of: WaiterQueue.Departure.self, capacity: 256) { departures in
            let (count, next) = books.pointee.queue.expire(now: now, into: departures)
            let gone = departures[..<count]
            let withoutPermit = gone.count { $0.before == .waiting }
            if count > 0 {
                let delta = UInt64(low: count, high: withoutPermit)
                let after = books.pointee.waiting.wrappingSubtract(delta, ordering: .sequentiallyConsistent).newValue
                books.pointee.queue.tidy(alive: Int(after.low))
            }
            for departure in gone {
                if let context = departure.context { resume(context) }
            }
            return next
        }
    }

    /// No later than the earliest deadline of those who wait.
    public var nextDeadline: UInt64? {
        let deadline = books.pointee.queue.deadlines.earliestOfAll
        return deadline == .max ? nil : deadline
    }

    /// A waiter with this status has gone. Returns how many are left.
    @discardableResult
    private func countGone(_ before: WaiterStatus) -> Int {
        let delta: UInt64 = before == .waiting ? 1 + .highOne : 1
        return Int(books.pointee.waiting.wrappingSubtract(delta, ordering: .sequentiallyConsistent).newValue.low)
    }
}
