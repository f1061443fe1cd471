// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import BurstPoolSizing

@Suite("Histograms of durations", .timeLimit(.minutes(1)))
struct HistogramTests {
    @Test("Every value is in the bucket whose bounds enclose it, which is at most 1/32 as wide as its lower bound")
    func buckets() {
        var values: [UInt64] = Array(0...5000)
        for power in 12..<42 {
            let value: UInt64 = 1 << UInt64(power)
            values += [value - 1, value, value + 1, value / 2 * 3]
        }
        values.append(HistogramBuckets.greatestValue)
        for value in values {
            let index = HistogramBuckets.index(of: value)
            let lower = HistogramBuckets.lowerBound(of: index)
            let width = HistogramBuckets.width(of: index)
            #expect(lower <= value && value < lower + width)
            #expect(width == 1 || width <= lower / 32)
            #expect(HistogramBuckets.index(of: lower) == index)
        }
        for index in 1..<HistogramBuckets.count {
            let previous = HistogramBuckets.lowerBound(of: index - 1) + HistogramBuckets.width(of: index - 1)
            #expect(HistogramBuckets.lowerBound(of: index) == previous)
        }
        #expect(HistogramBuckets.index(of: .max) == HistogramBuckets.count - 1)
    }

    @Test("Counts are exact, and the mean and quantiles are within the width of a bucket")
    func quantiles() {
        var generator = SeededGenerator(seed: 7, stream: 1)
        var histogram = DurationHistogram()
        var all: [Double] = []
        for _ in 0..<5000 {
            let seconds = generator.exponential(mean: 0.01)
            all.append(seconds)
            histogram.record(.seconds(seconds))
        }
        all.sort()
        #expect(histogram.count == 5000)
        for share in [0.0, 0.001, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = all[max(0, Int((share * 5000).rounded(.up)) - 1)]
            #expect(isNear(histogram.quantile(share) / .seconds(1), exact, within: 1.0 / 32, orDifferBy: 1e-9))
        }
        #expect(isNear(histogram.mean / .seconds(1), all.reduce(0, +) / 5000, within: 1.0 / 64))
        #expect(histogram.quantile(-1) == histogram.quantile(0))
        #expect(histogram.quantile(.nan) == histogram.quantile(0))
        #expect(histogram.quantile(2) == histogram.quantile(1))
    }

    @Test("An empty histogram, and durations that are out of range, do no harm")
    func extremes() {
        var histogram = DurationHistogram()
        #expect(histogram.mean == .zero && histogram.quantile(0.5) == .zero && histogram.isEmpty)
        histogram.record(.seconds(-1))
        #expect(histogram.quantile(1) == .zero)
        histogram.record(.seconds(Int64.max))
        #expect(histogram.count == 2)
        #expect(histogram.quantile(1) > .seconds(4000) && histogram.quantile(1) < .seconds(4500))
    }

    @Test("JSON keeps every count")
    func json() throws {
        var histogram = DurationHistogram()
        for milliseconds in [0, 1, 1, 5, 4000] { histogram.record(.milliseconds(milliseconds)) }
        let data = try JSONEncoder().encode(histogram)
        #expect(try JSONDecoder().decode(DurationHistogram.self, from: data) == histogram)
        #expect(try JSONDecoder().decode(DurationHistogram.self, from: Data(#"{"buckets":[]}"#.utf8)).isEmpty)
    }

    @Test(
        "JSON that is not a histogram is an error",
        arguments: [
            #"{"buckets":[[1]]}"#, #"{"buckets":[[100001, 1]]}"#, #"{"buckets":[[1, -1]]}"#, "{}", "[]",
            #"{"buckets":[[1, 18446744073709551615], [2, 1]]}"#, #"{"buckets":[[18446744073709551615, 1]]}"#,
        ]
    )
    func badJSON(_ text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(DurationHistogram.self, from: Data(text.utf8))
        }
    }
}
