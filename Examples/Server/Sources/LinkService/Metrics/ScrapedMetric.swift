import CoreMetrics
import Synchronization

/// What was recorded under one name, with one set of labels.
final class ScrapedMetric: Sendable {
    enum Kind: Hashable, Sendable {
        case counter
        case gauge
        /// Of which the sum and the number are kept.
        case values
        /// The same, of times.
        case seconds
    }

    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    struct Name: Hashable, Sendable {
        let text: String
        let kind: Kind
        let labels: [Label]
    }

    struct State: Sendable {
        /// The value, or the sum of the values.
        var value = 0.0
        var count = 0
    }

    let name: Name
    private let content = Mutex(State())

    init(name: Name) {
        self.name = name
    }

    var state: State { content.withLock { $0 } }

    private func add(_ amount: Double) {
        guard amount.isFinite else { return }
        content.withLock { content in
            content.value += amount
            content.count += 1
        }
    }

    private func replace(_ value: Double) {
        guard value.isFinite else { return }
        content.withLock { $0.value = value }
    }
}

extension ScrapedMetric: CounterHandler {
    func increment(by amount: Int64) { add(Double(amount)) }

    func reset() { content.withLock { $0 = State() } }
}

extension ScrapedMetric: FloatingPointCounterHandler, MeterHandler {
    func increment(by amount: Double) { add(amount) }

    func decrement(by amount: Double) { add(-amount) }

    func set(_ value: Int64) { replace(Double(value)) }

    func set(_ value: Double) { replace(value) }
}

extension ScrapedMetric: RecorderHandler {
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        if name.kind == .gauge { replace(value) } else { add(value) }
    }
}

extension ScrapedMetric: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1e9) }
}
