// SPDX-License-Identifier: Apache-2.0

/// The waiting times of callers, in nanoseconds.
struct Waits: Sendable {
    var p50: Double
    var p99: Double
    var p999: Double

    init(_ nanoseconds: [UInt32]) {
        let sorted = nanoseconds.sorted()
        func quantile(_ share: Double) -> Double {
            sorted.isEmpty ? .nan : Double(sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)])
        }
        p50 = quantile(0.5)
        p99 = quantile(0.99)
        p999 = quantile(0.999)
    }

    init(p50: Double, p99: Double, p999: Double) {
        self.p50 = p50
        self.p99 = p99
        self.p999 = p999
    }
}
