// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import BurstPoolSizing
import Logging

/// Reports one pool to swift-metrics, to the log, and to Datadog.
struct PoolObservation: Sendable {
    let name: String
    /// Records what is asked of the pool since the start of the service; `nil` for a shared pool, because the record is for the
    /// simulation of exclusive pools.
    private(set) var recorder: WorkloadRecorder?
    private let telemetry: ConnectionPoolTelemetry
    private let datadog: DatadogConnectionPoolObserver?

    /// - Parameters:
    ///   - name: The name of the pool in metrics and logs.
    ///   - datadog: Sends metrics to Datadog; `nil` if there is no agent.
    init(name: String, datadog: DogStatsDClient?, logger: Logger) {
        self.name = name
        var observation = ConnectionPoolTelemetryConfiguration()
        observation.logger = logger
        // A scrape must not return gauges that are seconds old.
        observation.refreshInterval = .seconds(1)
        // Cheap for `ScrapedMetrics`, whose timers record many zeros in one call. Together with Datadog, a multiplexer hides
        // this ability.
        observation.recordsImmediateAcquires = datadog == nil

        telemetry = ConnectionPoolTelemetry(configuration: observation)
        self.datadog = datadog.map {
            DatadogConnectionPoolObserver(client: $0, service: "link_server", extraTags: [DogStatsDTag("pool", name)])
        }
    }

    /// Creates a pool whose connections belong to one request at a time.
    ///
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    mutating func makePool<Strategy: ConnectionStrategy>(
        _ strategy: Strategy,
        _ configuration: ConnectionPoolConfiguration
    ) throws -> ConnectionPool<Strategy> {
        let recorder = WorkloadRecorder()
        self.recorder = recorder
        let pool = try ConnectionPool(
            strategy: strategy,
            configuration: configured(configuration, [recorder]),
            telemetry: telemetry
        )
        datadog?.observe(pool)
        return pool
    }

    /// Creates a pool whose connections are shared by several requests.
    ///
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    func makeSharedPool<Strategy: SharedConnectionStrategy>(
        _ strategy: Strategy,
        _ configuration: ConnectionPoolConfiguration
    ) throws -> SharedConnectionPool<Strategy> {
        var configuration = configured(configuration, [])
        // Both settings are about a connection that has a single holder.
        configuration.resetsConnections = false
        configuration.detectsNestedAcquires = false
        let pool = try SharedConnectionPool(strategy: strategy, configuration: configuration, telemetry: telemetry)
        datadog?.observe(pool)
        return pool
    }

    private func configured(
        _ pool: ConnectionPoolConfiguration,
        _ observers: [any ConnectionPoolObserver]
    ) -> ConnectionPoolConfiguration {
        var configuration = pool
        configuration.name = name
        configuration.observer = CombinedConnectionPoolObserver(observers + (datadog.map { [$0] } ?? []))
        return configuration
    }

    /// Sets the gauges to their final values before the metrics backends shut down.
    func refreshGauges() {
        telemetry.refresh()
        datadog?.refresh()
    }
}
