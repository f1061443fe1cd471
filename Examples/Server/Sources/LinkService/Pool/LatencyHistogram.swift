// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts durations in buckets whose bounds grow by a quarter of a power of two, which bounds the error of a quantile to 19 %.
struct LatencyHistogram: Sendable {
    private static let bucketsPerOctave = 4
    private static let smallest = Duration.microseconds(1)
    /// The last bucket holds everything above 1 µs · 2^26, which is 67 seconds.
    private static let size = 26 * bucketsPerOctave + 1

    private var counts = [Int](repeating: 0, count: size)
    private(set) var count = 0

    mutating func add(_ duration: Duration) {
        var bucket = 0
        var bound = Double(1)
        let value = duration / Self.smallest
        while bound < value, bucket < Self.size - 1 {
            bound *= 1.189207115002721  // The fourth root of 2.
            bucket += 1
        }
        counts[bucket] += 1
        count += 1
    }

    mutating func merge(_ other: LatencyHistogram) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
        count += other.count
    }

    /// Returns the duration in milliseconds below which a share of the values lies, or `nil` without values.
    func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        var rest = Int((Double(count) * share).rounded(.up))
        for (bucket, count) in counts.enumerated() {
            rest -= count
            guard rest > 0 else {
                var bound = Double(1)
                for _ in 0..<bucket { bound *= 1.189207115002721 }
                return (bound).rounded() / 1000
            }
        }
        return nil
    }
}

/// The durations of acquires since they were last taken, for several threads.
final class AcquireLatencies: Sendable {
    private let histogram = Mutex(LatencyHistogram())

    func add(_ duration: Duration) {
        histogram.withLock { $0.add(duration) }
    }

    func take() -> LatencyHistogram {
        histogram.withLock { histogram in
            defer { histogram = LatencyHistogram() }
            return histogram
        }
    }
}
