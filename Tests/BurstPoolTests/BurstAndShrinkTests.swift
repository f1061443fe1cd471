// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct BurstAndShrinkTests {
    @Test("Connections are opened one at a time, when they are needed, and are reused", arguments: CoreKind.allCases)
    func opensOnDemand(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            for _ in 0..<10 { try await pool.withConnection { $0.use() } }
            #expect(strategy.books.opened == 1)
            let leases = try await pool.lease(3)
            #expect(strategy.books.opened == 3)
            #expect(Set(leases.map(\.id)) == [1, 2, 3])
            leases.release()
            #expect(pool.statistics.idle == 3)
        }
    }

    @Test(
        "With a burst limit the pool grows beyond maxSize, up to that limit, and shrinks again",
        arguments: CoreKind.allCases
    )
    func burstsAndShrinks(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2, burstLimit: 5) { pool, strategy in
            let leases = try await pool.lease(5)
            #expect(pool.statistics.total == 5)
            #expect(pool.statistics.isBursting)
            let sixth = try await pool.startWaiting()
            await letOthersRun()
            #expect(strategy.books.attempts == 5, "the burst limit is never exceeded")

            leases[0].release()
            let lease = try await sixth.value
            #expect(lease.id == leases[0].id, "the connection was handed off, not opened")
            #expect(strategy.books.closed == 0)

            lease.release()
            leases[1].release()
            leases[2].release()
            try await eventually("three excess connections are closed") { strategy.books.closed == 3 }
            try await eventually("the pool has shrunk") { pool.statistics.total == 2 }
            #expect(!pool.statistics.isBursting)
            leases[3].release()
            leases[4].release()
            await letOthersRun()
            #expect(strategy.books.closed == 3)
            #expect(pool.statistics.idle == 2)
        }
    }

    @Test("Without a burst limit, maxSize is the hard limit", arguments: CoreKind.allCases)
    func waitsAtTheSoftLimit(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let leases = try await pool.lease(2)
            let third = try await pool.startWaiting()
            await letOthersRun()
            #expect(strategy.books.attempts == 2)
            #expect(pool.statistics.waiting == 1)
            leases.release()
            try await third.value.release()
            #expect(strategy.books.opened == 2)
        }
    }

    @Test("The caller of withConnection closes its excess connection before it returns", arguments: CoreKind.allCases)
    func closesBeforeReturning(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 2) { pool, strategy in
            let lease = try await pool.acquire()
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.closed == 1)
            #expect(pool.statistics.total == 1)
            lease.release()
        }
    }

    @Test(
        "While callers wait, excess connections are handed off and not closed",
        arguments: CoreKind.allCases
    )
    func handsOverWithoutChurn(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 3) { pool, strategy in
            var leases = try await pool.lease(3)
            for _ in 0..<50 {
                let waiter = try await pool.startWaiting()
                leases.removeFirst().release()
                leases.append(try await waiter.value)
            }
            #expect(strategy.books.opened == 3)
            #expect(strategy.books.closed == 0)
            leases.release()
        }
    }

    @Test("Under steady load at maxSize no connection is opened or closed", arguments: CoreKind.allCases)
    func doesNotChurnUnderLoad(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            try await pool.warmUp(4)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        for _ in 0..<50 {
                            try await pool.withConnection { connection in await connection.use { await Task.yield() } }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(strategy.books.opened == 4)
            #expect(strategy.books.closed == 0)
            #expect(pool.statistics.idle == 4)
        }
    }

    @Test("Idle connections are reused last in, first out, so that unneeded connections stay idle")
    func usesTheLatest() async throws {
        try await withPool(.publicPool, maxSize: 4) { pool, _ in
            try await pool.warmUp(4)
            var used: Set<Int> = []
            for _ in 0..<100 {
                let lease = try await pool.acquire()
                used.insert(lease.id)
                lease.release()
            }
            // The idle stack is striped, so there is at most one connection for each thread that the task ran on.
            #expect(used.count < 4)
        }
    }
}
