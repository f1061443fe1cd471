import Foundation

/// Numbers that look random and are the same in each run: SplitMix64.
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

/// A caller who comes at a moment, whatever became of those before it.
struct Arrival {
    /// Seconds from the start.
    var moment: Double
    /// For how long it uses a connection, in seconds.
    var use: Double
}

/// Who comes, and when.
struct Arrivals {
    /// Per second, at random: a Poisson process.
    var rate: Double
    /// Comes on top each second, all in the same instant.
    var crowd = 0
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
        if crowd > 0 {
            for second in stride(from: 0.5, to: duration, by: 1) {
                for _ in 0..<crowd {
                    arrivals.append(Arrival(moment: second, use: generator.exponential(mean: meanUse)))
                }
            }
        }
        return arrivals.sorted { $0.moment < $1.moment }
    }
}
