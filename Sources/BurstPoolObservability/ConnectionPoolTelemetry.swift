// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import BurstPoolSampling
import Synchronization

/// Reports a pool to swift-metrics, swift-distributed-tracing and swift-log.
///
/// ```swift
/// let pool = try ConnectionPool(
///     strategy: strategy,
///     configuration: configuration,
///     telemetry: ConnectionPoolTelemetry(poolName: "orders")
/// )
/// ```
///
/// One object serves one pool. It adds no cost to the lease of an idle connection, unless the configuration sets
/// ``ConnectionPoolTelemetryConfiguration/recordsUseTime`` or
/// ``ConnectionPoolTelemetryConfiguration/recordsImmediateAcquires``.
///
/// ## Metrics
///
/// The names are those of OpenTelemetry's semantic conventions for database clients. Every metric has the dimension
/// `db.client.connection.pool.name` and the dimensions of the configuration. Gauges are refreshed shortly after an event, and
/// periodically. They are 0 when the pool is gone. Durations are recorded with timers whose preferred unit is the second;
/// backends that have histograms export timers as histograms.
///
/// | metric | type | meaning |
/// |---|---|---|
/// | `db.client.connection.count` | gauge | open connections by `db.client.connection.state`: `idle`, `used` |
/// | `db.client.connection.max` | gauge | the hard limit |
/// | `db.client.connection.idle.max` | gauge | the soft limit, `maxSize` |
/// | `db.client.connection.idle.min` | gauge | `ConnectionPoolConfiguration.minimumIdle` |
/// | `db.client.connection.pending_requests` | gauge | callers in the wait queue |
/// | `db.client.connection.timeouts` | counter | acquires that timed out |
/// | `db.client.connection.create_time` | timer | the duration of successful connection attempts |
/// | `db.client.connection.wait_time` | timer | how long successful acquires waited |
/// | `db.client.connection.use_time` | timer | how long leases lasted, if the configuration asks for it |
/// | `db.client.connection.lease.count` | gauge | only of a shared pool: leases by `db.client.connection.state`: `idle`, `used` |
///
/// A shared pool does not count the leases that callers get at once, so
/// ``ConnectionPoolTelemetryConfiguration/recordsImmediateAcquires`` has no effect on it. The convention has no name for leases;
/// `lease.count` is this package's own.
///
/// ## Spans
///
/// Every span has the attribute `db.client.connection.pool.name`.
///
/// - `connection_pool.acquire` is a child of the caller's span. It lasts from joining the wait queue to a connection or an
///   error. The attribute `connection_pool.acquisition` is `opened` or `waited`. An acquire that finds an idle connection
///   makes no span.
/// - `connection_pool.wait` is a child of the acquire span and lasts as long. It exists only if the caller received a
///   released connection, or none.
/// - `connection_pool.connect` is a child of the acquire span of the caller on whose behalf the connection was opened, even if
///   the connection then serves another caller. It has no parent if the pool opened the connection to reach its minimum idle,
///   or if more than 4,096 other callers have stopped waiting since.
///
/// ## Logs
///
/// At most one line of each kind is logged in ``ConnectionPoolTelemetryConfiguration/logInterval``, followed by one line with
/// the number of suppressed lines. The metadata contains `pool.name`, and where they apply `error`, `reason`, `acquired_at`,
/// `duration_ms`, `total`, `max_size`, `suppressed` and `interval_ms`.
///
/// | level | kinds |
/// |---|---|
/// | error | a connection could not be opened and the pool does not try again; the circuit breaker opened |
/// | warning | the pool was dropped without a shutdown; a connection could not be opened and the pool tries again; an acquire timed out or was rejected; the hard limit was reached; a close failed or exceeded its timeout; a lease is overdue |
/// | notice | a burst began or ended; the circuit breaker closed; an overdue lease was released |
/// | info | the circuit breaker is half open |
/// | debug | a connection was opened or closed |
public final class ConnectionPoolTelemetry: ConnectionPoolObserver {
    /// Whether ``ConnectionPoolTelemetryConfiguration/recordsUseTime`` is set and there is a metrics backend.
    public let observesLeases: Bool

    /// Whether ``ConnectionPoolTelemetryConfiguration/recordsImmediateAcquires`` is in effect.
    public let countsIdleLeases: Bool

    /// The pool's name if the configuration has one.
    let poolName: String?

