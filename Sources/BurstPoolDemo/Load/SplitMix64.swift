// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Random numbers from a seed, so that a run can be repeated with the same choices.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter stream: Selects one of several independent sequences for the same seed.
    init(seed: UInt64, stream: UInt64) {
        state = seed &+ (stream &+ 1) &* 0xD134_2543_DE82_EF95
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// Returns an exponentially distributed duration, like the time between independent requests.
    mutating func span(mean: Duration) -> Duration {
        let uniform = Double.random(in: 0.001..<1, using: &self)
        return mean * -log(uniform)
    }
}
