// SPDX-License-Identifier: Apache-2.0

extension HistoryChecker {
    private struct Wait {
        var join: HistoryEvent
        var permit: HistoryEvent?
        var departure: HistoryEvent?

        /// The time until which the caller certainly waits and lacks a permit. Both begin with the end of its join.
        var waitsUntil: UInt64 { departure?.begin ?? .max }
        var lacksUntil: UInt64 { min(permit?.begin ?? .max, waitsUntil) }
    }

    /// Checks that waiters are served first come, first served, and that no caller overtakes a waiter.
    ///
    /// If A's join had ended before B's began, B must not be served while A waits: no hand-off to B may end before the
    /// beginning of the call that made A leave. The same holds for permits, among the waiters that lack one. It does
    /// not hold for the connection that was opened for B, which B may get first (Decisions/0004).
    ///
    /// A call that acquires an idle connection without waiting, or reports an empty queue, is wrong if at every moment
    /// of the call some waiter was certainly waiting, even if several waiters cover that time together.
    static func checkWaiters(_ events: [HistoryEvent]) throws(Violation) {
        let waits = try gatherWaits(events).sorted { $0.join.end < $1.join.end }
        try checkOrder(waits)
        try checkNewcomers(events, waits)
        if let shutdown = events.first(where: { $0.kind == .shutdown }) {
            for wait in waits where wait.join.begin > shutdown.end {
                // A ticket from before the shutdown is only good for a rejection.
                guard wait.join.other <= shutdown.end, wait.waitsUntil <= wait.join.end else {
                    throw Violation(.joinedAfterShutdown, shutdown, wait)
                }
            }
        }
    }

    private static func gatherWaits(_ events: [HistoryEvent]) throws(Violation) -> [Wait] {
        var waits: [UInt64: Wait] = [:]
        for event in events where event.kind == .join {
            if let other = waits.updateValue(Wait(join: event), forKey: event.ticket) {
                throw Violation(.endedTwice, other.join, event)
            }
        }
        for event in events where [.beginOpen, .handOff, .claim, .expire].contains(event.kind) {
            guard let wait = waits[event.ticket], wait.join.begin <= event.end else {
                throw Violation(.neverJoined, event)
            }
            if event.kind == .beginOpen {
                if let other = wait.permit { throw Violation(.permitTwice, other, event) }
                waits[event.ticket]?.permit = event
            } else {
                if let other = wait.departure { throw Violation(.endedTwice, other, event) }
                if event.kind == .expire, wait.join.value > event.value { throw Violation(.endedTooEarly, wait, event) }
                waits[event.ticket]?.departure = event
            }
        }
        return Array(waits.values)
    }

    /// - Parameter waits: Sorted by the ends of their joins.
    private static func checkOrder(_ waits: [Wait]) throws(Violation) {
        // For each prefix of the waits: the time until which its last waiter waits and lacks a permit.
        var waiting: [UInt64] = [0]
        var lacking: [UInt64] = [0]
        for wait in waits {
            waiting.append(max(waiting.last ?? 0, wait.waitsUntil))
            lacking.append(max(lacking.last ?? 0, wait.lacksUntil))
        }
        for wait in waits {
            let older = waits.partitionPoint { $0.join.end < wait.join.begin }
            if let served = wait.departure, served.kind == .handOff, waiting[older] > served.end {
                throw Violation(.servedOutOfOrder, wait)
            }
            if let permit = wait.permit, lacking[older] > permit.end { throw Violation(.permitOutOfOrder, wait) }
        }
    }

    private static func checkNewcomers(_ events: [HistoryEvent], _ waits: [Wait]) throws(Violation) {
        // Time spans in which some caller waits. Overlapping spans are merged.
        var spans: [(from: UInt64, until: UInt64)] = []
        for wait in waits where wait.join.end < wait.waitsUntil {
            if let last = spans.last, wait.join.end < last.until {
                spans[spans.count - 1].until = max(last.until, wait.waitsUntil)
            } else {
                spans.append((wait.join.end, wait.waitsUntil))
            }
        }
        for event in events where event.kind == .take || event.kind == .findNoWaiter {
            let index = spans.partitionPoint { $0.from < event.begin }
            if index > 0, event.end < spans[index - 1].until { throw Violation(.overtaken, event, spans[index - 1]) }
        }
    }
}
