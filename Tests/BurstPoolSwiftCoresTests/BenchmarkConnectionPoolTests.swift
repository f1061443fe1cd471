// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Testing

/// The public interface of the cores. BurstPoolTests has the tests of a pool in general.
@Suite(.timeLimit(.minutes(5))) struct BenchmarkConnectionPoolTests {
    private final class Counter {
        var uses = 0
    }

    private final class Strategy: ConnectionStrategy {
        func makeConnection() async throws -> sending Counter { Counter() }
        func connectionIsClosed(_ connection: Counter) -> Bool { false }
        func closeConnection(_ connection: sending Counter) async throws {}
    }

    private func exercise<Core>(_ pool: BenchmarkConnectionPool<Strategy, Core>) async throws {
        try await withThrowingTaskGroup { group in
            for _ in 1...50 {
                group.addTask {
                    try await pool.withConnection { $0.uses += 1 }
                    try await pool.withConnection(timeout: .unlimited) { connection in
                        await Task.yield()
                        connection.uses += 1
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(pool.statistics.inUse == 0)
        #expect((1...4).contains(pool.statistics.total))
        try pool.resize(maxSize: 3)
        #expect(pool.statistics.maxSize == 3)
        await pool.shutdown()
        #expect(pool.statistics.total == 0)
        await #expect(throws: ConnectionPoolError.self) { try await pool.withConnection { $0.uses += 1 } }
    }

    @Test func `a lock-free pool in Swift leases, waits and shuts down`() async throws {
        try await exercise(LockFreeSwiftConnectionPool(strategy: Strategy(), maxSize: 2, burstLimit: 4))
    }

    @Test func `a pool behind a mutex leases, waits and shuts down`() async throws {
        try await exercise(MutexConnectionPool(strategy: Strategy(), maxSize: 2, burstLimit: 4))
    }

    @Test func `contradictory sizes are rejected`() {
        #expect(throws: ConnectionPoolError.self) {
            try LockFreeSwiftConnectionPool(strategy: Strategy(), maxSize: 4, burstLimit: 2)
        }
        #expect(throws: ConnectionPoolError.self) { try MutexConnectionPool(strategy: Strategy(), maxSize: 0) }
    }
}
