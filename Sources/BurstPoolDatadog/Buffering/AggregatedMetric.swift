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

    /// Adds to a count of integers. After more than 2⁶³ between two flushes it starts again from below.
    func add(_ amount: Int64) {
        bits.wrappingAdd(UInt64(bitPattern: amount), ordering: .acquiringAndReleasing)
    }

    /// Adds to a count with fractions, or to a gauge. What would no longer be finite stays as it is.
    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: old) + amount
            guard sum.isFinite else { return }
            let (exchanged, seen) = bits.weakCompareExchange(
                expected: old,
                desired: sum.bitPattern,
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
