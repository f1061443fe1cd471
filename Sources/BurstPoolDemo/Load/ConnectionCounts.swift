// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The connections that a strategy has opened and closed.
final class ConnectionCounts: Sendable {
    private let openedCount = Atomic<Int>(0)
    private let failedCount = Atomic<Int>(0)
    private let closedCount = Atomic<Int>(0)
    private let foundDeadCount = Atomic<Int>(0)
    private let currentCount = Atomic<Int>(0)
    private let peakCount = Atomic<Int>(0)

    /// The number of opened connections.
    var opened: Int { openedCount.load(ordering: .acquiring) }
    /// The number of failed attempts to open a connection.
    var failedToOpen: Int { failedCount.load(ordering: .acquiring) }
    /// The number of closed connections.
    var closed: Int { closedCount.load(ordering: .acquiring) }
    /// The number of connections that the server had closed and that were found before a lease.
    var foundDead: Int { foundDeadCount.load(ordering: .acquiring) }
    /// The number of connections now, including opening and closing ones.
    var current: Int { currentCount.load(ordering: .acquiring) }
    /// The largest number of connections at a time, including opening and closing ones.
    var peak: Int { peakCount.load(ordering: .acquiring) }

    // MARK: - Counting

    func opens() {
        let count = currentCount.add(1, ordering: .acquiringAndReleasing).newValue
        _ = peakCount.max(count, ordering: .acquiringAndReleasing)
    }

    func hasOpened() {
        openedCount.add(1, ordering: .acquiringAndReleasing)
    }

    func hasFailedToOpen() {
        failedCount.add(1, ordering: .acquiringAndReleasing)
        currentCount.subtract(1, ordering: .acquiringAndReleasing)
    }

    func hasFoundDead() {
        foundDeadCount.add(1, ordering: .relaxed)
    }

    func hasClosed() {
        closedCount.add(1, ordering: .acquiringAndReleasing)
        currentCount.subtract(1, ordering: .acquiringAndReleasing)
    }
}