    private let configuration: ConnectionPoolTelemetryConfiguration
    private let hasMetrics: Bool
    /// The backends. They are made when the name of the pool is known.
    private let backends = AtomicLazyReference<Backends>()
    private let sampler: StatisticsSampler
    private let idleLeases = IdleLeaseCount()

    /// The metrics, spans and log of the pool.
    private final class Backends: Sendable {
        let metrics: PoolMetrics?
        let spans: PoolSpans?
        let log: PoolLog?

        init(_ configuration: ConnectionPoolTelemetryConfiguration, poolName: String) {
            metrics = PoolMetrics(configuration, poolName: poolName)
            spans = PoolSpans(configuration, poolName: poolName)
            log = PoolLog(configuration, poolName: poolName)
        }
    }

    public init(configuration: ConnectionPoolTelemetryConfiguration = ConnectionPoolTelemetryConfiguration()) {
        self.configuration = configuration
        poolName = configuration.poolName
        hasMetrics = PoolMetrics.backend(of: configuration) != nil
        observesLeases = configuration.recordsUseTime && hasMetrics
        // A pool that observes its leases reports each of them as an event, so counting them as well would record them twice.
        countsIdleLeases = configuration.recordsImmediateAcquires && hasMetrics && !observesLeases
        sampler = StatisticsSampler(
            period: configuration.refreshInterval,
            minimumGap: configuration.minimumRefreshGap,
            clock: configuration.clock
        )
    }

    /// Creates telemetry with the default configuration and a name for the pool.
    ///
    /// - Parameter poolName: The pool's name, unique in the process.
    public convenience init(poolName: String) {
        self.init(configuration: ConnectionPoolTelemetryConfiguration(poolName: poolName))
    }

    private func backends(_ name: String) -> Backends {
        backends.load() ?? backends.storeIfNil(Backends(configuration, poolName: poolName ?? name))
    }

    /// Starts to refresh the gauges. Does not keep the pool alive.
    ///
    /// Call this only for a pool that was not created with `ConnectionPool.init(strategy:configuration:telemetry:)`. Calling
    /// it again for the same pool has no effect.
    ///
    /// - Parameter pool: The pool whose configuration has this object as its observer.
    public func observe<Strategy>(_ pool: ConnectionPool<Strategy>) {
        let settings = pool.configuration
        guard let metrics = backends(settings.name).metrics else { return }
        if countsIdleLeases { idleLeases.observe(pool) }
        sampler.start(read: { [weak pool] in pool?.statistics }) { [idleLeases] statistics in
            metrics.recordImmediateAcquires(idleLeases.takeNew())
            metrics.set(statistics, minimumIdle: settings.minimumIdle)
        }
    }

    /// Starts to refresh the gauges of a shared pool, which include those of leases. Does not keep the pool alive.
    ///
    /// Call this only for a pool that was not created with `SharedConnectionPool.init(strategy:configuration:telemetry:)`.
    /// Calling it again for the same pool has no effect.
    ///
    /// - Parameter pool: The pool whose configuration has this object as its observer.
    public func observe<Strategy>(_ pool: SharedConnectionPool<Strategy>) {
        let settings = pool.configuration
        guard let metrics = backends(settings.name).metrics, let factory = PoolMetrics.backend(of: configuration) else {
            return
        }
        let leases = LeaseMetrics(factory, dimensions: configuration.dimensions(ofPool: poolName ?? settings.name))
        sampler.start(read: { [weak pool] in pool?.statistics }) { statistics in
            metrics.set(statistics, minimumIdle: settings.minimumIdle)
            leases.set(statistics)
        }
    }

    /// Sets the gauges to the current values before it returns.
    ///
    /// Call this between the shutdown of the pool and that of the metrics backend, or to read the gauges without waiting for
    /// the next refresh.
    public func refresh() {
        sampler.refresh()
    }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        connectionPool(named: poolName ?? "pool", did: event)
    }

    public func connectionPool(named name: String, did event: ConnectionPoolEvent) {
        let backends = backends(name)
        if countsIdleLeases, case .dropped(let statistics) = event {
            idleLeases.noteFinalTotal(statistics.idleLeases)
            backends.metrics?.recordImmediateAcquires(idleLeases.takeNew())
        }
        backends.metrics?.record(event)
        backends.spans?.record(event)
        backends.log?.record(event)
        if hasMetrics { sampler.requestRefresh() }
    }
}
