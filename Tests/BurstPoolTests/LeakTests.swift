// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LeakTests {
    private struct Report: Equatable {
        let location: String
        let age: Duration
    }

    private func overdue(_ observer: RecordingObserver) -> [Report] {
        observer.all {
            if case .leaseOverdue(let location, let age) = $0 {
                Report(location: location.description, age: age)
            } else {
                nil
            }
        }
    }

    private func returned(_ observer: RecordingObserver) -> [Report] {
        observer.all {
            if case .overdueLeaseReturned(let location, let age) = $0 {
                Report(location: location.description, age: age)
            } else {
                nil
            }
        }
    }

    private func withThreshold(
        _ kind: CoreKind,
        maxSize: Int = 2,
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
        _ test: (TestPool, TestStrategy, ManualClock, RecordingObserver) async throws -> Void
    ) async throws {
        try await withTimedPool(
            kind,
            maxSize: maxSize,
            configure: {
                $0.leakThreshold = .seconds(80)
                configure(&$0)
            },
            test
        )
    }

    @Test(
        "A lease that is held too long is reported once, with its source location, and again when it ends",
        arguments: CoreKind.allCases
    )
    func overdueOnce(kind: CoreKind) async throws {
        try await withThreshold(kind) { pool, _, clock, observer in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            let line = #line + 1
            let lease = try await pool.acquire()
            try await maintenance.pass(.seconds(79))
            #expect(overdue(observer) == [])
            try await maintenance.pass(.seconds(11))
            let reports = overdue(observer)
            #expect(reports.map(\.location) == ["BurstPoolTests/LeakTests.swift:\(line)"])
            #expect(reports.allSatisfy { $0.age >= .seconds(80) && $0.age <= .seconds(90) })
            try await maintenance.pass(.seconds(500))
            #expect(overdue(observer) == reports)
            #expect(returned(observer) == [])
            lease.release()
            #expect(returned(observer).map(\.location) == reports.map(\.location))
            let age = try #require(returned(observer).first).age
            #expect(age >= .seconds(580) && age <= .seconds(590))
            // The next caller of the same connection is not reported.
            try await pool.withConnection { $0.use() }
            #expect(returned(observer).count == 1)
        }
    }

    @Test(
        "The source location is also known of callers that waited, or for which the connection was opened",
        arguments: CoreKind.allCases
    )
    func waited(kind: CoreKind) async throws {
        try await withThreshold(kind, maxSize: 1) { pool, _, clock, observer in
            let first = try await pool.acquire()
            let maintenance = try await MaintenanceStepper(pool, clock)
            let gate = Gate()
            let line = #line + 2
            let executor = ObservedExecutor()
            let user = Task(executorPreference: executor) { try await pool.withConnection { _ in await gate.pass() } }
            try await eventually("the caller waits") { executor.isSuspended && pool.statistics.waiting == 1 }
            first.release()
            try await eventually("the caller has the connection") { gate.held == 1 }
            try await maintenance.pass(.seconds(91))
            #expect(overdue(observer).map(\.location) == ["BurstPoolTests/LeakTests.swift:\(line)"])
            gate.open()
            try await user.value
            #expect(returned(observer).count == 1)
        }
    }

    @Test("Leases that end in time are not reported, even in succession", arguments: CoreKind.allCases)
    func inTime(kind: CoreKind) async throws {
        try await withThreshold(kind, maxSize: 1) { pool, _, clock, observer in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            for _ in 0..<5 {
                let lease = try await pool.acquire()
                try await maintenance.pass(.seconds(60))
                lease.release()
            }
            #expect(overdue(observer) == [])
        }
    }

    @Test("A long internal use of a connection is not reported as a leak", arguments: CoreKind.allCases)
    func internalUse(kind: CoreKind) async throws {
        try await withThreshold(
            kind,
            maxSize: 2,
            configure: {
                $0.resetsConnections = true
                $0.keepaliveInterval = .seconds(400)
                $0.validationTimeout = .seconds(3600)
            }
        ) { pool, strategy, clock, observer in
            let resetting = Gate()
            let validating = Gate()
            strategy.onReset { _ in await resetting.pass() }
            strategy.onValidate { _ in
                await validating.pass()
                return true
            }
            try await pool.withConnection { $0.use() }
            try await eventually("the connection is being reset") { resetting.held == 1 }
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(200))
            resetting.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            try await maintenance.pass(.seconds(700))
            try await eventually("the connection is being validated") { validating.held == 1 }
            try await maintenance.pass(.seconds(200))
            validating.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            try await pool.withConnection { $0.use() }
            #expect(overdue(observer) == [])
            #expect(returned(observer) == [])
        }
    }
}
