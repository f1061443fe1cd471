// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ResetTests {
    @Test(
        "A released connection is reset before it becomes idle, and its caller does not wait for that",
        arguments: CoreKind.allCases
    )
    func resets(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.resetsConnections = true }) { pool, strategy, _, _ in
            let gate = Gate()
            let resets = Shared(0)
            strategy.onReset { _ in
                resets.countUp()
                await gate.pass()
            }
            try await pool.withConnection { $0.use() }
            try await eventually("the connection is being reset") { gate.held == 1 }
            #expect(pool.statistics.idle == 0)
            #expect(pool.tryAcquire() == nil)
            let waiter = try await pool.startWaiting()
            gate.open()
            let lease = try await waiter.value
            #expect(lease.id == 1)
            lease.release()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            #expect(resets.value == 2)
            try #require(pool.tryAcquire()).release()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            #expect(resets.value == 3)
        }
    }

    @Test("A connection whose reset fails is closed, and a waiter gets another one", arguments: CoreKind.allCases)
    func failing(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.resetsConnections = true }) {
            pool,
            strategy,
            _,
            observer in
            strategy.onReset { if $0.id == 1 { throw TestError("reset") } }
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            lease.release()
            let other = try await waiter.value
            #expect(other.id == 2)
            try await eventually("the observer has the event") { observer.closeReasons == [.resetFailed] }
            other.release()
        }
    }

    @Test("Without the setting, or if the connection is closed anyway, it is not reset", arguments: CoreKind.allCases)
    func notAsked(kind: CoreKind) async throws {
        let resets = Shared(0)
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onReset { _ in resets.countUp() }
            try await pool.withConnection { $0.use() }
        }
        try await withPool(kind, maxSize: 1, configure: { $0.resetsConnections = true }) { pool, strategy in
            strategy.onReset { _ in resets.countUp() }
            try await pool.acquire().discard()
            let lease = try await pool.acquire()
            let end = Task { await pool.shutdown() }
            try await eventually("the pool is shut down") { pool.statistics.maxSize == 0 }
            lease.release()
            _ = await end.value
        }
        #expect(resets.value == 0)
    }
}
