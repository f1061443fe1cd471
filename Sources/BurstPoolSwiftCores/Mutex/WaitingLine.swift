/// Those who wait, in the order in which they came: a list in a dictionary, so that anybody can leave in O(1).
///
/// Permits go to the oldest who have none, so one ticket tells where those without a permit begin. Whoever gives his permit
/// back stands where he stood, perhaps before others with permits: these are passed over in looking for the next one.
struct WaitingLine {
    private struct Waiter {
        /// An address, which is only passed through.
        let context: UInt
        let deadline: UInt64
        /// Who came first has the smaller one.
        let place: UInt64
        var hasPermit = false
        var previous: UInt64?
        var next: UInt64?
    }

    private var waiters: [UInt64: Waiter] = [:]
    private var first: UInt64?
    private var last: UInt64?
    private var firstWithoutPermit: UInt64?
    private var lastPlace: UInt64 = 0
    private(set) var countWithoutPermit = 0

    /// No later than the earliest deadline; `UInt64.max` if there is none.
    private(set) var earliestDeadline = UInt64.max

    var count: Int { waiters.count }
    var isEmpty: Bool { waiters.isEmpty }

    /// Bytes, about.
    var memory: Int { waiters.capacity * (MemoryLayout<UInt64>.stride + MemoryLayout<Waiter>.stride) }

    /// - Returns: Whether this deadline is now the earliest.
    mutating func append(_ ticket: UInt64, context: UInt, deadline: UInt64) -> Bool {
        lastPlace += 1
        waiters[ticket] = Waiter(context: context, deadline: deadline, place: lastPlace, previous: last)
        countWithoutPermit += 1
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
        waiters[ticket]?.hasPermit = true
        countWithoutPermit -= 1
        firstWithoutPermit = firstWithoutPermit(from: waiters[ticket]?.next)
        return ticket
    }

    /// Takes a permit back from somebody who has one. `false` if nobody with this ticket waits and has one.
    mutating func takePermitBack(_ ticket: UInt64) -> Bool {
        guard let waiter = waiters[ticket], waiter.hasPermit else { return false }
        waiters[ticket]?.hasPermit = false
        countWithoutPermit += 1
        let next = firstWithoutPermit.flatMap { waiters[$0]?.place }
        if next.map({ waiter.place < $0 }) ?? true { firstWithoutPermit = ticket }
        return true
    }

    private func firstWithoutPermit(from ticket: UInt64?) -> UInt64? {
        var next = ticket
        while let ticket = next, let waiter = waiters[ticket], waiter.hasPermit { next = waiter.next }
        return next
    }

    /// - Returns: Its context; `nil` if nobody with this ticket waits.
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
