// SPDX-License-Identifier: Apache-2.0

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
        try self.init(
            on: RedisConnectionStrategy(configuration: configuration),
            replica: replica.map { try RedisConnectionStrategy(configuration: $0) },
            settings: settings,
            metrics: metrics,
            datadog: datadog,
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
        try self.init(
            on: PostgresConnectionStrategy(configuration: configuration),
            replica: nil,
            settings: settings,
            metrics: metrics,
            datadog: datadog,
            logger: logger
        )
    }
}
