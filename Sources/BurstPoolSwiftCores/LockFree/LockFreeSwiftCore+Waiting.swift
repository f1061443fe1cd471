// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

extension LockFreeSwiftCore {
    /// Gives out a ticket, so that the wait can be cancelled from now on.
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
        // Before the waiter can be found, so that the count is never too low, and a thread that releases after this
        // looks for it.
        let before = books.pointee.waiting.wrappingAdd(1 + .highOne, ordering: .sequentiallyConsistent).oldValue
        if isFull(withoutPermit: Int(before.high)) {
            let withdrew = books.pointee.queue.withdraw(ticket)
            countRemoved(.waiting)
            return withdrew ? .tooManyWaiters : .cancelled
        }
        guard let isEarliest = books.pointee.queue.join(ticket, context: context, deadline: deadline) else {
            countRemoved(.waiting)
            return .cancelled
        }
        // After the append: either this sees the shutdown, or the shutdown's reconciling sees the waiter.
        if isShutDown, case .claimed = claimWait(ticket) { return .shutDown }
        return .joined(isEarliest: isEarliest)
    }

    /// Returns whether another waiter is too many when this many wait without a permit.
    ///
    /// Waiters for whom a slot is free do not count, because they get a permit at the next reconciling. After a
    /// shutdown no caller is rejected for this reason.
    private func isFull(withoutPermit: Int) -> Bool {
        guard withoutPermit >= books.pointee.maxWaiters else { return false }
        let limits = books.pointee.limits.load(ordering: .sequentiallyConsistent)
        let freePlaces = max(Int(limits.hardLimit) - total, 0)
        return !limits.isShutDown && withoutPermit - books.pointee.maxWaiters >= freePlaces
    }

    /// Makes a waiter whose connection did not open wait for a permit again, at its position in the queue.
    public func requeueWait(_ ticket: LockFreeSwiftTicket) -> Bool {
        // Before the waiter can be found waiting, as in joinWait: the thread that gives it a permit next lowers the
        // count again.
        books.pointee.waiting.wrappingAdd(.highOne, ordering: .sequentiallyConsistent)
        // A shutdown need not be checked, because the waiter has been in the queue all the time.
        if books.pointee.queue.requeue(ticket) { return true }
        books.pointee.waiting.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
        return false
    }

    /// The number of waiters. O(1).
    public var waiting: Int { Int(books.pointee.waiting.load(ordering: .sequentiallyConsistent).low) }

    /// The number of waiters without a permit. O(1).
    public var queued: Int { Int(books.pointee.waiting.load(ordering: .sequentiallyConsistent).high) }

    /// A number that no other wait ever has.
    public func number(of ticket: LockFreeSwiftTicket) -> UInt64 { ticket.bits }

    /// Removes this waiter, wherever it is in the queue. O(1) amortised, because some calls purge the queue.
    public func claimWait(_ ticket: LockFreeSwiftTicket) -> _PoolCoreClaim {
        guard let departure = books.pointee.queue.leave(ticket) else { return .tooLate }
        guard let context = departure.context else { return .claimedBeforeJoining }
        books.pointee.queue.purge(alive: countRemoved(departure.before))
        return .claimed(context)
    }

    /// Removes the oldest waiter.
    public func handOff() -> UnsafeRawPointer? {
        guard let departure = books.pointee.queue.handOff() else { return nil }
        countRemoved(departure.before)
        return departure.context
    }

    /// Removes waiters whose deadline has passed, at most 256 in one call.
    public func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        withUnsafeTemporaryAllocation(of: WaiterQueue.Departure.self, capacity: 256) { departures in
            let (count, next) = books.pointee.queue.expire(now: now, into: departures)
            let removed = departures[..<count]
            let withoutPermit = removed.count { $0.before == .waiting }
            if count > 0 {
                let delta = UInt64(low: count, high: withoutPermit)
                let after = books.pointee.waiting.wrappingSubtract(delta, ordering: .sequentiallyConsistent).newValue
                books.pointee.queue.purge(alive: Int(after.low))
            }
            for departure in removed {
                if let context = departure.context { resume(context) }
            }
            return next
        }
    }

    /// A time no later than the earliest deadline of the waiters.
    public var nextDeadline: UInt64? {
        let deadline = books.pointee.queue.deadlines.earliestOfAll
        return deadline == .max ? nil : deadline
    }

    /// Counts a waiter with this status as removed. Returns the number of waiters that are left.
    @discardableResult
    private func countRemoved(_ before: WaiterStatus) -> Int {
        let delta: UInt64 = before == .waiting ? 1 + .highOne : 1
        return Int(books.pointee.waiting.wrappingSubtract(delta, ordering: .sequentiallyConsistent).newValue.low)
    }
}
