// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import InMemoryLogging
import Logging
import Testing

@testable import BurstPool
@testable import BurstPoolObservability

@Suite("Logs", .timeLimit(.minutes(5)))
struct LogsTests {
    private func makeTelemetry(
        _ log: InMemoryLogHandler,
        _ clock: ManualClock,
        _ change: (inout ConnectionPoolTelemetryConfiguration) -> Void = { _ in }
    ) -> ConnectionPoolTelemetry {
        var configuration = ConnectionPoolTelemetryConfiguration(poolName: "orders")
        configuration.metricsFactory = nil
        configuration.tracer = nil
        configuration.logger = Logger(label: "test") { _ in log }
        configuration.clock = clock
        change(&configuration)
        return ConnectionPoolTelemetry(configuration: configuration)
    }

    @Test("an outage with 10,000 failures is logged in two lines, of which the second has the number of the others")
    func outage() async throws {
        let strategy = ScriptedStrategy { $0.open = { throw ScriptedError("refused, attempt \($0)") } }
        let observed = try ObservedPool(maxSize: 4, strategy: strategy)
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2_500 { try? await observed.pool.withConnection { _ in } }
                }
            }
        }
        #expect(strategy.counts.attempts == 10_000)
        let failures = observed.log.entries.filter { $0.level == .error }
        #expect(failures.count == 1)
        #expect(failures.first?.message == "A connection could not be opened")
        #expect(failures.first?.metadata["pool.name"] == "orders")
        #expect(failures.first?.metadata["error"]?.description.hasPrefix("refused, attempt ") == true)
        #expect(failures.first?.metadata.texts["duration_ms"] == "0.0")

        observed.telemetryClock.advance(by: .milliseconds(9_999))
        await letOthersRun()
        #expect(observed.log.entries.filter { $0.level == .error }.count == 1)
        observed.telemetryClock.advance(by: .milliseconds(1))
        try await eventually("the number of suppressed lines is logged") {
            observed.log.entries.filter { $0.level == .error }.count == 2
        }
        let summary = try #require(observed.log.entries.last { $0.level == .error })
        #expect(summary.message == "A connection could not be opened (9999 more)")
        #expect(summary.metadata.texts == ["pool.name": "orders", "suppressed": "9999", "interval_ms": "10000.0"])

        try? await observed.pool.withConnection { _ in }
        #expect(
            observed.log.entries.filter { $0.level == .error }.count == 3,
            "the next interval has its own line"
        )
        // The other kinds of lines are limited as well.
        #expect(observed.log.entries.count <= 6, "\(observed.log.entries.map(\.message))")
        await observed.pool.shutdown()
    }

    @Test("every kind of line has its own limit")
    func kinds() {
        let log = InMemoryLogHandler()
        let telemetry = makeTelemetry(log, ManualClock())
        for _ in 0..<3 {
            telemetry.connectionPool(.burstBegan(total: 3, maxSize: 2))
            telemetry.connectionPool(.burstEnded(total: 2, maxSize: 2))
        }
        #expect(log.entries.count == 2)
    }

    @Test("an interval of zero logs every event")
    func unlimited() {
        let log = InMemoryLogHandler()
        let telemetry = makeTelemetry(log, ManualClock()) { $0.logInterval = .zero }
        for _ in 0..<100 { telemetry.connectionPool(.burstBegan(total: 3, maxSize: 2)) }
        #expect(log.entries.count == 100)
    }

    @Test("suppressed lines are reported when the telemetry ends")
    func end() {
        let log = InMemoryLogHandler()
        do {
            let telemetry = makeTelemetry(log, ManualClock())
            for _ in 0..<5 { telemetry.connectionPool(.burstBegan(total: 3, maxSize: 2)) }
        }
        #expect(log.entries.count == 2)
        #expect(log.entries.last?.metadata.texts["suppressed"] == "4")
    }

    private static let location = ConnectionLeaseLocation(fileID: "App/Orders.swift", line: 12)
    private static let error = ScriptedError("refused")
    private static let timedOut = ConnectionPoolError(.acquireTimedOut, message: "late", poolName: "orders")
    private static let overloaded = ConnectionPoolError(.overloaded, message: "full", poolName: "orders")
    private static let nested = ConnectionPoolError(.nestedAcquire, message: "nested", poolName: "orders")
    private static let statistics = ConnectionPoolStatistics(
        _PoolCoreCounts(
            idle: 1,
            leased: 2,
            opening: 3,
            closing: 0,
            waiting: 0,
            limits: _PoolCoreLimits(maxSize: 4, hardLimit: 8)
        )
    )
    private static let lines: [(ConnectionPoolEvent, Logger.Level, Logger.Metadata)] = [
        (.opened(duration: .milliseconds(5), wait: nil), .debug, ["duration_ms": "5.0"]),
        (
            .openFailed(error, duration: .milliseconds(5), willRetry: false, wait: nil), .error,
            ["error": "refused", "duration_ms": "5.0"]
        ),
        (
            .openFailed(error, duration: .milliseconds(5), willRetry: true, wait: nil), .warning,
            ["error": "refused", "duration_ms": "5.0"]
        ),
        (.closed(.idleTimeout, error: nil), .debug, ["reason": "idleTimeout"]),
        (.closed(.excess, error: error), .warning, ["reason": "excess", "error": "refused"]),
        (.closeTimedOut(.shutdown), .warning, ["reason": "shutdown"]),
        (
            .acquireFailed(timedOut, waited: .seconds(1), wait: nil), .warning,
            ["error": "\(timedOut)", "duration_ms": "1000.0"]
        ),
        (
            .acquireFailed(overloaded, waited: .zero, wait: nil), .warning,
            ["error": "\(overloaded)", "duration_ms": "0.0"]
        ),
        (
            .acquireFailed(nested, waited: .zero, wait: nil), .warning,
            ["error": "\(nested)", "duration_ms": "0.0"]
        ),
        (.dropped(statistics), .warning, ["total": "6"]),
        (.shutdownInsideBody(connections: 2), .warning, ["connections": "2"]),
        (.burstBegan(total: 3, maxSize: 2), .notice, ["total": "3", "max_size": "2"]),
        (.burstEnded(total: 2, maxSize: 2), .notice, ["total": "2", "max_size": "2"]),
        (.limitReached(total: 4), .warning, ["total": "4"]),
        (.breakerChanged(.open), .error, [:]),
        (.breakerChanged(.halfOpen), .info, [:]),
        (.breakerChanged(.closed), .notice, [:]),
        (
            .leaseOverdue(location, age: .seconds(60)), .warning,
            ["acquired_at": "App/Orders.swift:12", "duration_ms": "60000.0"]
        ),
        (
            .overdueLeaseReturned(location, age: .seconds(61)), .notice,
            ["acquired_at": "App/Orders.swift:12", "duration_ms": "61000.0"]
        ),
    ]

    @Test("every kind has its level and its metadata", arguments: lines.indices)
    func line(_ index: Int) {
        let (event, level, metadata) = Self.lines[index]
        var log = InMemoryLogHandler()
        log.logLevel = .trace
        makeTelemetry(log, ManualClock()).connectionPool(event)
        #expect(log.entries.map(\.level) == [level])
        #expect(log.entries.first?.metadata.texts == metadata.texts.merging(["pool.name": "orders"]) { $1 })
    }

    @Test("every kind has a different message, and this test covers every kind")
    func messages() {
        let log = InMemoryLogHandler()
        var verbose = log
        verbose.logLevel = .trace
        let telemetry = makeTelemetry(verbose, ManualClock())
        for (event, _, _) in Self.lines { telemetry.connectionPool(event) }
        let circuitOpen = ConnectionPoolError(.circuitOpen, message: "open", poolName: "orders")
        telemetry.connectionPool(.acquireFailed(circuitOpen, waited: .zero, wait: nil))
        #expect(Set(log.entries.map { "\($0.message)" }).count == PoolLogKind.allCases.count)
    }

    @Test("an event that is not a failure, or that another event covers, is not logged")
    func silence() {
        var log = InMemoryLogHandler()
        log.logLevel = .trace
        let telemetry = makeTelemetry(log, ManualClock())
        let wait = ConnectionWait(number: 1)
        telemetry.connectionPool(.waitBegan(wait))
        telemetry.connectionPool(.acquired(.waited, waited: .zero, wait: wait))
        telemetry.connectionPool(.acquireFailed(CancellationError(), waited: .zero, wait: wait))
        telemetry.connectionPool(.acquireFailed(Self.error, waited: .zero, wait: wait))
        #expect(log.entries.isEmpty)
    }

    @Test("a line below the logger's level is neither logged nor counted")
    func belowLevel() {
        var log = InMemoryLogHandler()
        log.logLevel = .error
        let telemetry = makeTelemetry(log, ManualClock())
        for _ in 0..<3 { telemetry.connectionPool(.limitReached(total: 4)) }
        #expect(log.entries.isEmpty)
    }
}

extension Logger.Metadata {
    /// The values as text, because values with the same text can differ.
    fileprivate var texts: [String: String] { mapValues(\.description) }
}
