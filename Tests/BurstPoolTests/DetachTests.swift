import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DetachTests {
    @Test(
        "The connection is the caller's, its place is free, and who waits has another opened",
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
            #expect(!connection.remote.isDisposedOf, "the pool does not close what is not its own")
            #expect(observer.closeReasons == [.shutdown])
            try await strategy.closeConnection(connection)
        }
    }

    @Test("Also when it is marked for other things", arguments: CoreKind.allCases)
    func marked(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            observesLeases: true,
            configure: {
                $0.resetsConnections = true
                $0.leakThreshold = .seconds(80)
            }
        ) { pool, strategy, clock, observer in
            strategy.onReset { _ in Issue.record("a connection that is gone is not reset") }
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

    @Test("The last connection of a pool that is being shut down ends the shutdown", arguments: CoreKind.allCases)
    func last(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.acquire()
            let end = Task { await pool.shutdown() }
            try await eventually("the pool is shut down") { pool.statistics.maxSize == 0 }
            let connection = try #require(lease.detach())
            await end.value
            try await strategy.closeConnection(connection)
        }
    }
}
