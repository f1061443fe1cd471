public import BurstPool
import BurstPoolSampling

/// Tells swift-metrics, swift-distributed-tracing and swift-log what happens in a pool.
///
/// ```swift
/// let pool = try ConnectionPool(
///     strategy: strategy,
///     configuration: configuration,
///     telemetry: ConnectionPoolTelemetry(poolName: "orders")
/// )
/// ```
///
/// One object serves one pool. A lease of an idle connection costs nothing more with it than without, unless
/// ``ConnectionPoolTelemetryConfiguration/recordsUseTime``.
///
/// ## Metrics
///
/// By OpenTelemetry's semantic conventions for database clients, with the dimension `db.client.connection.pool.name` and the
/// configuration's own. Gauges are refreshed soon after something has happened, and on a period; they are 0 when the pool is
/// gone. Times are recorded in nanoseconds by timers whose preferred unit is OpenTelemetry's, seconds.
///
/// | metric | kind | what |
/// |---|---|---|
/// | `db.client.connection.count` | gauge | connections, by `db.client.connection.state`: `idle`, `used` |
/// | `db.client.connection.max` | gauge | the hard limit |
/// | `db.client.connection.idle.max` | gauge | the soft limit |
/// | `db.client.connection.idle.min` | gauge | ``ConnectionPoolConfiguration/minimumIdle`` |
/// | `db.client.connection.pending_requests` | gauge | callers that wait |
/// | `db.client.connection.timeouts` | counter | callers that waited in vain until their time was up |
/// | `db.client.connection.create_time` | timer | how long opening took, where it succeeded |
/// | `db.client.connection.wait_time` | timer | how long those waited who found no connection idle, and got one |
/// | `db.client.connection.use_time` | timer | how long leases lasted, if asked for |
///
/// ## Spans
///
/// With the attribute `db.client.connection.pool.name`:
///
/// - `connection_pool.acquire`, a child of the caller's span: from joining the queue to a connection or an error. It tells in
///   `connection_pool.acquisition` how the connection was got: `opened` or `waited`. None for a connection that was idle.
/// - `connection_pool.wait`, a child of acquire, as long: only if the caller was handed a connection of another, or none.
/// - `connection_pool.connect`, a child of the acquire of that caller on whose behalf the connection was opened, also if it
///   came too late and serves another one. Without a parent if the pool opened it for its own stock, or if more than 4,096
///   callers have been served since its own has gone.
///
/// ## Logs
///
/// One line for each kind of event in ``ConnectionPoolTelemetryConfiguration/logInterval``, and at the end of it one more
/// if there were others, with their number in `suppressed`. Keys of the metadata: `pool.name` always, and as they apply
/// `error`, `reason`, `place`, `duration_ms`, `total`, `max_size`, `suppressed`, `interval_ms`.
///
/// | level | kinds |
/// |---|---|
/// | error | a connection did not open and it is not tried again; the circuit breaker opened |
/// | warning | a connection did not open and it is tried again; a caller waited in vain or was turned away; the hard limit was reached; closing failed or takes too long; a lease is overdue |
/// | notice | a burst began or ended; the circuit breaker closed; an overdue lease came back |
/// | info | the circuit breaker is half open |
/// | debug | a connection was opened or closed |
public final class ConnectionPoolTelemetry: ConnectionPoolObserver {
    /// ``ConnectionPoolTelemetryConfiguration/recordsUseTime``, as long as there are metrics.
    public let observesLeases: Bool

    private let metrics: PoolMetrics?
    private let spans: PoolSpans?
    private let log: PoolLog?
    private let sampler: StatisticsSampler

    public init(configuration: ConnectionPoolTelemetryConfiguration) {
        metrics = PoolMetrics(configuration)
        spans = PoolSpans(configuration)
        log = PoolLog(configuration)
        observesLeases = configuration.recordsUseTime && metrics != nil
        sampler = StatisticsSampler(
            period: configuration.refreshInterval,
            minimumGap: configuration.minimumRefreshGap,
            clock: configuration.clock
        )
    }

    /// With all else as by default.
    ///
    /// - Parameter poolName: The pool's name, unique in the process.
    public convenience init(poolName: String) {
        self.init(configuration: ConnectionPoolTelemetryConfiguration(poolName: poolName))
    }

    /// Starts to refresh the gauges. Needed only for a pool that was not made with
    /// ``ConnectionPool/init(strategy:configuration:telemetry:)``. The pool is not kept alive by it.
    ///
    /// - Parameters:
    ///   - pool: The pool whose configuration has this observer.
    ///   - minimumIdle: What the configuration has as ``ConnectionPoolConfiguration/minimumIdle``.
    public func observe<Strategy>(_ pool: ConnectionPool<Strategy>, minimumIdle: Int = 0) {
        guard let metrics else { return }
        sampler.start(pool) { metrics.set($0, minimumIdle: minimumIdle) }
    }

    /// Sets the gauges to what is now. For the end, between the pool's shutdown and that of the metrics backend, and for
    /// whoever wants to read them without waiting for the next refresh.
    public func refresh() {
        sampler.refresh()
    }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        metrics?.record(event)
        spans?.record(event)
        log?.record(event)
        if metrics != nil { sampler.nudge() }
    }
}
