// SPDX-License-Identifier: Apache-2.0

/// The limits that were in force at each time.
struct LimitsInForce {
    private let first: (maxSize: Int, hardLimit: Int)
    /// All resizes, including shutdowns, which set both limits to 0.
    private let resizes: [HistoryEvent]

    init(_ events: [HistoryEvent], _ history: History) {
        first = (history.maxSize, history.hardLimit)
        resizes = events.filter { $0.kind == .resize || $0.kind == .shutdown }
    }

    /// Returns the lowest soft limit and the lowest and highest hard limit that may have been in force between two moments.
    /// These are the limits of all resizes that had begun by then, except those that a later resize had certainly replaced
    /// before.
    func between(_ begin: UInt64, _ end: UInt64) -> (maxSize: Int, hardLimit: ClosedRange<Int>) {
        let over = resizes.filter { $0.end < begin }
        let since = over.map(\.begin).max()
        let possible = resizes.filter { $0.begin <= end && $0.end >= since ?? 0 }
        let soft = possible.map { Int($0.value) } + (since == nil ? [first.maxSize] : [])
        let hard = possible.map { Int($0.other) } + (since == nil ? [first.hardLimit] : [])
        return (soft.min() ?? 0, (hard.min() ?? 0)...(hard.max() ?? 0))
    }
}

extension HistoryChecker {
    /// Checks that there are never more connections than the hard limit, and that no connection is closed as excess, or as one
    /// above the hard limit, unless it is.
    ///
    /// A slot is certainly occupied from the end of the call that occupied it until the beginning of the call that
    /// frees it. A permit is right if, at some moment of its call, these slots and the new one were within the highest
    /// hard limit that may have been in force. For excess connections it is the other way round: all slots that may
    /// have been occupied, including the slots that a search for a waiter holds meanwhile, against the lowest limit.
    static func checkLimits(_ events: [HistoryEvent], _ history: History) throws(Violation) {
        let limits = LimitsInForce(events, history)
        var certain = Course()
        var possible = Course()
        for event in events {
            let slots = event.kind.slots
            certain.add(slots, at: slots > 0 ? event.end + 1 : event.begin)
            let notClosing = slots - event.kind.change.closing
            possible.add(notClosing, at: notClosing > 0 ? event.begin : event.end + 1)
            if event.kind == .openForNoWaiter {
                possible.add(1, at: event.begin)
                possible.add(-1, at: event.end + 1)
            }
        }
        certain.finish()
        possible.finish()
        for event in events {
            let values: (Course) -> [Int] = { $0.values(from: event.begin, until: event.end) }
            switch event.kind {
            case .beginOpen:
                let limit = limits.between(event.begin, event.end).hardLimit.upperBound
                guard values(certain).contains(where: { $0 + 1 <= limit }) else { throw Violation(.overLimit, event) }
            case .beginCloseExcess, .beginCloseAboveHardLimit:
                let inForce = limits.between(event.begin, event.end)
                let limit = event.kind == .beginCloseExcess ? inForce.maxSize : inForce.hardLimit.lowerBound
                guard values(possible).contains(where: { $0 > limit }) else {
                    throw Violation(.closedWithoutExcess, event)
                }
            default: break
            }
        }
    }
}
