import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import BurstPoolRedis
import Logging

extension RedisPool {
    /// What metrics call the pool.
    static let name = "redis"

    /// A pool that tells swift-metrics, the log, and Datadog what it does.
    ///
    /// - Parameters:
    ///   - datadog: `nil`: nobody listens.
    ///   - logger: Is told of failures and bursts.
    /// - Throws: `ConnectionPoolError` or `RedisError`, if the settings make no sense.
    static func observed(
        _ settings: Settings,
        datadog: DogStatsDClient?,
        logger: Logger
    ) throws -> RedisPool {
        var telemetry = ConnectionPoolTelemetryConfiguration(poolName: name)
        telemetry.logger = logger
        // Whoever fetches /metrics is to find what is, not what was seconds ago.
        telemetry.refreshInterval = .seconds(1)

        let observer = datadog.map { DatadogConnectionPoolObserver(client: $0, service: "link_server") }
        var configuration = settings.pool
        configuration.observer = observer
        let pool = try RedisPool(
            strategy: RedisConnectionStrategy(configuration: settings.redis),
            configuration: configuration,
            telemetry: ConnectionPoolTelemetry(configuration: telemetry)
        )
        observer?.observe(pool)
        return pool
    }
}
