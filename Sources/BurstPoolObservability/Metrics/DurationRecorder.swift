// SPDX-License-Identifier: Apache-2.0

import BurstPoolSampling
import CoreMetrics

/// A swift-metrics timer, which backends that support it export as a histogram.
struct DurationRecorder: Sendable {
    private let timer: Timer
    private let repeated: (any RepeatedTimerHandler)?

    init(_ name: String, dimensions: [(String, String)], factory: any MetricsFactory) {
        let handler = factory.makeTimer(label: Convention.prefix + name, dimensions: dimensions)
        timer = Timer(label: Convention.prefix + name, dimensions: dimensions, handler: handler, factory: factory)
        // OpenTelemetry's unit for durations. `Timer` passes it on to the handler only in another initializer.
        handler.preferDisplayUnit(.seconds)
        repeated = handler as? any RepeatedTimerHandler
    }

    func record(_ duration: Duration) {
        timer.recordNanoseconds(duration.nanoseconds)
    }

    /// Records a duration of zero `count` times.
    func recordZero(count: Int) {
        guard count > 0 else { return }
        if let repeated {
            repeated.recordNanoseconds(0, count: count)
        } else {
            for _ in 0..<count { timer.recordNanoseconds(0) }
        }
    }
}
