// SPDX-License-Identifier: Apache-2.0

/// Makes values that only one task can expect.
struct UniqueValues: Sendable {
    private let task: Int
    private var random: SplitMix64
    private var sequence = 0

    init(task: Int, random: SplitMix64) {
        self.task = task
        self.random = random
    }

    /// Returns a unique text of printable ASCII characters.
    mutating func text() -> [UInt8] {
        sequence += 1
        return Array("task \(task), number \(sequence), \(String(random.next(), radix: 36))".utf8)
    }

    /// Returns unique bytes of any value, mostly up to 1 KiB and sometimes 64 KiB.
    mutating func blob() -> [UInt8] {
        let isLong = Int.random(in: 0..<64, using: &random) == 0
        let count = isLong ? 65_536 : Int.random(in: 0...1_024, using: &random)
        var bytes = text() + [0, 13, 10, 0]
        while bytes.count < count {
            withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Returns `true` with a probability of one in `count`.
    mutating func oneIn(_ count: Int) -> Bool {
        Int.random(in: 0..<count, using: &random) == 0
    }
}
