// SPDX-License-Identifier: Apache-2.0

extension HistoryChecker {
    /// Checks that at rest the counts are the sums of the calls before, that no waiter waits beside a connection or
    /// permit that could serve it, and that no idle connection is excess. After shutdown nothing happens any more, and
    /// in the end nothing is left.
    ///
    /// An observation that overlaps with a call was not at rest. At least one observation must have been.
    static func checkRests(_ events: [HistoryEvent], _ history: History) throws(Violation) {
        let limits = LimitsInForce(events, history)
        let rests = history.rests.filter { rest in
            !events.contains { $0.begin <= rest.end && $0.end >= rest.begin }
        }
        for rest in rests {
            let before = events.filter { $0.end < rest.begin }
            try checkCounts(before, rest)
            try checkReconciled(before, rest, limits.between(rest.begin, rest.end))
        }
        guard !rests.isEmpty || history.rests.isEmpty else { throw Violation(.inexactStatistics, "never at rest") }
        try checkShutdown(events, history)
    }

    private static func checkCounts(_ before: [HistoryEvent], _ rest: Rest) throws(Violation) {
        var sums = (idle: 0, leased: 0, opening: 0, closing: 0)
        for event in before {
            let change = event.kind.change
            sums.idle += change.idle
            sums.leased += change.leased
            sums.opening += change.opening
            sums.closing += change.closing
        }
        guard sums == (rest.idle, rest.leased, rest.opening, rest.closing), waiting(before) == rest.waiting else {
            throw Violation(.inexactStatistics, rest, sums, "\(waiting(before)) waiting")
        }
    }

    private static func count(_ events: [HistoryEvent], _ kinds: HistoryEvent.Kind...) -> Int {
        events.count { kinds.contains($0.kind) }
    }

    private static func waiting(_ before: [HistoryEvent]) -> Int {
        count(before, .join) - count(before, .handOff, .claim, .expire)
    }

    private static func checkReconciled(
        _ before: [HistoryEvent],
        _ rest: Rest,
        _ limits: (maxSize: Int, hardLimit: ClosedRange<Int>)
    ) throws(Violation) {
        let total = rest.idle + rest.leased + rest.opening + rest.closing
        guard rest.maxSize >= limits.maxSize, limits.hardLimit.contains(rest.hardLimit) else {
            throw Violation(.inexactStatistics, rest, limits)
        }
        if rest.waiting > 0 {
            // Waiters have the permits that are in use, or lack one. If a permit is in use, they may be waiting for
            // its next use.
            let lacksPermit = rest.waiting > rest.opening
            guard rest.idle == 0, !rest.isShutDown, rest.opening > 0 || !lacksPermit || total >= rest.hardLimit else {
                throw Violation(.leftWaiting, rest)
            }
        }
        guard rest.idle == 0 || total - rest.closing <= rest.maxSize else { throw Violation(.leftIdle, rest) }
    }

    private static func checkShutdown(_ events: [HistoryEvent], _ history: History) throws(Violation) {
        guard let shutdown = events.first(where: { $0.kind == .shutdown }) else { return }
        for event in events where [.take, .beginOpen, .resize].contains(event.kind) && event.begin > shutdown.end {
            throw Violation(.activityAfterShutdown, shutdown, event)
        }
        let open = history.connections.filter { $0.closings.isEmpty }
        guard open.isEmpty else { throw Violation(.openAfterShutdown, open) }
    }
}
