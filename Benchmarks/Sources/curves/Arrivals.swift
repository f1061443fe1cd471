// SPDX-License-Identifier: Apache-2.0

import Foundation

/// SplitMix64: pseudo-random numbers that are the same in each run.
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func exponential(mean: Double) -> Double {
        -mean * log(1 - Double.random(in: 0..<1, using: &self))
    }
}

/// A caller that comes at a given moment, independent of the outcomes of earlier callers.
struct Arrival {
    /// In seconds from the start.
    var moment: Double
    /// How long the caller uses a connection, in seconds.
    var use: Double
}

/// The arrivals of callers.
struct Arrivals {
    /// The number of callers per second, at random times: a Poisson process.
    var rate: Double
    /// The number of additional callers each second, all at the same instant.
    var burst = 0
    /// In seconds.
    var meanUse: Double
    /// In seconds.
    var duration: Double
    var seed: UInt64

    func all() -> [Arrival] {
        var generator = SeededGenerator(state: seed)
        var arrivals: [Arrival] = []
        var moment = generator.exponential(mean: 1 / rate)
        while moment < duration {
            arrivals.append(Arrival(moment: moment, use: generator.exponential(mean: meanUse)))
            moment += generator.exponential(mean: 1 / rate)
        }
        if burst > 0 {
            for second in stride(from: 0.5, to: duration, by: 1) {
                for _ in 0..<burst {
                    arrivals.append(Arrival(moment: second, use: generator.exponential(mean: meanUse)))
                }
            }
        }
        return arrivals.sorted { $0.moment < $1.moment }
    }
}
