// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets a caller wait for a while for a connection to be released, before one is opened for it.
///
/// Callers are numbered as they join the wait queue. Delays follow each other while callers wait, and at the end of each
/// one, connections may be opened for all callers that had joined before it began. So each caller waits for at least one
/// delay and for at most two.
struct ConnectDelay: ~Copyable, Sendable {
    /// Nanoseconds; 0 if there is no delay.
    private let length: UInt64
    /// The number of callers that have joined, without those that left early.
    private let joined = Atomic(0)
    /// When the present delay began; 0 if there is none.
    private let began = Atomic<UInt64>(0)
    private let joinedAtBegin = Atomic(0)
    /// Callers with lower numbers than this have waited for long enough.
    private let matured = Atomic(0)

    init(_ delay: Duration?) {
        length = delay?.nanoseconds ?? 0
    }

    func noteJoin() {
        if length > 0 { joined.add(1, ordering: .relaxed) }
    }

    /// Notes that a caller for whom ``noteJoin()`` was called got no place in the queue, or has left it without a connection.
    ///
    /// If such callers counted, the oldest waiter would be taken for a younger one, and where many come and go no
    /// connection would ever be opened for it. As they do not count, other callers are taken for older than they are, at
    /// most until the next delay begins.
    func noteLeave() {
        if length > 0 { joined.subtract(1, ordering: .relaxed) }
    }

    /// Returns the moment until which the oldest waiter has to wait, or `nil` if it has waited for long enough.
    ///
    /// - Parameter queued: The number of waiters for whom no connection is being opened.
    func end(queued: () -> Int, now: () -> UInt64) -> UInt64? {
        guard length > 0, !oldestHasMatured(queued()) else { return nil }
        let now = now()
        let start = began.load(ordering: .acquiring)
        if start > 0, now >= start.addingSaturated(length) {
            matured.store(joinedAtBegin.load(ordering: .relaxed), ordering: .relaxed)
            _ = began.compareExchange(expected: start, desired: 0, ordering: .acquiringAndReleasing)
            if oldestHasMatured(queued()) { return nil }
        }
        let (begins, found) = began.compareExchange(expected: 0, desired: now, ordering: .acquiringAndReleasing)
        if begins { joinedAtBegin.store(joined.load(ordering: .relaxed), ordering: .relaxed) }
        return (begins ? now : found).addingSaturated(length)
    }

    /// The queue is in the order of the numbers. An empty queue has nothing to delay.
    private func oldestHasMatured(_ queued: Int) -> Bool {
        queued == 0 || joined.load(ordering: .relaxed) - queued < matured.load(ordering: .relaxed)
    }
}
