// SPDX-License-Identifier: Apache-2.0

/// How often durations of each length have occurred, in bounded memory.
///
/// A duration is known to within the width of its bucket: 1/32 of the duration, or 1 ns if that is more. Durations above 73
/// minutes count as 73 minutes, and negative durations count as zero. A histogram takes at most 10 KiB.
///
/// In JSON it is an object whose `buckets` are pairs of the smallest duration of a bucket, in nanoseconds, and a count.
/// Buckets without a count are left out.
public struct DurationHistogram: Sendable, Hashable {
    /// One element for each bucket up to the last that is not empty.
    private(set) var counts: [UInt64] = []
    /// The number of durations.
    public private(set) var count: UInt64 = 0

    /// Creates a histogram without durations.
    public init() {}

    /// Creates a histogram from the counts of all buckets.
    init(counts: [UInt64]) {
        self.counts = counts
        while self.counts.last == 0 { self.counts.removeLast() }
        count = counts.reduce(0, &+)
    }

    /// Whether there is no duration.
    public var isEmpty: Bool { count == 0 }

    /// Adds a duration. O(1).
    public mutating func record(_ duration: Duration) {
        add(1, toBucket: HistogramBuckets.index(of: duration.wholeNanoseconds))
    }

    private mutating func add(_ number: UInt64, toBucket index: Int) {
        while counts.count <= index { counts.append(0) }
        counts[index] &+= number
        count &+= number
    }

    /// The mean, to within 1/64; zero without durations. O(buckets).
    public var mean: Duration {
        guard count > 0 else { return .zero }
        let sum = counts.indices.reduce(0.0) { $0 + Double(counts[$1]) * Self.middle(of: $1) }
        return .seconds(sum / Double(count) / 1e9)
    }

    /// Returns the duration that this share of all durations does not exceed: the middle of its bucket. Zero without
    /// durations. O(buckets).
    ///
    /// - Parameter share: From 0 to 1. Other values count as the nearer of the two.
    public func quantile(_ share: Double) -> Duration {
        guard count > 0 else { return .zero }
        let share = share.isNaN ? 0 : min(max(share, 0), 1)
        let rank = max(1, (share * Double(count)).rounded(.up))
        var seen = 0.0
        for index in counts.indices {
            seen += Double(counts[index])
            if seen >= rank { return .seconds(Self.middle(of: index) / 1e9) }
        }
        return .seconds(Self.middle(of: counts.count - 1) / 1e9)
    }

    /// In nanoseconds.
    private static func middle(of index: Int) -> Double {
        Double(HistogramBuckets.lowerBound(of: index)) + Double(HistogramBuckets.width(of: index) - 1) / 2
    }
}

extension DurationHistogram: Codable {
    private enum Key: String, CodingKey {
        case buckets
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func refuse(_ description: String) -> DecodingError {
            .dataCorruptedError(forKey: .buckets, in: container, debugDescription: description)
        }
        for pair in try container.decode([[UInt64]].self, forKey: .buckets) {
            guard pair.count == 2 else {
                throw refuse("A bucket has \(pair.count) numbers. Each one needs two: nanoseconds and a count.")
            }
            let index = HistogramBuckets.index(of: pair[0])
            guard HistogramBuckets.lowerBound(of: index) == pair[0] else {
                throw refuse("\(pair[0]) ns is not the smallest duration of a bucket.")
            }
            guard !count.addingReportingOverflow(pair[1]).overflow else {
                throw refuse("The counts of all buckets together are above \(UInt64.max).")
            }
            add(pair[1], toBucket: index)
        }
        self = DurationHistogram(counts: counts)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        let pairs = counts.indices.filter { counts[$0] > 0 }.map { [HistogramBuckets.lowerBound(of: $0), counts[$0]] }
        try container.encode(pairs, forKey: .buckets)
    }
}
