import BurstPool
import InMemoryLogging
import InMemoryTracing
import Logging
import MetricsTestKit
import Testing

@testable import BurstPoolObservability

/// A pool whose telemetry ends up in memory, and whose time is the test's.
struct ObservedPool {
    let metrics = TestMetrics()
    let tracer = InMemoryTracer()
    let log = InMemoryLogHandler()
    /// The pool's time.
    let clock = ManualClock()
    /// The telemetry's time.
    let telemetryClock = ManualClock()
    let strategy: ScriptedStrategy
    let telemetry: ConnectionPoolTelemetry
    let pool: ConnectionPool<ScriptedStrategy>

    init(
        maxSize: Int,
        burstLimit: Int? = nil,
        strategy: ScriptedStrategy = ScriptedStrategy(),
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

    /// The latest value of a gauge; `nil`: it does not exist, or was never set.
    func gauge(_ name: String, _ dimensions: [(String, String)] = []) -> Double? {
        let all = [("db.client.connection.pool.name", "orders")] + dimensions
        return (try? metrics.expectMeter(name, all))?.lastValue
    }

    /// Lets the telemetry's time go on until a gauge has a value.
    func expectGauge(_ name: String, _ dimensions: [(String, String)], _ value: Double) async throws {
        try await eventually("\(name) \(dimensions) is \(value)") {
            telemetryClock.advance(by: .milliseconds(100))
            return gauge(name, dimensions) == value
        }
    }

    func expectGauge(_ name: String, _ value: Double) async throws {
        try await expectGauge(name, [], value)
    }

    /// Waits until so many callers wait.
    func expectWaiting(_ count: Int) async throws {
        try await eventually("\(count) callers wait") { pool.statistics.waiting == count }
    }

    func finishedSpans(_ name: String) -> [FinishedInMemorySpan] {
        tracer.finishedSpans.filter { $0.operationName == name }
    }
}
