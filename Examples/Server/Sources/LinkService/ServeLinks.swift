// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import BurstPoolPostgres
import BurstPoolRedis
import Logging

/// Runs the service on the database of the settings, until SIGTERM or SIGINT.
///
/// - Parameters:
///   - metrics: The metrics at `/metrics`, which must be a backend of swift-metrics.
///   - datadog: Sends metrics to Datadog. The service does not shut it down. `nil` if there is no agent.
/// - Throws: `ConnectionPoolError`, `RedisError` or `PostgresError` if the settings are invalid; ``CannotListen`` if the port is
///   in use or the address does not belong to this machine.
public func serveLinks(
    _ settings: Settings,
    metrics: ScrapedMetrics,
    datadog: DogStatsDClient?,
    logger: Logger
) async throws {
    if let postgres = settings.postgres {
        try await LinkService(
            postgres: postgres,
            settings: settings,
            metrics: metrics,
            datadog: datadog,
            logger: logger
        ).run()
    } else {
        try await LinkService(
            redis: settings.redis,
            replica: settings.replica,
            settings: settings,
            metrics: metrics,
            datadog: datadog,
            logger: logger
        ).run()
    }
}

extension LinkService<RedisConnectionStrategy> {
    /// Creates the service on Redis, without connecting to it.
    ///
    /// Links are read through a pool of their own, whose connections are shared by many requests, unless
    /// ``Settings/sharesReads`` is `false`. Writes use connections that belong to one request at a time.
    ///
    /// - Parameters:
    ///   - configuration: The server that stores the links.
    ///   - replica: A replica of it, from which links are read. `nil` if there is none.
    /// - Throws: `ConnectionPoolError` or `RedisError` if the settings are invalid.
    init(
        redis configuration: RedisConfiguration,
        replica: RedisConfiguration? = nil,
        settings: Settings,
        metrics: ScrapedMetrics,
        datadog: DogStatsDClient? = nil,
        logger: Logger
    ) throws {
        let name = settings.pool.name
        var pools = ServicePools(settings.pool, datadog: datadog, logger: logger)
        let database = try pools.add(name, RedisConnectionStrategy(configuration: configuration))
        var readers: [any LinkSource] = [database]
        if settings.sharesReads {
            let strategy = try SharedRedisConnectionStrategy(configuration: configuration)
            readers = [try pools.addShared("\(name)-reads", strategy, reachability: database.reachability)]
        }
        if let replica {
            let name = "\(name)-replica"
            let reader: any LinkSource =
                if settings.sharesReads {
                    try pools.addShared(name, SharedRedisConnectionStrategy(configuration: replica))
                } else {
                    try pools.add(name, RedisConnectionStrategy(configuration: replica))
                }
            readers.insert(reader, at: 0)
        }
        self.init(
            on: database,
            readers: readers,
            pools: pools,
            settings: settings,
            metrics: metrics,
            logger: logger
        )
    }
}

extension LinkService<PostgresConnectionStrategy> {
    /// Creates the service on PostgreSQL, without connecting to it. Statements are measured too.
    ///
    /// - Parameter configuration: The server that stores the links.
    /// - Throws: `ConnectionPoolError` or `PostgresError` if the settings are invalid.
    init(
        postgres configuration: PostgresConfiguration,
        settings: Settings,
        metrics: ScrapedMetrics,
        datadog: DogStatsDClient? = nil,
        logger: Logger
    ) throws {
        var configuration = configuration
        configuration.onExecution = PostgresQueryTelemetry().record
        var pools = ServicePools(settings.pool, datadog: datadog, logger: logger)
        let strategy = try PostgresConnectionStrategy(configuration: configuration)
        let database = try pools.add(settings.pool.name, strategy)
        self.init(
            on: database,
            readers: [database],
            pools: pools,
            settings: settings,
            metrics: metrics,
            logger: logger
        )
    }
}
