// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts events by seconds, without a lock, and keeps the greatest count.
struct BusiestSecond: ~Copyable, Sendable {
    /// The present second in the upper half, and its count in the lower half.
    private let present = Atomic<UInt64>(0)
    private let greatest = Atomic<UInt64>(0)

    func note(second: UInt32) {
        var found = present.load(ordering: .relaxed)
        while true {
            let foundSecond = UInt32(truncatingIfNeeded: found >> 32)
            // A thread that has read the clock before another one counts in the second of the later thread.
            let isSame = foundSecond >= second
            let next = isSame ? (found & 0xffff_ffff == 0xffff_ffff ? found : found + 1) : UInt64(second) << 32 | 1
            let (exchanged, original) = present.compareExchange(expected: found, desired: next, ordering: .relaxed)
            if exchanged {
                _ = greatest.max(next & 0xffff_ffff, ordering: .relaxed)
                return
            }
            found = original
        }
    }

    func reset() {
        present.store(0, ordering: .relaxed)
        greatest.store(0, ordering: .relaxed)
    }

    var count: UInt64 { greatest.load(ordering: .relaxed) }
}
