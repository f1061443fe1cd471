// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The events of the run, in words.
final class Journal: Sendable {
    struct Entry: Sendable {
        let time: Duration
        let text: String
    }

    private let entries = Mutex<[Entry]>([])

    func note(_ text: String, at time: Duration) {
        entries.withLock { $0.append(Entry(time: time, text: text)) }
    }

    /// Returns the entries after the first `count`.
    func entries(after count: Int = 0) -> [Entry] {
        entries.withLock { Array($0.dropFirst(count)) }
    }
}
