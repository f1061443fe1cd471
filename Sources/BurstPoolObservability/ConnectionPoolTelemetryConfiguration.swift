// SPDX-License-Identifier: Apache-2.0

import BurstPool
public import CoreMetrics
public import Logging
public import Tracing

/// Where a pool's telemetry is sent, under which name, and how often.
///
/// By default metrics, spans and logs go to the systems that were bootstrapped when this value was made.
public struct ConnectionPoolTelemetryConfiguration: Sendable {
    /// The pool's name, unique in the process. It is the metric dimension and span attribute `db.client.connection.pool.name`,
    /// and the log metadata `pool.name`. Default: `nil`, which means `ConnectionPoolConfiguration.name`.
    public var poolName: String?

    /// Dimensions of all metrics, in addition to those that OpenTelemetry prescribes. Default: none.
    public var dimensions: [(String, String)] = []

    /// The metrics backend; `nil` turns metrics off. Default: the factory that `MetricsSystem` was bootstrapped with.
    public var metricsFactory: (any MetricsFactory)? = MetricsSystem.factory

    /// The tracer; `nil` turns spans off. Default: the tracer that `InstrumentationSystem` was bootstrapped with.
    public var tracer: (any Tracer)? = InstrumentationSystem.tracer

    /// The logger; `nil` turns logs off. Default: a logger with the label `BurstPool`.
    public var logger: Logger? = Logger(label: "BurstPool")

    /// Whether `db.client.connection.use_time` is recorded. Default: `false`.
    ///
    /// The pool then observes every lease, which costs two readings of the clock, two calls and a record of the metrics
    /// backend per lease. That is more than the lease itself. Every acquire is then part of `wait_time` as well.
    public var recordsUseTime = false

    /// Whether `db.client.connection.wait_time` includes acquires that found an idle connection, as OpenTelemetry defines it.
    /// Default: `false`, which records only acquires that waited.
    ///
    /// The pool counts these acquires, at a few instructions each, and the telemetry records them with a duration of zero at
    /// the next refresh. A backend whose timers adopt ``RepeatedTimerHandler`` receives one call per refresh. Every other
    /// backend receives one call per acquire, on the task that refreshes the gauges. Has no effect if ``recordsUseTime`` is
    /// set, because every acquire is then recorded when it happens.
    public var recordsImmediateAcquires = false

    /// The time between two refreshes of the gauges if no event happens. Default: 10 seconds.
    ///
    /// A lease of an idle connection is not an event, unless ``recordsUseTime`` is set.
    public var refreshInterval: Duration = .seconds(10)

    /// The shortest time between two refreshes of the gauges. Default: 100 milliseconds.
    public var minimumRefreshGap: Duration = .milliseconds(100)

    /// The interval in which at most one line of each kind is logged, followed by one line with the number of suppressed
    /// lines. Default: 10 seconds. Zero or less logs every event.
    public var logInterval: Duration = .seconds(10)

    /// Measures the three intervals. Default: `ContinuousClock`. Tests can pass a clock that they advance by hand.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// - Parameter poolName: The pool's name, unique in the process. Default: `nil`, the name in the pool's configuration.
    public init(poolName: String? = nil) {
        self.poolName = poolName
    }
}

extension ConnectionPoolTelemetryConfiguration {
    /// The dimensions of every metric of a pool.
    func dimensions(ofPool poolName: String) -> [(String, String)] { [(Convention.poolName, poolName)] + dimensions }
}
