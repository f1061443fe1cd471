// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import InMemoryLogging
import InMemoryTracing
import Logging
import MetricsTestKit
import Testing

@testable import BurstPoolObservability

/// A pool with telemetry in memory and clocks that the test advances.
struct ObservedPool {
    let metrics = TestMetrics()
    let tracer = InMemoryTracer()
    let log = InMemoryLogHandler()
    /// The clock of the pool.
    let clock = ManualClock()
    /// The clock of the telemetry.
    let telemetryClock = ManualClock()
    let strategy: ScriptedStrategy<Int>
    let telemetry: ConnectionPoolTelemetry
    let pool: ConnectionPool<ScriptedStrategy<Int>>

    init(
        maxSize: Int,
        burstLimit: Int? = nil,
        strategy: ScriptedStrategy<Int> = ScriptedStrategy(),
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
        observe: (inout ConnectionPoolTelemetryConfiguration) -> Void = { _ in }
    ) throws {
        self.strategy = strategy
        var observation = ConnectionPoolTelemetryConfiguration(poolName: "orders")
        observation.metricsFactory = metrics
        observation.tracer = tracer
        observation.logger = Logger(label: "test") { [log] _ in log }
        observation.clock = telemetryClock
        observe(&observation)
        telemetry = ConnectionPoolTelemetry(configuration: observation)
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        configuration.clock = clock
        configure(&configuration)
        pool = try ConnectionPool(strategy: strategy, configuration: configuration, telemetry: telemetry)
    }

    /// Returns the last value of a gauge, or `nil` if it does not exist or was never set.
    func gauge(_ name: String, _ dimensions: [(String, String)] = []) -> Double? {
        let all = [("db.client.connection.pool.name", "orders")] + dimensions
        return (try? metrics.expectMeter(name, all))?.lastValue
    }

    /// Advances the telemetry's clock until a gauge has a value.
    func expectGauge(_ name: String, _ dimensions: [(String, String)], _ value: Double) async throws {
        try await eventually("\(name) \(dimensions) is \(value)") {
            telemetryClock.advance(by: .milliseconds(100))
            return gauge(name, dimensions) == value
        }
    }

    func expectGauge(_ name: String, _ value: Double) async throws {
        try await expectGauge(name, [], value)
    }

    /// Waits until a number of callers are in the wait queue.
    func expectWaiting(_ count: Int) async throws {
        try await eventually("\(count) callers wait") { pool.statistics.waiting == count }
    }

    func finishedSpans(_ name: String) -> [FinishedInMemorySpan] {
        tracer.finishedSpans.filter { $0.operationName == name }
    }
}
