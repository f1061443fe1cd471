// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import BurstPoolSizing
import Logging

/// A pool that reports to swift-metrics, to the log, and to Datadog, and that records what is asked of it.
struct ObservedPool<Strategy: ConnectionStrategy>: Sendable {
    let name: String
    let pool: ConnectionPool<Strategy>
    /// What is asked of the pool since the start of the service.
    let recorder = WorkloadRecorder()
    private let telemetry: ConnectionPoolTelemetry
    private let datadog: DatadogConnectionPoolObserver?

    /// - Parameters:
    ///   - name: The name of the pool in metrics and logs.
    ///   - datadog: Sends metrics to Datadog; `nil` if there is no agent.
    /// - Throws: `ConnectionPoolError` if the settings are invalid.
    init(
        name: String,
        _ strategy: Strategy,
        _ pool: ConnectionPoolConfiguration,
        datadog: DogStatsDClient?,
        logger: Logger
    ) throws {
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
        var configuration = pool
        configuration.name = name
        configuration.observer = CombinedConnectionPoolObserver([recorder] + (self.datadog.map { [$0] } ?? []))
        self.pool = try ConnectionPool(
            strategy: strategy,
            configuration: configuration,
            telemetry: telemetry
        )
        self.datadog?.observe(self.pool)
    }

    /// Sets the gauges to their final values before the metrics backends shut down.
    func refreshGauges() {
        telemetry.refresh()
        datadog?.refresh()
    }
}
