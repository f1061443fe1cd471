// SPDX-License-Identifier: Apache-2.0

/// The wait queue of ``MutexCore``: the waiters in the order in which they joined, as a linked list in a dictionary, so
/// that a waiter can leave from anywhere in O(1).
///
/// Permits go to the oldest waiters without one, so one ticket says where the waiters without a permit begin. A waiter
/// that is requeued keeps its position, perhaps before others with permits. The search for the next waiter without a
/// permit skips those.
struct MutexWaitQueue {
    private struct Waiter {
        /// An address that the queue does not use.
        let context: UInt
        let deadline: UInt64
        /// A smaller number for an earlier waiter.
        let position: UInt64
        var hasPermit = false
        var previous: UInt64?
        var next: UInt64?
    }

    private var waiters: [UInt64: Waiter] = [:]
    private var first: UInt64?
    private var last: UInt64?
    private var firstWithoutPermit: UInt64?
    private var lastPosition: UInt64 = 0
    private(set) var countWithoutPermit = 0

    /// A time no later than the earliest deadline, or `UInt64.max` if there is none.
    private(set) var earliestDeadline = UInt64.max

    var count: Int { waiters.count }
    var isEmpty: Bool { waiters.isEmpty }

    /// The approximate number of bytes.
    var memory: Int { waiters.capacity * (MemoryLayout<UInt64>.stride + MemoryLayout<Waiter>.stride) }

    /// - Returns: Whether this deadline is now the earliest.
    mutating func append(_ ticket: UInt64, context: UInt, deadline: UInt64) -> Bool {
        lastPosition += 1
        waiters[ticket] = Waiter(context: context, deadline: deadline, position: lastPosition, previous: last)
        countWithoutPermit += 1
        if let last { waiters[last]?.next = ticket } else { first = ticket }
        last = ticket
        if firstWithoutPermit == nil { firstWithoutPermit = ticket }
        guard deadline < earliestDeadline else { return false }
        earliestDeadline = deadline
        return true
    }

    /// Gives a permit to the oldest waiter that has none.
    mutating func giveOutPermit() -> UInt64? {
        guard let ticket = firstWithoutPermit else { return nil }
        waiters[ticket]?.hasPermit = true
        countWithoutPermit -= 1
        firstWithoutPermit = firstWithoutPermit(from: waiters[ticket]?.next)
        return ticket
    }

    /// Takes the permit of this waiter back. Returns `false` if it does not wait, or has no permit.
    mutating func requeue(_ ticket: UInt64) -> Bool {
        guard let waiter = waiters[ticket], waiter.hasPermit else { return false }
        waiters[ticket]?.hasPermit = false
        countWithoutPermit += 1
        let next = firstWithoutPermit.flatMap { waiters[$0]?.position }
        if next.map({ waiter.position < $0 }) ?? true { firstWithoutPermit = ticket }
        return true
    }

    private func firstWithoutPermit(from ticket: UInt64?) -> UInt64? {
        var next = ticket
        while let ticket = next, let waiter = waiters[ticket], waiter.hasPermit { next = waiter.next }
        return next
    }

    /// - Returns: The context of the waiter, or `nil` if it does not wait.
    mutating func remove(_ ticket: UInt64) -> UnsafeRawPointer? {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return nil }
        if let previous = waiter.previous { waiters[previous]?.next = waiter.next } else { first = waiter.next }
        if let next = waiter.next { waiters[next]?.previous = waiter.previous } else { last = waiter.previous }
        if !waiter.hasPermit { countWithoutPermit -= 1 }
        if firstWithoutPermit == ticket { firstWithoutPermit = firstWithoutPermit(from: waiter.next) }
        return UnsafeRawPointer(bitPattern: waiter.context)
    }

    mutating func removeFirst() -> UnsafeRawPointer? {
        first.flatMap { remove($0) }
    }

    /// Removes the waiters whose deadline is not after `now`. O(waiters).
    mutating func removeExpired(now: UInt64) -> [UnsafeRawPointer] {
        var expired: [UnsafeRawPointer] = []
        earliestDeadline = .max
        var next = first
        while let ticket = next, let waiter = waiters[ticket] {
            next = waiter.next
            if waiter.deadline <= now, let context = remove(ticket) {
                expired.append(context)
            } else {
                earliestDeadline = min(earliestDeadline, waiter.deadline)
            }
        }
        return expired
    }
}
