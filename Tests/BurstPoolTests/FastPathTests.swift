// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// Shows that acquiring an idle connection does not suspend, by counting the jobs that are enqueued meanwhile.
///
/// `FastPathProbe`, which is built with optimisation, shows that it does not allocate either.
@Suite(.timeLimit(.minutes(5)))
struct FastPathTests {
    private static let rounds = 10_000

    @Test("10,000 leases of an idle connection never suspend", arguments: CoreKind.allCases)
    func fromATask(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let executor = CountingTaskExecutor()
            let jobs = try await Task(executorPreference: executor) {
                try await pool.warmUp(1)
                let before = executor.jobs
                for _ in 0..<Self.rounds { try await pool.withConnection { $0.use() } }
                for _ in 0..<Self.rounds { try await pool.acquire().release() }
                for _ in 0..<Self.rounds { try await pool.acquire(timeout: .immediate).release() }
                return executor.jobs - before
            }.value
            #expect(jobs == 0)
        }
    }

    @Test("The same holds inside an actor, whose state the body can use", arguments: CoreKind.allCases)
    func fromAnActor(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let actor = Client(pool)
            let jobs = try await actor.leases(Self.rounds)
            #expect(jobs == 0)
            #expect(await actor.used == Self.rounds)
        }
    }

    @Test("The count works: a lease that has to wait does suspend", arguments: CoreKind.allCases)
    func countsWaits(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let executor = CountingTaskExecutor()
            let jobs = try await Task(executorPreference: executor) {
                let before = executor.jobs
                for _ in 0..<10 {
                    let lease = try await pool.acquire()
                    strategy.remote(lease.id).hangUp()
                    lease.release()
                }
                return executor.jobs - before
            }.value
            // A connection can be opened so quickly that the caller does not suspend, but not ten times in a row.
            #expect(jobs > 0)
        }
    }

    private actor Client {
        nonisolated let executor = CountingSerialExecutor()
        let pool: TestPool
        private(set) var used = 0

        init(_ pool: TestPool) {
            self.pool = pool
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func leases(_ rounds: Int) async throws -> Int {
            try await pool.warmUp(1)
            let before = executor.jobs
            for _ in 0..<rounds {
                try await pool.withConnection { connection in
                    connection.use()
                    used += 1
                }
            }
            return executor.jobs - before
        }
    }
}
