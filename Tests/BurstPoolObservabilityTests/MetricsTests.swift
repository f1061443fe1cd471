// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolObservability
import BurstPoolTesting
import CoreMetrics
import MetricsTestKit
import Testing

@Suite("Metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
    private let idle = [("db.client.connection.state", "idle")]
    private let used = [("db.client.connection.state", "used")]

    @Test("the gauges have the values that OpenTelemetry defines, and are 0 after a shutdown")
    func gauges() async throws {
        let gate = Gate()
        let strategy = ScriptedStrategy { $0.open = { if $0 == 3 { await gate.pass() } } }
        let observed = try ObservedPool(maxSize: 2, burstLimit: 4, strategy: strategy)
        let pool = observed.pool
        try await observed.expectGauge("db.client.connection.max", 4)
        try await observed.expectGauge("db.client.connection.idle.max", 2)
        try await observed.expectGauge("db.client.connection.idle.min", 0)

        let first = try await pool.acquire()
        let second = try await pool.acquire()
        try await observed.expectGauge("db.client.connection.count", used, 2)
        first.release()
        // A lease of an idle connection is not an event, so the periodic refresh shows it.
        try await observed.expectGauge("db.client.connection.count", used, 1)
        try await observed.expectGauge("db.client.connection.count", idle, 1)

        let again = try await pool.acquire()
        let third = Task { try await pool.withConnection { _ in } }
        try await observed.expectWaiting(1)
        try await observed.expectGauge("db.client.connection.pending_requests", 1)
        try await observed.expectGauge("db.client.connection.count", used, 2)
        try await observed.expectGauge("db.client.connection.count", idle, 0)
        gate.open()
        try await third.value
        again.release()
        second.release()
        await pool.shutdown()
        for name in ["max", "idle.max", "idle.min", "pending_requests"] {
            try await observed.expectGauge("db.client.connection.\(name)", 0)
        }
        try await observed.expectGauge("db.client.connection.count", idle, 0)
        try await observed.expectGauge("db.client.connection.count", used, 0)
    }

    @Test("an explicit refresh sets the gauges to the current values")
    func refreshed() async throws {
        let observed = try ObservedPool(maxSize: 2)
        let lease = try await observed.pool.acquire()
        try await observed.expectGauge("db.client.connection.count", used, 1)
        lease.release()
        observed.telemetry.refresh()
        #expect(observed.gauge("db.client.connection.count", used) == 0)
        await observed.pool.shutdown()
    }

    @Test("the gauge of the minimum idle has the value of the configuration")
    func minimumIdle() async throws {
        let observed = try ObservedPool(maxSize: 2, configure: { $0.minimumIdle = 1 })
        try await observed.expectGauge("db.client.connection.idle.min", 1)
        await observed.pool.shutdown()
    }

    @Test("durations are recorded in nanoseconds with seconds as the preferred unit")
    func times() async throws {
        let shared = ManualClock()
        let strategy = ScriptedStrategy { $0.open = { _ in shared.advance(by: .milliseconds(250)) } }
        let observed = try ObservedPool(
            maxSize: 1,
            strategy: strategy,
            configure: { $0.clock = shared },
            observe: { $0.recordsUseTime = true }
        )
        try await observed.pool.withConnection { _ in shared.advance(by: .milliseconds(1500)) }
        for (name, value) in [("create_time", 250_000_000), ("wait_time", 250_000_000), ("use_time", 1_500_000_000)] {
            let timer = try observed.metrics.expectTimer(
                "db.client.connection.\(name)",
                [("db.client.connection.pool.name", "orders")]
            )
            #expect(timer.values == [Int64(value)], "\(name)")
            #expect(timer.displayUnit == .seconds, "\(name)")
        }
        await observed.pool.shutdown()
    }

    @Test("an acquire that timed out counts as a timeout, and a cancelled one does not")
    func timeouts() async throws {
        let observed = try ObservedPool(maxSize: 1)
        let pool = observed.pool
        let lease = try await pool.acquire()
        let late = Task { try await pool.withConnection(timeout: .seconds(1)) { _ in } }
        try await observed.expectWaiting(1)
        try await eventually("the timeout is scheduled") {
            observed.clock.nextDeadline.map { $0 <= .seconds(1) } ?? false
        }
        observed.clock.advance(by: .seconds(1))
        await #expect(throws: ConnectionPoolError.self) { try await late.value }
        let cancelled = Task { try await pool.withConnection(timeout: .seconds(1)) { _ in } }
        try await observed.expectWaiting(1)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let timeouts = try observed.metrics.expectCounter(
            "db.client.connection.timeouts",
            [("db.client.connection.pool.name", "orders")]
        )
        #expect(timeouts.totalValue == 1)
        lease.release()
        await pool.shutdown()
    }

    @Test("every metric has the pool's name and the user's dimensions, and there are no other metrics")
    func names() async throws {
        let observed = try ObservedPool(
            maxSize: 1,
            observe: {
                $0.dimensions = [("region", "eu")]
                $0.recordsUseTime = true
            }
        )
        let metrics = observed.metrics
        let names = Set(metrics.meters.map(\.label) + metrics.counters.map(\.label) + metrics.timers.map(\.label))
        #expect(
            names
                == Set(
                    [
                        "count", "max", "idle.max", "idle.min", "pending_requests", "timeouts", "create_time",
                        "wait_time", "use_time",
                    ].map { "db.client.connection.\($0)" }
                )
        )
        #expect(metrics.recorders.isEmpty)
        let common = ["db.client.connection.pool.name=orders", "region=eu"]
        for meter in metrics.meters where meter.label != "db.client.connection.count" {
            #expect(meter.dimensions.map { "\($0)=\($1)" } == common)
        }
        for counter in metrics.counters { #expect(counter.dimensions.map { "\($0)=\($1)" } == common) }
        for timer in metrics.timers { #expect(timer.dimensions.map { "\($0)=\($1)" } == common) }
        let states = metrics.meters.filter { $0.label == "db.client.connection.count" }.map(\.dimensions)
        #expect(
            Set(states.map { $0.map { "\($0)=\($1)" } })
                == [
                    common + ["db.client.connection.state=idle"], common + ["db.client.connection.state=used"],
                ]
        )
        await observed.pool.shutdown()
    }

    @Test("by default the use time is not recorded, and leases of idle connections are not observed")
    func idleLeasesAreFree() async throws {
        let recorder = EventRecorder()
        let observed = try ObservedPool(maxSize: 1, configure: { $0.observer = recorder })
        #expect(!observed.telemetry.observesLeases)
        #expect(observed.metrics.timers.allSatisfy { $0.label != "db.client.connection.use_time" })
        try await observed.pool.withConnection { _ in }
        let before = recorder.events.count
        #expect(before > 0)
        for _ in 0..<10_000 { try await observed.pool.withConnection { _ in } }
        #expect(recorder.events.count == before)
        await observed.pool.shutdown()
    }

    @Test("gauges are refreshed at most once per minimum gap, and once per period without events")
    func pace() async throws {
        let observed = try ObservedPool(maxSize: 1, observe: { $0.logger = nil })
        let clock = observed.telemetryClock
        func refreshes() -> Int {
            (try? observed.metrics.expectMeter(
                "db.client.connection.max",
                [("db.client.connection.pool.name", "orders")]
            ))?
            .values.count ?? 0
        }
        // One task sleeps until the period ends, the other until the minimum gap ends.
        try await eventually("the first refresh") { refreshes() == 1 }
        try await clock.waitForSleepers(2)
        for _ in 0..<1_000 { observed.telemetry.connectionPool(.burstBegan(total: 2, maxSize: 1)) }
        await letOthersRun()
        #expect(refreshes() == 1)
        clock.advance(by: .milliseconds(100))
        try await eventually("one refresh for all events") { refreshes() == 2 }
        try await clock.waitForSleepers(2)
        clock.advance(by: .milliseconds(100))
        await letOthersRun()
        #expect(refreshes() == 2)
        // No refresh is pending, and only the period is left.
        try await clock.waitForSleepers(1)
        clock.advance(by: .milliseconds(9_799))
        await letOthersRun()
        #expect(refreshes() == 2)
        clock.advance(by: .milliseconds(1))
        try await eventually("the periodic refresh") { refreshes() == 3 }
        await observed.pool.shutdown()
    }

    @Test("the telemetry does not keep a pool alive, and the gauges of a dropped pool are 0")
    func dropped() async throws {
        let metrics = TestMetrics()
        let clock = ManualClock()
        var observation = ConnectionPoolTelemetryConfiguration(poolName: "orders")
        observation.metricsFactory = metrics
        observation.tracer = nil
        observation.logger = nil
        observation.clock = clock
        let telemetry = ConnectionPoolTelemetry(configuration: observation)
        let strategy = ScriptedStrategy()
        var pool: ConnectionPool<ScriptedStrategy<Int>>? = try ConnectionPool(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: 3),
            telemetry: telemetry
        )
        try await pool?.withConnection { _ in }
        let dimensions = [("db.client.connection.pool.name", "orders")]
        let max = try metrics.expectMeter("db.client.connection.max", dimensions)
        try await eventually("the gauge is set") { max.lastValue == 3 }
        pool = nil
        try await eventually("the gauge is 0") {
            clock.advance(by: .milliseconds(100))
            return max.lastValue == 0
        }
        try await eventually("the connection is closed") { strategy.counts.openNow == 0 }
        try await eventually("no task sleeps any more") { clock.sleepers == 0 }
    }
}
