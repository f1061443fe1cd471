// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import BurstPoolSampling

/// Reports a pool to Datadog, under the names that the Python package `asyncio-connection-pool` uses.
///
/// ```swift
/// let pool = try ConnectionPool(
///     strategy: strategy,
///     configuration: configuration,
///     datadog: DatadogConnectionPoolObserver(client: client, service: "orders", extraTags: ["region:eu"])
/// )
/// ```
///
/// One object serves one pool. Gauges are sent shortly after an event, and every minute. They are 0 when the pool is gone.
///
/// | metric | type | meaning |
/// |---|---|---|
/// | `<service>.pool.total_connections` | gauge | all connections, including opening and closing ones |
/// | `<service>.pool.available_connections` | gauge | idle connections |
/// | `<service>.pool.connections_used` | gauge | connections in use |
/// | `<service>.pool.connections_acquiring` | gauge | callers in the wait queue |
/// | `<service>.pool.waiting` | gauge | callers in the wait queue for which no connection is opening |
/// | `<service>.pool.leases_used` | gauge | leases that callers hold; only of a shared pool |
/// | `<service>.pool.leases_available` | gauge | idle leases; only of a shared pool |
/// | `<service>.pool.getting_connection` | count | acquires by `method`: `available`, a connection was idle; `new`, one was opened for the caller; `wait`, the caller waited for a release |
///
/// A failed acquire counts as `new` if a connection could not be opened, and as `wait` otherwise. A caller for which a
/// connection was opening, and that received a released connection first, counts as `wait`. A shared pool does not count
/// acquires that found an idle lease, and a caller of it that waited counts as `wait`.
///
/// Events: `<service> pool using burst capacity` (warning), `<service> pool reached burst limit` (error) and `<service> pool
/// no longer bursting` (success). The second one is sent once per burst, and never if the pool has no burst limit.
public final class DatadogConnectionPoolObserver: ConnectionPoolObserver {
    /// Whether acquires that found an idle connection are counted.
    public let countsIdleLeases: Bool

    private let client: DogStatsDClient
    private let service: String
    private let tags: [DogStatsDTag]
    private let metrics: DatadogPoolMetrics
    private let sampler: StatisticsSampler
    private let burst = BurstReports()
    private let idleLeases = IdleLeaseCount()

    /// - Parameters:
    ///   - client: Sends the metrics and events. The observer does not shut it down.
    ///   - service: The prefix of metric names and event titles.
    ///   - extraTags: Tags of all metrics and events, in addition to the client's tags. Default: none.
    ///   - countsIdleLeases: Whether to count acquires that found an idle connection, as the Python package does. The pool
    ///     counts them, at a few instructions each, and the client reads the count at each flush. If `false`, there is no
    ///     `getting_connection` count with `method:available`. Default: `true`.
    ///   - refreshInterval: The time between two refreshes of the gauges if no event happens. Default: 1 minute.
    ///   - minimumRefreshGap: The shortest time between two refreshes of the gauges. Default: 100 milliseconds.
    ///   - clock: Measures both intervals. Default: `ContinuousClock`.
    public init(
        client: DogStatsDClient,
        service: String,
        extraTags: [DogStatsDTag] = [],
        countsIdleLeases: Bool = true,
        refreshInterval: Duration = .seconds(60),
        minimumRefreshGap: Duration = .milliseconds(100),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.client = client
        self.service = service
        tags = extraTags
        self.countsIdleLeases = countsIdleLeases
        metrics = DatadogPoolMetrics(client: client, service: service, tags: extraTags)
        sampler = StatisticsSampler(period: refreshInterval, minimumGap: minimumRefreshGap, clock: clock)
        if countsIdleLeases {
            client.recorder.addSource { [weak self] in
                guard let self else { return false }
                self.metrics.countIdle(self.idleLeases.takeNew())
                return true
            }
        }
    }

    /// Starts to send gauges. Does not keep the pool alive.
    ///
    /// Call this only for a pool that was not created with
    /// ``BurstPool/ConnectionPool/init(strategy:configuration:datadog:)``. Calling it again for the same pool has no effect.
    public func observe<Strategy>(_ pool: ConnectionPool<Strategy>) {
        burst.noteLimit(pool.statistics)
        if countsIdleLeases { idleLeases.observe(pool) }
        sampler.start(read: { [weak pool] in pool?.statistics }) { [metrics, burst] statistics in
            metrics.set(statistics)
            if let statistics { burst.noteLimit(statistics) }
        }
    }

    /// Starts to send the gauges of a shared pool, which include those of leases. Does not keep the pool alive.
    ///
    /// Call this only for a pool that was not created with
    /// ``BurstPool/SharedConnectionPool/init(strategy:configuration:leasePolicy:datadog:)``. Calling it again for the same pool
    /// has no effect.
    public func observe<Strategy>(_ pool: SharedConnectionPool<Strategy>) {
        burst.noteLimit(pool.statistics)
        sampler.start(read: { [weak pool] in pool?.statistics }) { [metrics, burst] statistics in
            metrics.set(statistics)
            metrics.setLeases(statistics)
            if let statistics { burst.noteLimit(statistics) }
        }
    }

    /// Passes the current gauges to the client before it returns.
    ///
    /// Call this between the shutdown of the pool and that of the client, so that the last gauges show an empty pool.
    public func refresh() {
        sampler.refresh()
    }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        switch event {
        case .acquired(let acquisition, _, _): metrics.count(acquisition)
        case .acquireFailed(let error, _, _):
            metrics.count(DatadogPoolMetrics.isConnectError(error) ? .opened : .waited)
        case .burstBegan(_, let maxSize):
            let upTo = burst.limit.map { " (up to \($0))" } ?? ""
            sendEvent(
                "using burst capacity",
                "The pool temporarily exceeds its maximum size of \(maxSize)\(upTo).",
                .warning
            )
        case .limitReached(let total):
            guard burst.mayReportLimit() else { break }
            sendEvent(
                "reached burst limit",
                "The pool has \(total) connections and may not open more. Callers are waiting.",
                .error
            )
        case .burstEnded(_, let maxSize):
            burst.end()
            sendEvent(
                "no longer bursting",
                "The pool no longer exceeds its maximum size of \(maxSize).",
                .success
            )
        case .dropped(let statistics):
            idleLeases.noteFinalTotal(statistics.idleLeases)
            metrics.countIdle(idleLeases.takeNew())
        default: break
        }
        sampler.requestRefresh()
    }

    private func sendEvent(_ what: String, _ text: String, _ type: DogStatsDAlertType) {
        client.event(title: "\(service) pool \(what)", text: text, alertType: type, tags: tags)
    }
}
