// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolObservability
import BurstPoolTesting
import InMemoryLogging
import Logging
import MetricsTestKit
import Testing

@Suite("Metrics of a group", .timeLimit(.minutes(5)))
struct GroupMetricsTests {
    private let metrics = TestMetrics()
    private let log = InMemoryLogHandler()

    private func makeGroup(
        namedKeys: Int,
        strategy: @escaping @Sendable (String) -> ScriptedStrategy<Int> = { _ in ScriptedStrategy() }
    ) throws -> (ConnectionPoolGroup<String, ScriptedStrategy<Int>>, ConnectionPoolGroupTelemetry) {
        var configuration = ConnectionPoolTelemetryConfiguration()
        configuration.metricsFactory = metrics
        configuration.logger = Logger(label: "test") { [log] _ in log }
        configuration.clock = ManualClock()
        let telemetry = ConnectionPoolGroupTelemetry(
            poolName: "tenants",
            configuration: configuration,
            namedKeys: namedKeys
        )
        var perKey = ConnectionPoolConfiguration(maxSize: 4)
        perKey.name = "tenants"
        perKey.clock = ManualClock()
        perKey.observer = telemetry
        let group = try ConnectionPoolGroup(maxTotal: 20, perKey: perKey, makeStrategy: strategy)
        telemetry.observe(group)
        return (group, telemetry)
    }

    private func gauge(_ name: String, _ dimensions: [(String, String)] = []) -> Double? {
        let all = [("db.client.connection.pool.name", "tenants")] + dimensions
        return (try? metrics.expectMeter("db.client.connection." + name, all))?.lastValue
    }

    private func used(_ key: String) -> Double? { gauge("key.used", [("connection_pool.key", key)]) }

    @Test("the busiest keys have gauges, all others are counted as one, and a key that is quiet loses its gauges")
    func busiest() async throws {
        let (group, telemetry) = try makeGroup(namedKeys: 2)
        var leases: [String: [ConnectionLeaseBox]] = [:]
        for (key, count) in [("a", 3), ("b", 2), ("c", 1), ("d", 1)] {
            for _ in 0..<count {
                leases[key, default: []].append(ConnectionLeaseBox(try await group.acquire(for: key)))
            }
        }
        telemetry.refresh()
        #expect(used("a") == 3 && used("b") == 2)
        #expect(used("c") == nil && used("d") == nil)
        #expect(used("other") == 2)
        #expect(gauge("count", [("db.client.connection.state", "used")]) == 7)
        #expect(gauge("max") == 20)

        leases["a"] = nil
        telemetry.refresh()
        #expect(used("a") == nil)
        #expect(used("b") == 2)
        #expect(used("other") == 1, "the third and the fourth key have one each, and one of them is named")
        leases = [:]
        await group.shutdown()
    }

    @Test("with no named keys, metrics contain none")
    func unnamed() async throws {
        let (group, telemetry) = try makeGroup(namedKeys: 0)
        let lease = try await group.acquire(for: "secret")
        telemetry.refresh()
        #expect(used("secret") == nil)
        #expect(used("other") == 1)
        lease.release()
        await group.shutdown()
    }

    @Test("durations and logs come from the pools of all keys, and logs name the pool of the key")
    func events() async throws {
        let (group, _) = try makeGroup(namedKeys: 2) { key in
            ScriptedStrategy { $0.open = { _ in if key == "broken" { throw Refused() } } }
        }
        for key in ["a", "b"] { try await group.withConnection(for: key) { _ in } }
        await #expect(throws: Refused.self) { try await group.withConnection(for: "broken") { _ in } }
        let created = try metrics.expectTimer(
            "db.client.connection.create_time",
            [("db.client.connection.pool.name", "tenants")]
        )
        #expect(created.values.count == 2)
        #expect(log.entries.contains { $0.metadata["pool.name"] == "tenants/broken" && $0.level == .error })
        await group.shutdown()
    }

    private struct Refused: Error {}

    /// A lease that can be stored in a collection, and ends when it is dropped.
    private final class ConnectionLeaseBox {
        let lease: ConnectionLease<ScriptedStrategy<Int>>

        init(_ lease: consuming ConnectionLease<ScriptedStrategy<Int>>) { self.lease = lease }
    }
}
