// SPDX-License-Identifier: Apache-2.0

/// Decides whether a history is one of a pool that executes each call at one moment between its begin and its end.
///
/// Calls that overlap, or touch, may have happened in either order. Therefore a rule is broken only if it is broken in
/// every possible order. The check of each rule says what that means for the rule.
enum HistoryChecker {
    /// A broken rule, and the evidence.
    struct Violation: Error, CustomStringConvertible {
        var rule: Rule
        var evidence: [String]

        init(_ rule: Rule, _ evidence: Any...) {
            self.rule = rule
            self.evidence = evidence.map { "\($0)" }
        }

        var description: String { "\(rule): \(evidence.joined(separator: "; "))" }
    }

    enum Rule: Sendable {
        // Slots and connections.
        case ownedTwice, stateSkipped, connectionShared, useLost, connectionNotClosedOnce, usedOutsideItsLife
        // Limits.
        case overLimit, closedWithoutExcess
        // Waiters.
        case endedTwice, neverJoined, permitTwice, endedTooEarly, servedOutOfOrder, permitOutOfOrder, overtaken
        case joinedAfterShutdown
        // At rest.
        case inexactStatistics, leftWaiting, leftIdle, openAfterShutdown, activityAfterShutdown
    }

    static func check(_ history: History) throws(Violation) {
        let events = history.events.sorted { $0.end < $1.end }
        try checkOwnership(events)
        try checkUses(history)
        try checkLimits(events, history)
        try checkWaiters(events)
        try checkRests(events, history)
    }
}

extension HistoryEvent.Kind {
    /// The change in the numbers of connections that are idle, in use, opening and closing.
    var change: (idle: Int, leased: Int, opening: Int, closing: Int) {
        switch self {
        case .take, .takeIdle: (-1, 1, 0, 0)
        case .release: (1, -1, 0, 0)
        case .beginOpen: (0, 0, 1, 0)
        case .finishOpen: (0, 1, -1, 0)
        case .cancelOpen: (0, 0, -1, 0)
        case .beginClose, .beginCloseExcess, .beginCloseAboveHardLimit: (0, -1, 0, 1)
        case .finishClose: (0, 0, 0, -1)
        case .join, .handOff, .claim, .expire, .findNoWaiter, .openForNoWaiter, .resize, .shutdown: (0, 0, 0, 0)
        }
    }

    /// The number of slots that this event occupies. A negative number frees slots.
    var slots: Int { change.idle + change.leased + change.opening + change.closing }

    var isAboutSlot: Bool { change != (0, 0, 0, 0) }
}

/// A number that changes over time.
struct Course {
    private var steps: [(time: UInt64, by: Int)] = []
    private var counts: [Int] = []

    mutating func add(_ by: Int, at time: UInt64) {
        if by != 0 { steps.append((time, by)) }
    }

    /// Must be called before the first query.
    mutating func finish() {
        steps.sort { ($0.time, $0.by) < ($1.time, $1.by) }
        var count = 0
        counts = steps.map { step in
            count += step.by
            return count
        }
    }

    /// Returns all values that the number has from one moment until just before another.
    func values(from begin: UInt64, until end: UInt64) -> [Int] {
        var index = steps.partitionPoint { $0.time <= begin }
        var values = [index > 0 ? counts[index - 1] : 0]
        while index < steps.count, steps[index].time < end {
            values.append(counts[index])
            index += 1
        }
        return values
    }
}

extension Array {
    /// Returns the number of elements at the front that fulfil a condition that no element after them fulfils.
    func partitionPoint(_ isInFront: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isInFront(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
