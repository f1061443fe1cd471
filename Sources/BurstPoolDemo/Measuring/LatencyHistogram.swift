// SPDX-License-Identifier: Apache-2.0

/// Counts durations in buckets whose width grows with the duration.
///
/// There are 32 buckets for each doubling, so the error of a quantile is at most 3 %. Recording takes a shift and an addition.
struct LatencyHistogram: Sendable {
    private static let subBits = 5
    private static let subCount = 1 << subBits
    /// The buckets reach up to 2^43 ns, which is about 2.4 hours.
    private static let bucketCount = (43 - subBits + 1) * subCount

    /// Empty until a duration is recorded, because most tasks record nothing in most phases.
    private var buckets: [UInt64] = []
    private(set) var count = 0
    private(set) var maximum = Duration.zero

    mutating func record(_ duration: Duration) {
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
        let (seconds, attoseconds) = duration.components
        let nanoseconds = UInt64(clamping: min(seconds, 1 << 20) * 1_000_000_000 + attoseconds / 1_000_000_000)
        buckets[Self.bucket(of: nanoseconds)] += 1
        count += 1
        maximum = max(maximum, duration)
    }

    mutating func merge(_ other: LatencyHistogram) {
        guard !other.buckets.isEmpty else { return }
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// Returns the duration that a share of all durations do not exceed, or zero without durations.
    func quantile(_ share: Double) -> Duration {
        guard count > 0 else { return .zero }
        let rank = UInt64(max(1, (share * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= rank { return min(.nanoseconds(Int64(Self.upperBound(of: index))), maximum) }
        }
        return maximum
    }

    /// Returns the number of longer durations, exact up to the width of a bucket.
    func count(above limit: Duration) -> Int {
        guard !buckets.isEmpty else { return 0 }
        let (seconds, attoseconds) = limit.components
        let first = Self.bucket(of: UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)) + 1
        return Int(buckets[min(first, Self.bucketCount)...].reduce(0, +))
    }

    // MARK: - Buckets

    static func bucket(of nanoseconds: UInt64) -> Int {
        guard nanoseconds >= subCount else { return Int(nanoseconds) }
        let shift = UInt64.bitWidth - 1 - nanoseconds.leadingZeroBitCount - subBits
        return min((shift << subBits) + Int(nanoseconds >> UInt64(shift)), bucketCount - 1)
    }

    /// Returns the largest number of nanoseconds in a bucket.
    static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket >= subCount else { return UInt64(bucket) }
        let shift = UInt64(bucket >> subBits) - 1
        return (UInt64(bucket & (subCount - 1) | subCount) + 1) << shift - 1
    }
}
