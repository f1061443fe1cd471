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
        let before = books.pointee.waiting.wrappingAdd(1 + .highOne, ordering: .sequentiallyConsistent).oldValue
        if isFull(withoutPermit: Int(before.high)) {
            let withdrew = books.pointee.queue.withdraw(ticket)
            countGone(.waiting)
            return withdrew ? .tooManyWaiters : .cancelled
        }
        guard let isEarliest = books.pointee.queue.join(ticket, context: context, deadline: deadline) else {
            countGone(.waiting)
            return .cancelled
        }
        // After the append: either this sees the shutdown, or the shutdown's reconciling sees the waiter.
        if isShutDown, case .claimed = claimWait(ticket) { return .shutDown }
        return .joined(isEarliest: isEarliest)
    }

    /// Whether, with so many waiting without a permit, one more is too many.
    ///
    /// Those for whom there is a free place will have a permit as soon as anybody reconciles. After a shutdown nobody is
    /// turned away for this.
    private func isFull(withoutPermit: Int) -> Bool {
        guard withoutPermit >= books.pointee.maxWaiters else { return false }
        let limits = books.pointee.limits.load(ordering: .sequentiallyConsistent)
        let freePlaces = max(Int(limits.high) - total, 0)
        return !limits.isShutDown && withoutPermit - books.pointee.maxWaiters >= freePlaces
    }

    /// The waiter whose connection did not open waits for a permit again, in its old place in the queue.
    public func requeueWait(_ ticket: LockFreeSwiftTicket) -> Bool {
        // Before the waiter can be found waiting, as in joinWait: whoever then gives it a permit counts it down again.
        books.pointee.waiting.wrappingAdd(.highOne, ordering: .sequentiallyConsistent)
        // A shutdown need not be looked for: the waiter has been in the queue all the time.
        if books.pointee.queue.requeue(ticket) { return true }
        books.pointee.waiting.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
        return false
    }

    /// How many callers wait, in O(1).
    public var waiting: Int { Int(books.pointee.waiting.load(ordering: .sequentiallyConsistent).low) }

    /// How many of these have no permit.
    public var queued: Int { Int(books.pointee.waiting.load(ordering: .sequentiallyConsistent).high) }

    /// A number that no other wait ever has.
    public func number(of ticket: LockFreeSwiftTicket) -> UInt64 { ticket.bits }

    /// Makes this waiter go, wherever it stands in the queue. O(1), amortised: now and then one call tidies up.
    public func claimWait(_ ticket: LockFreeSwiftTicket) -> _PoolCoreClaim {
        guard let departure = books.pointee.queue.leave(ticket) else { return .tooLate }
        guard let context = departure.context else { return .claimedBeforeJoining }
        books.pointee.queue.tidy(alive: countGone(departure.before))
        return .claimed(context)
    }

    /// Makes the oldest waiter go.
    public func handOff() -> UnsafeRawPointer? {
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
