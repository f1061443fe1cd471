// SPDX-License-Identifier: Apache-2.0

public import CoreMetrics

/// A swift-metrics backend that sends DogStatsD datagrams.
///
/// ```swift
/// let datadog = try DogStatsDClient(configuration: configuration)
/// MetricsSystem.bootstrap(DogStatsDMetricsFactory(client: datadog))
/// ```
///
/// | swift-metrics | DogStatsD |
/// |---|---|
/// | `Counter`, `FloatingPointCounter` | count |
/// | `Meter`, `Gauge`, a `Recorder` that does not aggregate | gauge |
/// | a `Recorder` that aggregates | ``recorders``: a histogram, or a distribution |
/// | `Timer` | ``timers``: a timing, in milliseconds, or a histogram or distribution in the unit that the timer prefers |
///
/// Labels become metric names, and dimensions become tags. Metrics with the same label and dimensions are one metric.
///
/// Resetting a counter has no effect, because the client sends increments and not totals. Destroying a metric has no effect
/// either: recorded values are still sent, and the metric can be used again.
///
/// Incrementing a counter or setting a gauge costs a few atomic operations, and a lock for the first value after each flush.
/// Recorders and timers send one message per value.
public struct DogStatsDMetricsFactory: Sendable {
    /// The DogStatsD types for values.
    public enum Values: Sendable, Hashable {
        /// The agent computes the average, the median and the maximum for its host.
        case histogram
        /// Datadog computes percentiles over all hosts.
        case distribution
    }

    /// The DogStatsD types for timers.
    public enum Times: Sendable, Hashable {
        /// A timing in milliseconds, which the agent treats as a histogram.
        case timing
        /// A histogram or distribution in the unit that the timer prefers, or in nanoseconds if it prefers none.
        case values(Values)
    }

    /// The client that sends the metrics.
    public let client: DogStatsDClient

    /// The type of recorders that aggregate. Default: ``Values/histogram``.
    public var recorders: Values = .histogram

    /// The type of timers. Default: ``Times/timing``.
    public var timers: Times = .timing

    /// - Parameter client: The client that sends the metrics. The factory does not shut it down.
    public init(client: DogStatsDClient) {
        self.client = client
    }
}

extension DogStatsDMetricsFactory: MetricsFactory {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        DogStatsDCounter(AggregatedHandle(client, .count, label, dimensions))
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        DogStatsDFloatingPointCounter(AggregatedHandle(client, .fractionalCount, label, dimensions))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        DogStatsDGauge(AggregatedHandle(client, .gauge, label, dimensions))
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return DogStatsDGauge(AggregatedHandle(client, .gauge, label, dimensions)) }
        return DogStatsDRecorder(ValueHandle(client, recorders.metricType, label, dimensions))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        switch timers {
        case .timing: DogStatsDTimer(ValueHandle(client, .timing, label, dimensions))
        case .values(let values): DogStatsDTimer(ValueHandle(client, values.metricType, label, dimensions))
        }
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

extension DogStatsDMetricsFactory.Values {
    fileprivate var metricType: MetricType {
        switch self {
        case .histogram: .histogram
        case .distribution: .distribution
        }
    }
}
