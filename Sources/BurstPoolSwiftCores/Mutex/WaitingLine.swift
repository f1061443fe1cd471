/// Those who wait, in the order in which they came: a list in a dictionary, so that anybody can leave in O(1).
///
/// Whoever has been given a permit has nobody without one in front of him, for permits go to the oldest; so one ticket
/// tells where those without a permit begin.
struct WaitingLine {
    private struct Waiter {
        /// An address, which is only passed through.
        let context: UInt
        let deadline: UInt64
        var previous: UInt64?
        var next: UInt64?
    }

    private var waiters: [UInt64: Waiter] = [:]
    private var first: UInt64?
    private var last: UInt64?
    private var firstWithoutPermit: UInt64?

    /// No later than the earliest deadline; `UInt64.max` if there is none.
    private(set) var earliestDeadline = UInt64.max

    var count: Int { waiters.count }
    var isEmpty: Bool { waiters.isEmpty }
    var hasSomebodyWithoutPermit: Bool { firstWithoutPermit != nil }

    /// Bytes, about.
    var memory: Int { waiters.capacity * (MemoryLayout<UInt64>.stride + MemoryLayout<Waiter>.stride) }

    /// - Returns: Whether this deadline is now the earliest.
    mutating func append(_ ticket: UInt64, context: UInt, deadline: UInt64) -> Bool {
        waiters[ticket] = Waiter(context: context, deadline: deadline, previous: last)
        if let last { waiters[last]?.next = ticket } else { first = ticket }
        last = ticket
        if firstWithoutPermit == nil { firstWithoutPermit = ticket }
        guard deadline < earliestDeadline else { return false }
        earliestDeadline = deadline
        return true
    }

    /// Gives a permit to the oldest who has none.
    mutating func givePermit() -> UInt64? {
        guard let ticket = firstWithoutPermit else { return nil }
        firstWithoutPermit = waiters[ticket]?.next
        return ticket
    }

    /// - Returns: Its context; `nil` if nobody with this ticket waits.
    mutating func remove(_ ticket: UInt64) -> UnsafeRawPointer? {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return nil }
        if let previous = waiter.previous { waiters[previous]?.next = waiter.next } else { first = waiter.next }
        if let next = waiter.next { waiters[next]?.previous = waiter.previous } else { last = waiter.previous }
        if firstWithoutPermit == ticket { firstWithoutPermit = waiter.next }
        return UnsafeRawPointer(bitPattern: waiter.context)
    }

    mutating func removeFirst() -> UnsafeRawPointer? {
        first.flatMap { remove($0) }
    }

    /// Removes those whose deadline is not after now. O(waiters).
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
