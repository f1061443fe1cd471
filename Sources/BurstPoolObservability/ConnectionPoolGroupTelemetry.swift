// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import BurstPoolSampling
import CoreMetrics
import Synchronization

/// Reports a group of pools to swift-metrics and swift-log. The number of metrics does not depend on the number of keys.
///
/// ```swift
/// let telemetry = ConnectionPoolGroupTelemetry(poolName: "tenants")
/// var configuration = ConnectionPoolConfiguration.recommended(maxSize: 4, burstLimit: 20)
/// configuration.observer = telemetry
/// let group = try ConnectionPoolGroup(maxTotal: 200, perKey: configuration, makeStrategy: makeStrategy)
/// telemetry.observe(group)
/// ```
///
/// ## Metrics
///
/// The metrics of ``ConnectionPoolTelemetry`` count all keys together. `db.client.connection.max` and
/// `db.client.connection.idle.max` are the total of the group.
///
/// The following gauges name the busiest keys, with the dimension `connection_pool.key`. All other keys together have the name
/// `other`. When a key is no longer among the busiest, its gauges are destroyed.
///
/// | metric | type | meaning |
/// |---|---|---|
/// | `db.client.connection.key.used` | gauge | the connections of the key that are in use |
/// | `db.client.connection.key.pending_requests` | gauge | the callers of the key in the wait queue |
///
/// Gauges are refreshed every ``ConnectionPoolTelemetryConfiguration/refreshInterval``, and not after events, because a refresh
/// looks at every key.
///
/// ## Logs
///
/// As those of ``ConnectionPoolTelemetry``. `pool.name` is the name of the key's pool: the name in the configuration of the keys, a
/// slash and the key. The limit on lines applies to the group. There are no spans.
public final class ConnectionPoolGroupTelemetry: ConnectionPoolObserver {
    /// The name of all keys that are not among the busiest.
    public static let otherKeys = "other"

    /// Whether ``ConnectionPoolTelemetryConfiguration/recordsUseTime`` is set and there is a metrics backend.
    public let observesLeases: Bool

    private let namedKeys: Int
    private let metrics: PoolMetrics?
    private let log: PoolLog?
    private let keyMetrics: Mutex<KeyMetrics?>
    private let sampler: StatisticsSampler

    /// - Parameters:
    ///   - poolName: The name of the group, unique in the process.
    ///   - configuration: Where telemetry is sent, and how often. Its `poolName`, `tracer`, `minimumRefreshGap` and
    ///     `recordsImmediateAcquires` have no effect.
    ///   - namedKeys: How many of the busiest keys have gauges of their own. Default: 10. With 0, no key is named in metrics.
    public init(
        poolName: String,
        configuration: ConnectionPoolTelemetryConfiguration = ConnectionPoolTelemetryConfiguration(),
        namedKeys: Int = 10
    ) {
        self.namedKeys = max(0, namedKeys)
        metrics = PoolMetrics(configuration, poolName: poolName)
        log = PoolLog(configuration, poolName: poolName)
        let dimensions = configuration.dimensions(ofPool: poolName)
        keyMetrics = Mutex(PoolMetrics.backend(of: configuration).map { KeyMetrics($0, dimensions: dimensions) })
        observesLeases = configuration.recordsUseTime && metrics != nil
        sampler = StatisticsSampler(
            period: configuration.refreshInterval,
            minimumGap: configuration.minimumRefreshGap,
            clock: configuration.clock
        )
    }

    /// Starts to refresh the gauges. Does not keep the group alive.
    ///
    /// - Parameter group: The group whose pools have this object as their observer.
    public func observe<Key, Strategy>(_ group: ConnectionPoolGroup<Key, Strategy>) {
        guard let metrics else { return }
        let minimumIdle = group.configuration.perKey.minimumIdle
        sampler.start(read: { [weak group] in group?.statistics }) { [weak self, weak group, namedKeys] statistics in
            metrics.set(statistics, minimumIdle: minimumIdle)
            let busiest = group?.busiestKeys(namedKeys).map { (name: "\($0.key)", statistics: $0.statistics) } ?? []
            self?.keyMetrics.withLock { $0?.set(busiest, total: statistics) }
        }
    }

    /// Sets the gauges to the current values before it returns.
    public func refresh() {
        sampler.refresh()
    }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        metrics?.record(event)
        log?.record(event)
    }

    public func connectionPool(named name: String, did event: ConnectionPoolEvent) {
        metrics?.record(event)
        log?.record(event, poolName: name)
    }
}
