// SPDX-License-Identifier: Apache-2.0

/// The buckets of a log-linear histogram of nanoseconds.
///
/// Each power of two is divided into 32 buckets of the same width, so a bucket is at most 1/32 as wide as its lower bound.
/// Values below 64 ns have a bucket each.
///
/// Source: G. Tene, HdrHistogram, whose layout this is, with 5 bits of precision.
enum HistogramBuckets {
    private static let precision = 5
    private static let perPower = 1 << precision

    /// The greatest value that is told apart from others, in nanoseconds: about 73 minutes.
    static let greatestValue: UInt64 = (1 << 42) - 1

    static let count = index(of: greatestValue) + 1

    /// Returns the bucket of a value. Values above ``greatestValue`` are in the last bucket.
    static func index(of value: UInt64) -> Int {
        let value = min(value, greatestValue)
        guard value >= perPower else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - precision
        return (shift + 1) * perPower + Int(value >> shift) - perPower
    }

    /// The smallest value in a bucket.
    static func lowerBound(of index: Int) -> UInt64 {
        index < 2 * perPower ? UInt64(index) : UInt64(perPower + index % perPower) << shift(of: index)
    }

    /// The number of values in a bucket.
    static func width(of index: Int) -> UInt64 { 1 << shift(of: index) }

    private static func shift(of index: Int) -> Int { max(0, index / perPower - 1) }
}
