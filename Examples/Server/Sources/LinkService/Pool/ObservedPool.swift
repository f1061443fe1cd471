import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import BurstPoolRedis
import Logging

/// A pool that tells swift-metrics, the log, and Datadog what it does.
struct ObservedPool: Sendable {
    /// What metrics call the pool.
    static let name = "redis"

    let pool: RedisPool
    private let telemetry: ConnectionPoolTelemetry
    private let datadog: DatadogConnectionPoolObserver?

    /// - Parameters:
    ///   - datadog: `nil`: nobody listens.
    ///   - logger: Is told of failures and bursts.
    /// - Throws: `ConnectionPoolError` or `RedisError`, if the settings make no sense.
    init(_ settings: Settings, datadog: DogStatsDClient?, logger: Logger) throws {
        var ofTelemetry = ConnectionPoolTelemetryConfiguration(poolName: Self.name)
        ofTelemetry.logger = logger
        // Whoever fetches /metrics is to find what is, not what was seconds ago.
        ofTelemetry.refreshInterval = .seconds(1)

        telemetry = ConnectionPoolTelemetry(configuration: ofTelemetry)
        self.datadog = datadog.map { DatadogConnectionPoolObserver(client: $0, service: "link_server") }
        var configuration = settings.pool
        configuration.observer = self.datadog
        pool = try RedisPool(
            strategy: RedisConnectionStrategy(configuration: settings.redis),
            configuration: configuration,
            telemetry: telemetry
        )
        self.datadog?.observe(pool)
    }

    /// Has the gauges say what is now, for the last time: soon nobody sends them any more.
    func refreshGauges() {
        telemetry.refresh()
        datadog?.refresh()
    }
}
