// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolObservability
import CoreMetrics
import Logging

extension InstructionGuard {
    /// The cost of leasing an idle connection from a pool that is on a dashboard: almost none.
    @concurrent
    static func leaseUnderObservation(_ record: Record) async throws {
        let client = try quietClient()
        try await lease("BurstPoolObservability", record, telemetry: telemetry(sentBy: client))
        try await lease(
            "BurstPoolDatadog",
            record,
            datadog: quiet(client)
        )
        try await lease(
            "both",
            record,
            telemetry: telemetry(sentBy: client),
            datadog: quiet(client)
        )
        try await lease(
            "BurstPoolDatadog without idle leases",
            record,
            datadog: quiet(client, countsIdleLeases: false)
        )
        await client.shutdown()
    }

    private static func quiet(_ client: DogStatsDClient, countsIdleLeases: Bool = true) -> DatadogConnectionPoolObserver
    {
        DatadogConnectionPoolObserver(
            client: client,
            service: "guard",
            countsIdleLeases: countsIdleLeases,
            refreshInterval: never,
            minimumRefreshGap: never
        )
    }

    private static func lease(
        _ name: String,
        _ record: Record,
        telemetry: ConnectionPoolTelemetry? = nil,
        datadog: DatadogConnectionPoolObserver? = nil
    ) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 8, burstLimit: 16)
        let observers: [(any ConnectionPoolObserver)?] = [telemetry, datadog]
        configuration.observer = CombinedConnectionPoolObserver(observers.compactMap(\.self))
        let pool = try ConnectionPool(strategy: Strategy(), configuration: configuration)
        telemetry?.observe(pool)
        datadog?.observe(pool)
        try await pool.withConnection { _ in }
        try await record.measure("withConnection, synchronous body, with \(name)") { count in
            for _ in 0..<count {
                try await pool.withConnection { connection in
                    connection.uses &+= 1
                }
            }
        }
        await pool.shutdown()
    }

    /// Metrics go to the client, spans are dropped, and logs end at the level check.
    private static func telemetry(sentBy client: DogStatsDClient) -> ConnectionPoolTelemetry {
        var configuration = ConnectionPoolTelemetryConfiguration(poolName: "guard")
        configuration.metricsFactory = DogStatsDMetricsFactory(client: client)
        configuration.refreshInterval = never
        configuration.minimumRefreshGap = never
        return ConnectionPoolTelemetry(configuration: configuration)
    }

    /// A client that sends nothing by itself during the measurement, because work of other threads would be counted
    /// too.
    private static func quietClient() throws -> DogStatsDClient {
        var configuration = DogStatsDConfiguration(address: .udp(host: "127.0.0.1", port: 9))
        configuration.flushInterval = never
        configuration.sendsTelemetry = false
        return try DogStatsDClient(configuration: configuration)
    }

    private static var never: Duration { .seconds(86_400) }
}
