// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDemo

@Suite("The latency histogram", .timeLimit(.minutes(5)))
struct LatencyHistogramTests {
    @Test("quantiles are exact to 3 %")
    func quantiles() {
        var histogram = LatencyHistogram()
        for microseconds in 1...10_000 { histogram.record(.microseconds(microseconds)) }
        #expect(histogram.count == 10_000)
        for (share, exact) in [(0.5, 5_000.0), (0.99, 9_900), (0.999, 9_990)] {
            let found = histogram.quantile(share) / .microseconds(1)
            #expect(found >= exact && found <= exact * 1.035)
        }
        #expect(histogram.quantile(1) == .milliseconds(10))
        #expect(histogram.maximum == .milliseconds(10))
    }

    @Test("every duration is in the first bucket whose bound reaches it")
    func buckets() {
        let edges = (0..<43).flatMap { shift in [-1, 0, 1].map { UInt64(max(0, (Int64(1) << shift) + $0)) } }
        for nanoseconds in edges + Array(0...5_000) {
            let bucket = LatencyHistogram.bucket(of: nanoseconds)
            #expect(LatencyHistogram.upperBound(of: bucket) >= nanoseconds)
            if bucket > 0 { #expect(LatencyHistogram.upperBound(of: bucket - 1) < nanoseconds) }
        }
    }

    @Test("durations of zero and of years are accepted")
    func extremes() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.99) == .zero)
        histogram.record(.zero)
        histogram.record(.seconds(100_000_000))
        #expect(histogram.count == 2)
        #expect(histogram.quantile(0.1) == .zero)
        #expect(histogram.count(above: .seconds(1)) == 1)
    }

    @Test("merged histograms equal one histogram with all durations")
    func merging() {
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for number in 1...1_000 {
            let duration = Duration.nanoseconds(number * number)
            if number.isMultiple(of: 3) { one.record(duration) } else { other.record(duration) }
            both.record(duration)
        }
        one.merge(other)
        one.merge(LatencyHistogram())
        #expect(one.count == both.count)
        #expect(one.maximum == both.maximum)
        for share in [0.01, 0.5, 0.9, 1] { #expect(one.quantile(share) == both.quantile(share)) }
    }
}
