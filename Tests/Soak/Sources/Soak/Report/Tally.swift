// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts events by name.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func count(_ what: String, _ number: Int = 1) {
        counts.withLock { $0[what, default: 0] += number }
    }

    subscript(what: String) -> Int { counts.withLock { $0[what, default: 0] } }

    /// Returns the sum over all names with this prefix.
    func sum(_ prefix: String) -> Int {
        counts.withLock { $0.reduce(0) { $1.key.hasPrefix(prefix) ? $0 + $1.value : $0 } }
    }

    var all: [(what: String, count: Int)] {
        counts.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
