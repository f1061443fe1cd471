// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolObservability
import BurstPoolTesting
import CoreMetrics
import MetricsTestKit
import Synchronization
import Testing

@Suite("Acquires that did not wait", .timeLimit(.minutes(5)))
struct ImmediateAcquireTests {
    private func waits(_ observed: ObservedPool) throws -> [Int64] {
        try observed.metrics.expectTimer(
            "db.client.connection.wait_time",
            [("db.client.connection.pool.name", "orders")]
        ).values
    }

    @Test("by default the wait time includes only acquires that waited")
    func byDefault() async throws {
        let observed = try ObservedPool(maxSize: 1)
        for _ in 0..<5 { try await observed.pool.withConnection { _ in } }
        observed.telemetry.refresh()
        #expect(!observed.telemetry.countsIdleLeases)
        #expect(try waits(observed).count == 1)
        await observed.pool.shutdown()
    }

    @Test("on request the wait time includes every acquire, with a duration of zero if it found an idle connection")
    func included() async throws {
        let observed = try ObservedPool(maxSize: 1, observe: { $0.recordsImmediateAcquires = true })
        #expect(observed.telemetry.countsIdleLeases)
        #expect(!observed.telemetry.observesLeases)
        for _ in 0..<5 { try await observed.pool.withConnection { _ in } }
        observed.telemetry.refresh()
        #expect(try waits(observed).filter { $0 == 0 }.count >= 4)
        #expect(try waits(observed).count == 5)
        // Observing the pool again does not record them again.
        observed.telemetry.observe(observed.pool)
        try await observed.pool.withConnection { _ in }
        observed.telemetry.refresh()
        #expect(try waits(observed).count == 6)
        await observed.pool.shutdown()
    }

    @Test("acquires of a pool that is dropped without a shutdown are recorded")
    func dropped() async throws {
        let metrics = TestMetrics()
        var observation = ConnectionPoolTelemetryConfiguration()
        observation.metricsFactory = metrics
        observation.tracer = nil
        observation.logger = nil
        observation.clock = ManualClock()
        observation.recordsImmediateAcquires = true
        let telemetry = ConnectionPoolTelemetry(configuration: observation)
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.name = "sessions"
        var pool: ConnectionPool<ScriptedStrategy<Int>>? = try ConnectionPool(
            strategy: ScriptedStrategy(),
            configuration: configuration,
            telemetry: telemetry
        )
        for _ in 0..<5 { try await pool?.withConnection { _ in } }
        pool = nil
        // The metrics have the name in the pool's configuration.
        let timer = try metrics.expectTimer(
            "db.client.connection.wait_time",
            [("db.client.connection.pool.name", "sessions")]
        )
        #expect(timer.values.count == 5)
    }

    @Test("acquires are recorded once if leases are observed as well")
    func once() async throws {
        let observed = try ObservedPool(
            maxSize: 1,
            observe: {
                $0.recordsImmediateAcquires = true
                $0.recordsUseTime = true
            }
        )
        for _ in 0..<5 { try await observed.pool.withConnection { _ in } }
        observed.telemetry.refresh()
        #expect(try waits(observed).count == 5)
        await observed.pool.shutdown()
    }

    @Test("a timer that can record repeatedly receives one call per refresh")
    func repeated() async throws {
        let factory = RepeatingFactory()
        let observed = try ObservedPool(
            maxSize: 1,
            observe: {
                $0.metricsFactory = factory
                $0.recordsImmediateAcquires = true
            }
        )
        for _ in 0..<1_001 { try await observed.pool.withConnection { _ in } }
        observed.telemetry.refresh()
        let calls = factory.waitTime.repeatedCalls.value
        #expect(calls.map(\.count).reduce(0, +) == 1_000)
        #expect(calls.allSatisfy { $0.duration == 0 })
        #expect(calls.count < 100)
        await observed.pool.shutdown()
    }
}

/// A backend whose timers adopt `RepeatedTimerHandler`.
private final class RepeatingFactory: MetricsFactory {
    let waitTime = RepeatingTimer()

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        label.hasSuffix("wait_time") ? waitTime : RepeatingTimer()
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        NOOPMetricsHandler.instance.makeCounter(label: label, dimensions: dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

private final class RepeatingTimer: TimerHandler, RepeatedTimerHandler {
    let repeatedCalls = Shared<[(duration: Int64, count: Int)]>([])

    func recordNanoseconds(_ duration: Int64) {}

    func recordNanoseconds(_ duration: Int64, count: Int) {
        repeatedCalls.change { $0.append((duration, count)) }
    }
}
