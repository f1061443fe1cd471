// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A counter for several threads. A thread that reads the raised count sees everything that happened before it was raised.
final class Tally: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func raise() { count.add(1, ordering: .acquiringAndReleasing) }
}
