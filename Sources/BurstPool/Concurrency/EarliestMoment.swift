// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The earliest of several moments, which any thread can make earlier.
///
/// Not `Atomic.min(_:ordering:)`: in Swift 6.3 that compares unsigned numbers as if they were signed.
struct EarliestMoment: ~Copyable, Sendable {
    private let word = Atomic<UInt64>(.max)

    /// The moment; `UInt64.max` means never.
    ///
    /// Sequentially consistent, like all operations here: a thread stores what is due, then lowers the moment, and the thread
    /// that acts on it resets the moment, then looks at what is due.
    var value: UInt64 { word.load(ordering: .sequentiallyConsistent) }

    func lower(to moment: UInt64) {
        var found = value
        while moment < found {
            let (exchanged, original) = word.compareExchange(
                expected: found,
                desired: moment,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return }
            found = original
        }
    }

    /// Sets the moment to never. Called before a look at everything that may be due.
    func reset() {
        word.store(.max, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Sets the moment to never if it has come. Returns whether it had.
    func resetIfDue(now: UInt64) -> Bool {
        let found = value
        guard found <= now else { return false }
        return word.compareExchange(expected: found, desired: .max, ordering: .sequentiallyConsistent).exchanged
    }
}
