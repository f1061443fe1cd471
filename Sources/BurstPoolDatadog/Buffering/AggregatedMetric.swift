import Synchronization

/// A count or a gauge whose values are put together between two flushes.
///
/// Recording is an atomic operation or two on memory of its own, and the first one after a flush also enters the metric in
/// the list of those that have something to send. It never waits; ``AggregatedMetrics`` has the list.
final class AggregatedMetric: Sendable {
    enum Kind: Sendable, Hashable {
        /// Integers, added up.
        case count
        /// Numbers with a fraction, added up.
        case fractionalCount
        /// The last value.
        case gauge
    }

    let kind: Kind
    /// As it is sent.
    let name: String
    let tags: [DogStatsDTag]

    /// An `Int64` or a `Double`, by the kind.
    private let bits = Atomic<UInt64>(0)
    private let isListed = Atomic(false)

    init(kind: Kind, name: String, tags: [DogStatsDTag]) {
        self.kind = kind
        self.name = name
        self.tags = tags
    }

    /// Adds to a count of integers. A sum that 64 bits do not hold stays at the greatest that they do, or the least: a count
    /// that turns its sign would be a lie.
    func add(_ amount: Int64) {
        replace { old in
            let (sum, overflow) = Int64(bitPattern: old).addingReportingOverflow(amount)
            return UInt64(bitPattern: overflow ? (amount < 0 ? .min : .max) : sum)
        }
    }

    /// Adds to a count with fractions, or to a gauge. What would no longer be finite stays as it is.
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

    /// Whether the caller, having recorded, has to enter this metric in the list.
    ///
    /// Pairs with ``takeOffList()``. Both exchange the same flag: if this one comes first, the flush sees the recorded value;
    /// if it comes second, it finds the flag lowered and lists the metric again.
    func claimListing() -> Bool {
        !isListed.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// For the flush, before it takes the value.
    func takeOffList() {
        _ = isListed.exchange(false, ordering: .acquiringAndReleasing)
    }

    enum Value {
        case integer(Int64)
        case fractional(Double)
    }

    /// The value to send; a count starts anew. `nil`: a count that comes to nothing, which is not worth sending.
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
}
