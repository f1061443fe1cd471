// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DetachTests {
    @Test(
        "The caller owns the connection, its slot is free, and a waiter gets another connection",
        arguments: CoreKind.allCases
    )
    func detached(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, mostEver: 2) { pool, strategy, _, observer in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            let connection = try #require(lease.detach())
            let other = try await waiter.value
            #expect(other.id == 2)
            #expect(pool.statistics.total == 1)
            connection.use()
            other.release()
            await pool.shutdown()
            connection.use()
            #expect(!connection.remote.isDisposedOf, "the pool does not close a connection that it does not own")
            #expect(observer.closeReasons == [.shutdown])
            try await strategy.closeConnection(connection)
        }
    }

    @Test("A connection with flags can be detached too", arguments: CoreKind.allCases)
    func flagged(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            observesLeases: true,
            configure: {
                $0.resetsConnections = true
                $0.leakThreshold = .seconds(80)
            }
        ) { pool, strategy, clock, observer in
            strategy.onReset { _ in Issue.record("a connection that has left the pool is not reset") }
            let lease = try await pool.acquire()
            try await MaintenanceStepper(pool, clock).pass(.seconds(91))
            pool.evictAll(over: nil)
            let connection = try #require(lease.detach())
            #expect(pool.statistics.total == 0)
            connection.use()
            #expect(observer.count("released") == 1)
            #expect(observer.count("overdueLeaseReturned") == 1)
            #expect(observer.closeReasons == [])
            try await strategy.closeConnection(connection)
        }
    }

    @Test("Detaching the last connection during a shutdown ends the shutdown", arguments: CoreKind.allCases)
    func last(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.acquire()
            let end = Task { await pool.shutdown() }
            try await eventually("the pool is shut down") { pool.statistics.maxSize == 0 }
            let connection = try #require(lease.detach())
            _ = await end.value
            try await strategy.closeConnection(connection)
        }
    }
}
