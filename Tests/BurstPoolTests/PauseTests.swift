// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct PauseTests {
    @Test(
        "A paused pool serves no caller, and serves its waiters in order when it resumes",
        arguments: CoreKind.allCases
    )
    func order(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            try await pool.warmUp(1)
            pool.pause()
            pool.pause()
            #expect(pool.isPaused)
            #expect(pool.tryAcquire() == nil)
            let served = Shared<[Int]>([])
            var users: [Task<Void, any Error>] = []
            for number in 1...3 {
                let waiter = try await pool.startWaiting()
                users.append(
                    Task {
                        let lease = try await waiter.value
                        served.change { $0.append(number) }
                        lease.release()
                    }
                )
            }
            await letOthersRun()
            #expect(served.value == [])
            #expect(pool.statistics.idle == 1)
            pool.resume()
            pool.resume()
            #expect(!pool.isPaused)
            for user in users { try await user.value }
            #expect(served.value.count == 3)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("A paused pool opens no connection for a caller", arguments: CoreKind.allCases)
    func opensNone(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2) { pool, strategy, _, _ in
            pool.pause()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting()]
            await letOthersRun()
            #expect(strategy.books.attempts == 0)
            pool.resume()
            for waiter in waiters { try await waiter.value.release() }
        }
    }

    @Test("A connection that opens during the pause is kept for the waiter", arguments: CoreKind.allCases)
    func opensMeanwhile(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting()
            try await eventually("the connection is being opened") { gate.held == 1 }
            let second = try await pool.startWaiting()
            pool.pause()
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            await letOthersRun()
            #expect(pool.statistics.waiting == 2)
            pool.resume()
            try await first.value.release()
            try await second.value.release()
            #expect(strategy.books.opened == 1)
        }
    }

    @Test(
        "If that connection is lost before the pause ends, another one is opened for its caller",
        arguments: CoreKind.allCases
    )
    func lostMeanwhile(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await eventually("the connection is being opened") { gate.held == 1 }
            pool.pause()
            gate.open()
            try await eventually("the connection is kept") { pool.statistics.idle == 1 }
            strategy.remote(1).hangUp()
            pool.resume()
            let lease = try await waiter.value
            #expect(lease.id == 2)
            lease.release()
        }
    }

    @Test("Connections in use stay in use, and become idle when they are released", arguments: CoreKind.allCases)
    func inUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, _, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            pool.pause()
            lease.release()
            await letOthersRun()
            #expect(pool.statistics.inUse == 0)
            #expect(pool.statistics.idle == 1)
            pool.resume()
            try await waiter.value.release()
        }
    }

    @Test("Waiting callers still time out, and can be cancelled", arguments: CoreKind.allCases)
    func deadline(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            try await pool.warmUp(1)
            pool.pause()
            let patient = try await pool.startWaiting(timeout: .seconds(3))
            let cancelled = try await pool.startWaiting()
            _ = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: .immediate) }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(3))
            _ = try await poolError(.acquireTimedOut) { _ = try await patient.value }
            pool.resume()
            try await pool.withConnection { $0.use() }
        }
    }

    @Test("A shutdown ends the pause, and the pool cannot be paused again", arguments: CoreKind.allCases)
    func shutdown(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2) { pool, strategy, _, _ in
            try await pool.warmUp(2)
            pool.pause()
            let waiter = try await pool.startWaiting()
            await pool.shutdown()
            _ = try await poolError(.poolShutDown) { _ = try await waiter.value }
            #expect(strategy.books.closed == 2)
            pool.pause()
            #expect(!pool.isPaused)
            pool.resume()
            _ = try await poolError(.poolShutDown) { _ = try await pool.acquire() }
        }
    }
}
