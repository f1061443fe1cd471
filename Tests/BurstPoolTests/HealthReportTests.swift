// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// What `health` says without doing anything, in virtual time.
@Suite(.timeLimit(.minutes(5)))
struct HealthReportTests {
    @Test(
        "Nothing is known before the first connection, and an open connection is a success",
        arguments: CoreKind.allCases
    )
    func beginning(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            #expect(pool.health.status == .unknown)
            #expect(pool.health.sinceLastSuccess == nil)
            try await pool.withConnection { $0.use() }
            clock.advance(by: .seconds(3))
            let health = pool.health
            #expect(health.isHealthy)
            #expect(health.lastFailure == nil)
            #expect(health.statistics.idle == 1)
            await pool.shutdown()
            #expect(pool.health.status == .shutDown)
        }
    }

    @Test(
        "A lease that did not wait counts as a success when it ends, although no clock was read",
        arguments: CoreKind.allCases
    )
    func unobservedReturn(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            try await pool.warmUp(1)
            #expect(pool.health.sinceLastSuccess == .zero)
            clock.advance(by: .seconds(100))
            #expect(pool.health.sinceLastSuccess == .seconds(100))
            let lease = try await pool.acquire()
            #expect(pool.health.sinceLastSuccess == .seconds(100))
            lease.release()
            #expect(pool.health.sinceLastSuccess == .zero)
            // Several leases between two readings are one success.
            for _ in 0..<3 { try await pool.withConnection { $0.use() } }
            clock.advance(by: .seconds(7))
            #expect(pool.health.sinceLastSuccess == .zero)
            clock.advance(by: .seconds(7))
            #expect(pool.health.sinceLastSuccess == .seconds(7))
        }
    }

    @Test("A body that throws is no success", arguments: CoreKind.allCases)
    func failedBody(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            try await pool.warmUp(1)
            _ = pool.health
            clock.advance(by: .seconds(10))
            await #expect(throws: TestError("no answer")) {
                try await pool.withConnection { _ in throw TestError("no answer") }
            }
            #expect(pool.health.sinceLastSuccess == .seconds(10))
            try await pool.withConnection { $0.use() }
            #expect(pool.health.sinceLastSuccess == .zero)
        }
    }

    @Test("A sweep of maintenance is no success", arguments: CoreKind.allCases)
    func sweep(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, configure: { $0.minimumIdle = 1 }) { pool, strategy, clock, _ in
            try await eventually("it is open") { pool.statistics.idle == 1 }
            _ = pool.health
            let checks = strategy.books.checks
            clock.advance(by: .seconds(30))
            try await eventually("maintenance has looked") { strategy.books.checks > checks }
            await pool.finishMaintenance()
            #expect(pool.health.sinceLastSuccess.map { $0 >= .seconds(10) } == true)
        }
    }

    @Test("A saturated pool is healthy while its connections come back", arguments: CoreKind.allCases)
    func saturated(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            var lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<20 { waiters.append(try await pool.startWaiting()) }
            for waiter in waiters {
                clock.advance(by: .seconds(4))
                let health = pool.health
                #expect(health.isHealthy)
                #expect(health.isSaturated)
                #expect(health.description.contains("saturated"))
                lease.release()
                lease = try await waiter.value
            }
            #expect(pool.health.isHealthy)
            #expect(!pool.health.isSaturated)
            #expect(pool.health.oldestWait == nil)
            lease.release()
        }
    }

    @Test("Callers whose timeout is short make the pool unresponsive as well", arguments: CoreKind.allCases)
    func shortTimeouts(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.acquireTimeout = .milliseconds(250) }) {
            pool,
            _,
            clock,
            _ in
            let lease = try await pool.acquire()
            for _ in 0..<25 {
                let waiter = try await pool.startWaiting(timeout: .configured)
                try await eventually("the timeout is running") { clock.wakes(within: .milliseconds(250)) }
                clock.advance(by: .milliseconds(250))
                _ = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            }
            #expect(pool.health.status == .unresponsive)
            lease.release()
            try await pool.acquire().release()
            #expect(pool.health.isHealthy)
        }
    }

    @Test("A pool whose callers wait and in which nothing comes back is unresponsive", arguments: CoreKind.allCases)
    func unresponsive(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            clock.advance(by: .seconds(5))
            #expect(pool.health.isHealthy)
            clock.advance(by: .milliseconds(1))
            let health = pool.health
            #expect(health.status == .unresponsive)
            #expect(health.isSaturated)
            #expect(health.oldestWait == .seconds(5) + .milliseconds(1))
            pool.pause()
            #expect(pool.health.isHealthy)
            #expect(pool.health.isPaused)
            pool.resume()
            lease.release()
            let next = try await waiter.value
            #expect(pool.health.isHealthy)
            next.release()
        }
    }

    @Test("A pool that cannot open connections is failing until one opens", arguments: CoreKind.allCases)
    func failing(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError.self) { _ = try await pool.acquire() }
            clock.advance(by: .seconds(2))
            let health = pool.health
            #expect(health.status == .failing)
            #expect(health.lastFailure as? TestError == TestError("refused"))
            #expect(health.sinceLastFailure == .seconds(2))
            #expect("\(health)".contains("refused"))
            try await pool.withConnection { $0.use() }
            #expect(pool.health.isHealthy)
        }
    }

    @Test("One connection that does not open is no outage while others come back", arguments: CoreKind.allCases)
    func serverIsFull(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in if attempt > 1 { throw TestError("too many clients") } }
            let lease = try await pool.acquire()
            await #expect(throws: TestError.self) { _ = try await pool.acquire() }
            #expect(pool.health.isHealthy)
            // But if nothing works any more, it is one after a second.
            clock.advance(by: .seconds(1))
            #expect(pool.health.status == .failing)
            lease.release()
            #expect(pool.health.isHealthy)
        }
    }

    @Test("What came back before a failure does not speak against it", arguments: CoreKind.allCases)
    func order(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            try await pool.warmUp(1)
            _ = pool.health
            try await pool.withConnection { $0.use() }
            strategy.remote(1).hangUp()
            strategy.onOpen { _ in throw TestError("refused") }
            await #expect(throws: TestError.self) { try await pool.withConnection { $0.use() } }
            #expect(pool.health.status == .failing)
        }
    }
}
