// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolObservability
import BurstPoolTesting
import MetricsTestKit
import Testing

@Suite("Metrics of a shared pool", .timeLimit(.minutes(5)))
struct SharedPoolMetricsTests {
    private final class Connection: Sendable {}

    private final class Strategy: SharedConnectionStrategy {
        func makeConnection() async throws -> Connection { Connection() }
        func connectionIsClosed(_ connection: Connection) -> Bool { false }
        func closeConnection(_ connection: Connection) async throws {}
        func leaseLimit(of connection: Connection) -> Int { 2 }
    }

    @Test("the gauges count connections and leases, and are 0 after a shutdown")
    func gauges() async throws {
        let metrics = TestMetrics()
        var observation = ConnectionPoolTelemetryConfiguration(poolName: "answers")
        observation.metricsFactory = metrics
        observation.clock = ManualClock()
        let telemetry = ConnectionPoolTelemetry(configuration: observation)
        let pool = try SharedConnectionPool(
            strategy: Strategy(),
            configuration: ConnectionPoolConfiguration(maxSize: 2),
            telemetry: telemetry
        )
        func expect(
            connections: (used: Double, idle: Double),
            leases: (used: Double, idle: Double),
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            telemetry.refresh()
            let name = ("db.client.connection.pool.name", "answers")
            for (kind, expected) in [("count", connections), ("lease.count", leases)] {
                for (state, value) in [("used", expected.used), ("idle", expected.idle)] {
                    let gauge = try metrics.expectMeter(
                        "db.client.connection.\(kind)",
                        [name, ("db.client.connection.state", state)]
                    )
                    #expect(gauge.lastValue == value, "\(kind) \(state)", sourceLocation: location)
                }
            }
        }
        let first = try await pool.acquire()
        let second = try await pool.acquire()
        let third = try await pool.acquire()
        try expect(connections: (2, 0), leases: (3, 1))
        first.release()
        second.release()
        third.release()
        try expect(connections: (0, 2), leases: (0, 4))
        await pool.shutdown()
        try expect(connections: (0, 0), leases: (0, 0))
    }
}
