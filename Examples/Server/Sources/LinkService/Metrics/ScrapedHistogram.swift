// SPDX-License-Identifier: Apache-2.0

import BurstPoolObservability
import CoreMetrics
import Synchronization

/// The histogram behind a timer or a recorder.
final class ScrapedHistogram: Sendable {
    /// The upper bounds of the buckets for durations, in seconds. Values above the last bound are only in `+Inf`.
    static let seconds = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// The upper bounds of the buckets for other values.
    static let values = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000]

    struct State: Sendable {
        /// The number of values in each bucket, which are not cumulative here.
        var counts: [Int]
        var count = 0
        var sum = 0.0
    }

    let bounds: [Double]
    private let content: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        content = Mutex(State(counts: bounds.map { _ in 0 }))
    }

    var state: State { content.withLock { $0 } }

    func add(_ value: Double, count: Int = 1) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 }
        content.withLock { content in
            if let bucket { content.counts[bucket] += count }
            content.count += count
            content.sum += value * Double(count)
        }
    }
}

extension ScrapedHistogram: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1e9) }
}

/// Makes it cheap to record acquires of idle connections, which did not wait.
extension ScrapedHistogram: RepeatedTimerHandler {
    func recordNanoseconds(_ duration: Int64, count: Int) { add(Double(duration) / 1e9, count: count) }
}

extension ScrapedHistogram: RecorderHandler {
    func record(_ value: Int64) { add(Double(value)) }

    func record(_ value: Double) { add(value) }
}
