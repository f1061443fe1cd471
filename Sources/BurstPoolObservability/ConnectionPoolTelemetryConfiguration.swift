public import CoreMetrics
public import Logging
public import Tracing

/// Where a pool's telemetry goes, under which name, and how often.
///
/// A value to be filled in and given to ``ConnectionPoolTelemetry/init(configuration:)``. By default metrics, spans and logs
/// go to the systems that were bootstrapped when this value was made.
public struct ConnectionPoolTelemetryConfiguration: Sendable {
    /// The pool's name, unique in the process: dimension and attribute `db.client.connection.pool.name`, and `pool.name`
    /// in logs.
    public var poolName: String

    /// Dimensions of all metrics, besides those that OpenTelemetry asks for. Default: none.
    public var dimensions: [(String, String)] = []

    /// Where metrics go. `nil`: nowhere. Default: the factory that `MetricsSystem` was bootstrapped with.
    public var metricsFactory: (any MetricsFactory)? = MetricsSystem.factory

    /// Where spans go. `nil`: nowhere. Default: the tracer that `InstrumentationSystem` was bootstrapped with.
    public var tracer: (any Tracer)? = InstrumentationSystem.tracer

    /// Where logs go. `nil`: nowhere. Default: a logger with the label `BurstPool`.
    public var logger: Logger? = Logger(label: "BurstPool")

    /// Whether to record for how long connections are used, as `db.client.connection.use_time`, and the waits of those who
    /// did not wait. Default: `false`.
    ///
    /// It makes the pool observe its leases, which costs each of them two reads of the clock, two calls and a record of the
    /// metrics system: more than the lease itself.
    public var recordsUseTime = false

    /// How often gauges are refreshed if nothing happens. Default: 10 seconds.
    ///
    /// A lease of a connection that was idle does not count as something that happens, unless ``recordsUseTime``.
    public var refreshInterval: Duration = .seconds(10)

    /// How long to wait at the least before gauges are refreshed again, whatever happens. Default: 100 milliseconds.
    public var minimumRefreshGap: Duration = .milliseconds(100)

    /// In which time at most one line is logged for each kind of event, and one more that says how many there were besides.
    /// Default: 10 seconds. Zero and less: every event is logged.
    public var logInterval: Duration = .seconds(10)

    /// Tells the time for the three durations. Default: `ContinuousClock`. Tests can give a clock that they set themselves.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// - Parameter poolName: The pool's name, unique in the process.
    public init(poolName: String) {
        self.poolName = poolName
    }
}
