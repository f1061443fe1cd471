// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Runs a body on this number of new threads, and waits until all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) async {
    let running = Running(count)
    await withCheckedContinuation { continuation in
        for number in 0..<count {
            Thread {
                body(number)
                if running.count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                    continuation.resume()
                }
            }.start()
        }
    }
}

private final class Running: Sendable {
    let count: Atomic<Int>
    init(_ count: Int) { self.count = Atomic(count) }
}

/// SplitMix64: random numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func oneIn(_ n: UInt64) -> Bool { next() % n == 0 }
}
