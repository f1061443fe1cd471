// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A right that exactly one of several threads gets: the first that takes it.
final class Claim: Sendable {
    private let isTaken = Atomic(false)

    /// Whether a thread has taken the right.
    var hasBeenTaken: Bool { isTaken.load(ordering: .acquiring) }

    /// Takes the right. Returns `true` for the first call and `false` for all others.
    func take() -> Bool {
        // Acquires and releases: the thread that comes second sees what the first one wrote before it took the right.
        !isTaken.exchange(true, ordering: .acquiringAndReleasing)
    }
}
