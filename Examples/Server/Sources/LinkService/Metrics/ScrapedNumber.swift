// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// The number behind a counter or a gauge.
final class ScrapedNumber: Sendable {
    private let number = Mutex(0.0)

    var value: Double { number.withLock { $0 } }

    private func add(_ amount: Double) {
        guard amount.isFinite else { return }
        number.withLock { $0 += amount }
    }

    private func replace(_ value: Double) {
        guard value.isFinite else { return }
        number.withLock { $0 = value }
    }
}

extension ScrapedNumber: CounterHandler {
    func increment(by amount: Int64) { add(Double(amount)) }

    func reset() { replace(0) }
}

extension ScrapedNumber: FloatingPointCounterHandler, MeterHandler {
    func increment(by amount: Double) { add(amount) }

    func decrement(by amount: Double) { add(-amount) }

    func set(_ value: Int64) { replace(Double(value)) }

    func set(_ value: Double) { replace(value) }
}

/// A recorder that does not aggregate is a gauge.
extension ScrapedNumber: RecorderHandler {
    func record(_ value: Int64) { replace(Double(value)) }

    func record(_ value: Double) { replace(value) }
}
