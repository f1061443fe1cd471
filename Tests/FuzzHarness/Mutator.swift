// SPDX-License-Identifier: Apache-2.0

/// Generates inputs, most of them by changing inputs of the corpus.
struct Mutator<Target: FuzzTarget> {
    private let target: Target
    private let words: [[UInt8]]
    private let corpus: [[UInt8]]
    private var random: SeededRandom

    init(target: Target, corpus: [[UInt8]], random: SeededRandom) {
        self.target = target
        self.corpus = corpus
        self.random = random
        words = target.words
    }

    /// Longer inputs take more time and find nothing else.
    private static var maximumBytes: Int { 4096 }

    mutating func next() -> [UInt8] {
        var input = corpus.isEmpty || random.oneIn(4) ? target.fresh(using: &random) : random.element(of: corpus)
        for _ in 0..<random.number(0...5) { change(&input) }
        return Array(input.prefix(Self.maximumBytes))
    }

    private mutating func change(_ input: inout [UInt8]) {
        let here = random.number(0...input.count)
        let end = min(here + random.number(1...8), input.count)
        switch random.number(0...7) {
        case 0: input.insert(contentsOf: random.element(of: words), at: here)
        case 1: input.replaceSubrange(here..<end, with: random.element(of: words))
        case 2: input.removeSubrange(here..<end)
        case 3: input.insert(contentsOf: input[here..<end], at: here)
        case 4: if here < end { input[here] ^= 1 << random.number(0...7) }
        case 5: if here < end { input[here] = UInt8(random.number(0...255)) }
        case 6: input.removeSubrange(here...)
        default:
            guard !corpus.isEmpty else { return }
            let other = random.element(of: corpus)
            input.replaceSubrange(here..., with: other[random.number(0...other.count)...])
        }
    }
}
