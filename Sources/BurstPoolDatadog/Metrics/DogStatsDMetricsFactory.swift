public import CoreMetrics

/// A backend for swift-metrics that sends with DogStatsD.
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
/// Labels are names of metrics, dimensions are tags. Metrics with the same label and dimensions are one metric for Datadog.
///
/// Resetting a counter does nothing: what is sent is what was added since the flush before, not a total. Destroying a metric
/// does nothing either, because the backend keeps none: what was recorded is still sent, and a metric that is used again
/// works on.
///
/// To increment a counter, or to set a gauge, is a few atomic operations on memory that only this metric has, plus, for the
/// first one after each flush, a lock. Everything else is one message per value.
public struct DogStatsDMetricsFactory: Sendable {
    /// As what the values of recorders and timers are sent.
    public enum Values: Sendable, Hashable {
        /// The agent computes average, median, maximum and the like, for its host.
        case histogram
        /// Datadog computes percentiles, over all hosts.
        case distribution
    }

    /// As what timers are sent.
    public enum Times: Sendable, Hashable {
        /// As a timing, in milliseconds, which is a histogram for the agent.
        case timing
        /// As a histogram or distribution, in the unit that the timer prefers; without one in nanoseconds.
        case values(Values)
    }

    /// The client that sends.
    public let client: DogStatsDClient

    /// As what recorders are sent that aggregate. Default: ``Values/histogram``.
    public var recorders: Values = .histogram

    /// As what timers are sent. Default: ``Times/timing``.
    public var timers: Times = .timing

    /// - Parameter client: The client that sends. It is not shut down by anything here.
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
