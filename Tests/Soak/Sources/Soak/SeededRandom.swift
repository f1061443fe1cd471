// SPDX-License-Identifier: Apache-2.0

/// SplitMix64. Equal seeds give equal numbers.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter stream: Distinguishes several generators with the same seed.
    init(seed: UInt64, stream: String) {
        // FNV-1a, starting from the seed.
        state = stream.utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(number(range))
    }

    mutating func oneIn(_ count: Int) -> Bool {
        number(1...count) == 1
    }

    mutating func element<Elements: Collection>(of elements: Elements) -> Elements.Element {
        elements[elements.index(elements.startIndex, offsetBy: number(0...elements.count - 1))]
    }

    /// Returns a value with a probability of 1 to 3, because options are mostly off, as in production.
    mutating func sometimes<Value>(_ make: (inout SeededRandom) -> Value) -> Value? {
        oneIn(3) ? make(&self) : nil
    }
}
