// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A count or a gauge whose values are aggregated between two flushes.
///
/// Recording takes one or two atomic operations on the metric's own memory. The first value after a flush also enters the
/// metric into the list of ``AggregatedMetrics``.
final class AggregatedMetric: Sendable {
    enum Kind: Sendable, Hashable {
        /// The sum of integers.
        case count
        /// The sum of floating-point numbers.
        case fractionalCount
        /// The last value.
        case gauge
    }

    let kind: Kind
    /// The name as it is sent.
    let name: String
    let tags: [DogStatsDTag]

    /// The bits of an `Int64` for a count, and of a `Double` otherwise.
    private let bits = Atomic<UInt64>(0)
    private let isListed = Atomic(false)

    init(kind: Kind, name: String, tags: [DogStatsDTag]) {
        self.kind = kind
        self.name = name
        self.tags = tags
    }

    /// Adds to a count of integers. The sum saturates instead of overflowing.
    func add(_ amount: Int64) {
        replace { old in
            let (sum, overflow) = Int64(bitPattern: old).addingReportingOverflow(amount)
            return UInt64(bitPattern: overflow ? (amount < 0 ? .min : .max) : sum)
        }
    }

    /// Adds to a fractional count or to a gauge. Has no effect if the sum would not be finite.
    func add(_ amount: Double) {
        replace { old in
            let sum = Double(bitPattern: old) + amount
            return sum.isFinite ? sum.bitPattern : old
        }
    }

    private func replace(_ change: (UInt64) -> UInt64) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let (exchanged, seen) = bits.weakCompareExchange(
                expected: old,
                desired: change(old),
                ordering: .acquiringAndReleasing
            )
            if exchanged { return }
            old = seen
        }
    }

    /// Sets a gauge.
    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .releasing)
    }

    /// Returns whether the caller, which has recorded a value, must enter this metric into the list.
    ///
    /// Pairs with ``leaveList()``. Both exchange the same flag. If this exchange comes first, the flush sees the recorded
    /// value. If it comes second, it finds the flag cleared and the caller lists the metric again.
    func claimListing() -> Bool {
        !isListed.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// Records that the metric is not listed. The flush calls this before it takes the value.
    func leaveList() {
        _ = isListed.exchange(false, ordering: .acquiringAndReleasing)
    }

    enum Value: Sendable {
        case integer(Int64)
        case fractional(Double)
    }

    /// Returns the value to send, and resets a count. Returns `nil` for a count of zero, which is not sent.
    func takeValue() -> Value? {
        switch kind {
        case .count:
            let sum = Int64(bitPattern: bits.exchange(0, ordering: .acquiringAndReleasing))
            return sum == 0 ? nil : .integer(sum)
        case .fractionalCount:
            let sum = Double(bitPattern: bits.exchange(0, ordering: .acquiringAndReleasing))
            return sum == 0 ? nil : .fractional(sum)
        case .gauge:
            return .fractional(Double(bitPattern: bits.load(ordering: .acquiring)))
        }
    }

    /// Adds a value back that ``takeValue()`` returned and that could not be sent.
    func restore(_ value: Value) {
        switch (kind, value) {
        case (.count, .integer(let sum)): add(sum)
        case (.fractionalCount, .fractional(let sum)): add(sum)
        // A gauge keeps its value, which may have changed since.
        default: break
        }
    }
}

/// A value that was taken from a metric in order to send it.
struct TakenValue: Sendable {
    let metric: AggregatedMetric
    let value: AggregatedMetric.Value
}
