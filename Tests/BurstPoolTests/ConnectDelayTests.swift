// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectDelayTests {
    private func withDelay(
        _ kind: CoreKind,
        maxSize: Int,
        _ test: (TestPool, TestStrategy, ManualClock) async throws -> Void
    ) async throws {
        try await withTimedPool(kind, maxSize: maxSize, configure: { $0.connectDelay = .milliseconds(100) }) {
            pool,
            strategy,
            clock,
            _ in
            try await test(pool, strategy, clock)
        }
    }

    @Test("The first connection is not delayed", arguments: CoreKind.allCases)
    func first(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 2) { pool, strategy, _ in
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("If a connection is released within the delay, no new one is opened", arguments: CoreKind.allCases)
    func elided(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 4) { pool, strategy, clock in
            let lease = try await pool.acquire()
            var waiters: [Task<Void, any Error>] = []
            for _ in 0..<3 {
                let waiter = try await pool.startWaiting()
                waiters.append(Task { try await waiter.value.release() })
            }
            clock.advance(by: .milliseconds(99))
            await letOthersRun()
            lease.release()
            for waiter in waiters { try await waiter.value }
            clock.advance(by: .seconds(10))
            await letOthersRun()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("If none is released, a connection is opened after one to two delays", arguments: CoreKind.allCases)
    func bounds(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 4) { pool, strategy, clock in
            let lease = try await pool.acquire()
            let early = try await pool.startWaiting()
            clock.advance(by: .milliseconds(50))
            let late = try await pool.startWaiting()
            clock.advance(by: .milliseconds(49))
            await letOthersRun()
            #expect(strategy.books.attempts == 1)
            clock.advance(by: .milliseconds(1))
            let forEarly = try await early.value
            // The second caller has waited for 50 ms.
            try await clock.waitForSleepers(1)
            clock.advance(by: .milliseconds(49))
            await letOthersRun()
            #expect(strategy.books.attempts == 2, "99 ms are less than the delay")
            clock.advance(by: .milliseconds(101))
            let forLate = try await late.value
            #expect(strategy.books.attempts == 3)
            #expect(clock.now.sinceStart == .milliseconds(250))
            [lease, forEarly, forLate].release()
        }
    }

    @Test("If no connection is released, one is opened for each of many callers", arguments: CoreKind.allCases)
    func manyCallers(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 8) { pool, strategy, clock in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<7 { waiters.append(try await pool.startWaiting()) }
            // The running delay began with the first caller, and counts only for that caller.
            clock.advance(by: .milliseconds(100))
            try await eventually("a connection is opened for the first caller") { strategy.books.opened == 2 }
            try await clock.waitForSleepers(1)
            clock.advance(by: .milliseconds(100))
            var leases = [lease]
            for waiter in waiters { leases.append(try await waiter.value) }
            #expect(strategy.books.opened == 8)
            leases.release()
        }
    }

    @Test("A permit that no caller has used is not passed to the next caller", arguments: CoreKind.allCases)
    func unused(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 2) { pool, strategy, clock in
            let leases = try await pool.lease(1)
            let second = try await pool.startWaiting()
            clock.advance(by: .milliseconds(100))
            let other = try await second.value
            // At the limit, the delay passes, but there is no free slot to open a connection in.
            let third = try await pool.startWaiting()
            clock.advance(by: .milliseconds(100))
            await letOthersRun()
            clock.advance(by: .milliseconds(100))
            await letOthersRun()
            other.release()
            let again = try await third.value
            leases[0].discard()
            try await eventually("a slot is free") { pool.statistics.total == 1 }
            #expect(strategy.books.attempts == 2)
            let fourth = try await pool.startWaiting()
            await letOthersRun()
            #expect(strategy.books.attempts == 2, "the fourth caller has not waited yet")
            again.release()
            try await fourth.value.release()
        }
    }

    @Test(
        "Callers that come and go do not keep the pool from opening a connection for the oldest waiter",
        arguments: CoreKind.allCases
    )
    func callersThatLeave(kind: CoreKind) async throws {
        try await withDelay(kind, maxSize: 2) { pool, strategy, clock in
            let lease = try await pool.acquire()
            let oldest = try await pool.startWaiting()
            for _ in 0..<10 {
                for _ in 0..<3 {
                    let passerBy = try await pool.startWaiting()
                    passerBy.cancel()
                    await #expect(throws: CancellationError.self) { try await passerBy.value }
                }
                clock.advance(by: .milliseconds(10))
                await letOthersRun()
            }
            try await eventually("a connection is opened for the oldest waiter") { strategy.books.attempts == 2 }
            [lease, try await oldest.value].release()
        }
    }

    @Test("Callers that are rejected do not keep it from doing so either", arguments: CoreKind.allCases)
    func refused(kind: CoreKind) async throws {
        let configure = { (configuration: inout ConnectionPoolConfiguration) in
            configuration.connectDelay = .milliseconds(100)
            configuration.maxWaiters = 1
        }
        try await withTimedPool(kind, maxSize: 2, configure: configure) { pool, strategy, clock, _ in
            let lease = try await pool.acquire()
            let oldest = try await pool.startWaiting()
            // There is a free slot for the second caller, and maxWaiters allows one more.
            let second = try await pool.startWaiting()
            for _ in 0..<10 {
                for _ in 0..<3 { _ = try await poolError(.tooManyWaiters) { _ = try await pool.acquire() } }
                clock.advance(by: .milliseconds(10))
                await letOthersRun()
            }
            try await eventually("a connection is opened for the oldest waiter") { strategy.books.attempts == 2 }
            [lease, try await oldest.value].release()
            try await second.value.release()
        }
    }
}
