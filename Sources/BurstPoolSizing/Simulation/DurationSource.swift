// SPDX-License-Identifier: Apache-2.0

/// Draws durations, in seconds, from a distribution.
struct DurationSource: Sendable {
    private enum Shape {
        case constant(Double)
        case exponential(mean: Double)
        /// The counts of all buckets up to and including each one.
        case recorded(cumulative: [UInt64])
    }

    private let shape: Shape
    private var generator: SeededGenerator

    init(_ distribution: DurationDistribution, seed: UInt64, stream: UInt64) {
        generator = SeededGenerator(seed: seed, stream: stream)
        switch distribution {
        case .constant(let duration): shape = .constant(duration.inSeconds)
        case .exponential(let mean): shape = .exponential(mean: mean.inSeconds)
        case .recorded(let histogram):
            var sum: UInt64 = 0
            shape = .recorded(
                cumulative: histogram.counts.map {
                    sum += $0
                    return sum
                }
            )
        }
    }

    mutating func next() -> Double {
        switch shape {
        case .constant(let seconds): return seconds
        case .exponential(let mean): return generator.exponential(mean: mean)
        case .recorded(let cumulative):
            guard let total = cumulative.last, total > 0 else { return 0 }
            let rank = generator.next() % total
            // The first bucket whose cumulative count is above the rank.
            var low = 0
            var high = cumulative.count - 1
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] > rank { high = middle } else { low = middle + 1 }
            }
            let width = Double(HistogramBuckets.width(of: low))
            return (Double(HistogramBuckets.lowerBound(of: low)) + generator.fraction() * width) / 1e9
        }
    }
}
