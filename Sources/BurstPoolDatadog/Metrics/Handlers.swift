// SPDX-License-Identifier: Apache-2.0

import BurstPoolSampling
import CoreMetrics
import Synchronization

final class DogStatsDCounter: CounterHandler {
    private let handle: AggregatedHandle

    init(_ handle: AggregatedHandle) { self.handle = handle }

    func increment(by amount: Int64) { handle.record { $0.add(amount) } }

    func reset() {}
}

final class DogStatsDFloatingPointCounter: FloatingPointCounterHandler {
    private let handle: AggregatedHandle

    init(_ handle: AggregatedHandle) { self.handle = handle }

    func increment(by amount: Double) {
        guard amount.isFinite else { return handle.dropInvalid() }
        handle.record { $0.add(amount) }
    }

    func reset() {}
}

/// A gauge: a meter, or a recorder that does not aggregate.
final class DogStatsDGauge: MeterHandler, RecorderHandler {
    private let handle: AggregatedHandle

    init(_ handle: AggregatedHandle) { self.handle = handle }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) {
        guard value.isFinite else { return handle.dropInvalid() }
        handle.record { $0.set(value) }
    }

    func increment(by amount: Double) {
        guard amount.isFinite else { return handle.dropInvalid() }
        handle.record { $0.add(amount) }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func record(_ value: Int64) { set(value) }

    func record(_ value: Double) { set(value) }
}

final class DogStatsDRecorder: RecorderHandler {
    private let handle: ValueHandle

    init(_ handle: ValueHandle) { self.handle = handle }

    func record(_ value: Int64) { handle.send(Double(value)) }

    func record(_ value: Double) { handle.send(value) }
}

final class DogStatsDTimer: TimerHandler {
    private let handle: ValueHandle
    /// The unit in which durations are sent, in nanoseconds.
    private let unit: Atomic<UInt64>

    init(_ handle: ValueHandle) {
        self.handle = handle
        unit = Atomic(handle.type == .timing ? 1_000_000 : 1)
    }

    func recordNanoseconds(_ duration: Int64) {
        handle.send(Double(duration) / Double(unit.load(ordering: .relaxed)))
    }

    /// Sets the unit. A timing is always in milliseconds, so it ignores the preference.
    func preferDisplayUnit(_ unit: TimeUnit) {
        guard handle.type != .timing else { return }
        self.unit.store(unit.scaleFromNanoseconds, ordering: .relaxed)
    }
}

extension DogStatsDTimer: RepeatedTimerHandler {
    /// Sends one value with the sample rate `1 / count`, which the agent multiplies by `count`.
    func recordNanoseconds(_ duration: Int64, count: Int) {
        guard count > 0 else { return }
        let value = Double(duration) / Double(unit.load(ordering: .relaxed))
        handle.send(value, sampleRate: 1 / Double(count))
    }
}
