// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CountingTests {
    @Test("Connections in use at the same time are all counted", arguments: CoreKind.allCases)
    func countsConcurrentUse(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 5) { pool, _ in
            let gate = Gate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await pool.withConnection { connection in await connection.use { await gate.pass() } }
                    }
                }
                try await eventually("five callers use a connection") { gate.held == 5 }
                #expect(pool.statistics.inUse == 5)
                #expect(pool.statistics.idle == 0)
                #expect(pool.statistics.total == 5)
                gate.open()
                try await group.waitForAll()
            }
            #expect(pool.statistics.inUse == 0)
            #expect(pool.statistics.idle == 5)
        }
    }

    @Test("A connection that is being opened is counted, and occupies a slot", arguments: CoreKind.allCases)
    func countsConnecting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            #expect(pool.statistics.opening == 1)
            #expect(pool.statistics.total == 1)
            #expect(pool.statistics.waiting == 2)
            await letOthersRun()
            #expect(strategy.books.attempts == 1, "the connection that is being opened occupies the slot")
            gate.open()
            try await first.value.release()
            try await second.value.release()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test(
        "A closing connection is counted, and keeps its slot until the close has ended",
        arguments: CoreKind.allCases
    )
    func countsClosing(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            try await pool.warmUp(1)
            strategy.remote(1).hangUp()
            let waiter = try await pool.startWaiting()
            try await eventually("a connection is being closed") { gate.held == 1 }
            #expect(pool.statistics.closing == 1)
            #expect(pool.statistics.total == 1)
            await letOthersRun()
            #expect(strategy.books.attempts == 1, "otherwise the server would count two connections")
            gate.open()
            let lease = try await waiter.value
            #expect(lease.id == 2)
            #expect(pool.statistics.closing == 0)
            lease.release()
        }
    }

    @Test("The total is the sum of the idle, in-use, opening and closing connections", arguments: CoreKind.allCases)
    func totalIsTheSum(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            let opening = Gate()
            let closing = Gate()
            let leases = try await pool.lease(3)
            strategy.onOpen { _ in await opening.pass() }
            strategy.onClose { _ in await closing.pass() }
            leases[1].release()
            strategy.remote(2).hangUp()
            leases[2].release()
            // Whichever idle connection the pool takes, one is dead and one is alive.
            let lease = try await pool.acquire()
            let another = try await pool.startWaiting()
            try await eventually("one connection is opening and one is closing") {
                opening.held == 1 && closing.held == 1
            }
            let statistics = pool.statistics
            #expect(statistics.inUse == 2)
            #expect(statistics.opening == 1)
            #expect(statistics.closing == 1)
            #expect(statistics.idle == 0)
            #expect(statistics.total == 4)
            #expect(!statistics.isBursting)
            opening.open()
            closing.open()
            lease.release()
            leases[0].release()
            try await another.value.release()
        }
    }

    @Test("The description of the statistics names every count", arguments: CoreKind.allCases)
    func describesItself(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 7, burstLimit: 9) { pool, _ in
            let lease = try await pool.acquire()
            let description = pool.statistics.description
            for part in [
                "1 connections", "0 idle", "1 in use", "0 opening", "0 closing", "0 waiting", "maxSize 7",
                "burstLimit 9",
            ] {
                #expect(description.contains(part))
            }
            lease.release()
        }
    }
}
