import BurstPool
import Testing

/// That an idle connection is taken without suspending, shown by counting the jobs that are enqueued meanwhile.
///
/// That nothing is allocated either is for `FastPathProbe` to show, which is built with optimisation.
@Suite(.timeLimit(.minutes(5)))
struct FastPathTests {
    private static let rounds = 10_000

    @Test("10,000 leases of an idle connection suspend not once", arguments: CoreKind.allCases)
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

    @Test("Neither do they from within an actor, whose state the body can use", arguments: CoreKind.allCases)
    func fromAnActor(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let actor = Client(pool)
            let jobs = try await actor.leases(Self.rounds)
            #expect(jobs == 0)
            #expect(await actor.used == Self.rounds)
        }
    }

    @Test("The count is able to tell: leases that have to wait do suspend", arguments: CoreKind.allCases)
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
            #expect(jobs >= 10)
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
