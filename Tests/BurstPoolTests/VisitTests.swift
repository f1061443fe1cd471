// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// A body that runs once on every connection.
@Suite(.timeLimit(.minutes(5)))
struct VisitTests {
    @Test("Every idle connection is visited once", arguments: CoreKind.allCases)
    func idle(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, _ in
            try await pool.warmUp(4)
            for _ in 0..<2 {
                var visited: [Int] = []
                let result = await pool.forEachConnection { connection in
                    connection.use()
                    visited.append(connection.id)
                }
                #expect(visited.sorted() == [1, 2, 3, 4])
                #expect(result.visited == 4)
                #expect(result.failures.isEmpty)
                #expect(!result.isCancelled)
                #expect(pool.statistics.idle == 4)
            }
        }
    }

    @Test("An empty pool has nothing to visit", arguments: CoreKind.allCases)
    func empty(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            #expect(await pool.forEachConnection { _ in }.visited == 0)
        }
    }

    @Test(
        "Connections in use are visited when they are released, before anybody else gets them",
        arguments: CoreKind.allCases
    )
    func inUse(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let leases = try await pool.lease(2)
            let visited = Shared<[Int]>([])
            let visit = Task {
                await pool.forEachConnection { connection in
                    connection.use()
                    let id = connection.id
                    visited.change { $0.append(id) }
                }
            }
            await letOthersRun()
            #expect(visited.value == [])
            leases[0].release()
            try await eventually("it is visited") { visited.value.count == 1 }
            // Visited once, however often it is used meanwhile.
            for _ in 0..<10 { try await pool.withConnection { $0.use() } }
            #expect(visited.value.count == 1)
            leases[1].release()
            #expect(await visit.value.visited == 2)
            #expect(Set(visited.value) == [1, 2])
        }
    }

    @Test("A waiter gets a connection after its visit", arguments: CoreKind.allCases)
    func waiter(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            let gate = Gate()
            let visit = Task { await pool.forEachConnection { _ in await gate.pass() } }
            await letOthersRun()
            lease.release()
            try await eventually("it is being visited") { gate.held == 1 }
            #expect(pool.statistics.waiting == 1)
            gate.open()
            try await waiter.value.release()
            #expect(await visit.value.visited == 1)
        }
    }

    @Test("At most one connection is withheld from the callers", arguments: CoreKind.allCases)
    func withholdsOne(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            try await pool.warmUp(3)
            let gate = Gate()
            let visit = Task { await pool.forEachConnection { _ in await gate.pass() } }
            try await eventually("the first is being visited") { gate.held == 1 }
            #expect(pool.statistics.idle == 2)
            for _ in 0..<3 {
                let leases = [try await pool.acquire(), try await pool.acquire()]
                leases.release()
            }
            #expect(strategy.books.opened == 3)
            gate.open()
            #expect(await visit.value.visited == 3)
        }
    }

    @Test("A connection on which the body throws is closed, and the others are visited", arguments: CoreKind.allCases)
    func failure(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            try await pool.warmUp(3)
            let result = await pool.forEachConnection { connection in
                if connection.id == 2 { throw TestError("syntax") }
            }
            #expect(result.visited == 2)
            #expect(result.failures as? [TestError] == [TestError("syntax")])
            #expect("\(result)".contains("syntax"))
            try await eventually("it is closed") { strategy.books.closedIDs == [2] }
        }
    }

    @Test("A connection that is closed instead of released ends the wait for it", arguments: CoreKind.allCases)
    func discarded(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let leases = try await pool.lease(2)
            let visit = Task { await pool.forEachConnection { _ in } }
            await letOthersRun()
            strategy.judge { _ in .discard }
            leases[0].release()
            leases[1].discard()
            #expect(await visit.value.visited == 1)
        }
    }

    @Test(
        "Connections that are opening are visited too, and those that open later are not",
        arguments: CoreKind.allCases
    )
    func opening(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let caller = try await pool.startWaiting()
            try await eventually("it opens") { gate.held == 1 }
            let visited = Shared<[Int]>([])
            let visit = Task {
                await pool.forEachConnection { connection in
                    let id = connection.id
                    visited.change { $0.append(id) }
                }
            }
            await letOthersRun()
            gate.open()
            let first = try await caller.value
            let second = try await pool.acquire()
            second.release()
            await letOthersRun()
            #expect(visited.value == [])
            first.release()
            #expect(await visit.value.visited == 1)
            #expect(visited.value == [1])
        }
    }

    @Test("It works in a paused pool", arguments: CoreKind.allCases)
    func paused(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            try await pool.warmUp(2)
            let lease = try await pool.acquire()
            pool.pause()
            let visit = Task { await pool.forEachConnection { $0.use() } }
            await letOthersRun()
            lease.release()
            #expect(await visit.value.visited == 2)
            #expect(await pool.waitUntilUnused(timeout: nil))
            pool.resume()
        }
    }

    @Test("A second call waits for the first one", arguments: CoreKind.allCases)
    func twice(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            try await pool.warmUp(1)
            let gate = Gate()
            let first = Task { await pool.forEachConnection { _ in await gate.pass() } }
            try await eventually("it is being visited") { gate.held == 1 }
            let second = Task { await pool.forEachConnection { $0.use() } }
            let cancelled = Task { await pool.forEachConnection { $0.use() } }
            await letOthersRun()
            cancelled.cancel()
            #expect(await cancelled.value.isCancelled)
            gate.open()
            #expect(await first.value.visited == 1)
            #expect(await second.value.visited == 1)
        }
    }

    @Test("Cancelling the task and a shutdown end it", arguments: CoreKind.allCases)
    func ends(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let lease = try await pool.acquire()
            let cancelled = Task { await pool.forEachConnection { _ in } }
            await letOthersRun()
            cancelled.cancel()
            #expect(await cancelled.value.isCancelled)
            let visit = Task { await pool.forEachConnection { _ in } }
            await letOthersRun()
            let shutdown = Task { _ = await pool.shutdown() }
            await letOthersRun()
            lease.release()
            #expect(await visit.value.visited == 0)
            await shutdown.value
        }
    }

    @Test("A task that holds a connection leaves that out", arguments: CoreKind.allCases)
    func insideBody(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            try await pool.warmUp(2)
            try await pool.withConnection { _ in
                let result = await pool.forEachConnection { $0.use() }
                #expect(result.visited == 1)
                #expect(result.heldByCaller == 1)
            }
        }
    }

    @Test("Under load every connection is visited once and none is lost", arguments: CoreKind.allCases)
    func underLoad(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            try await pool.warmUp(4)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<200 {
                            try await pool.withConnection { connection in
                                await connection.use { await Task.yield() }
                            }
                        }
                    }
                }
                for _ in 0..<10 {
                    let visited = Shared<[Int]>([])
                    let result = await pool.forEachConnection { connection in
                        await connection.use { await Task.yield() }
                        let id = connection.id
                        visited.change { $0.append(id) }
                    }
                    #expect(result.visited == 4)
                    #expect(visited.value.sorted() == [1, 2, 3, 4])
                }
                try await group.waitForAll()
            }
            #expect(strategy.books.opened == 4)
            #expect(pool.statistics.idle == 4)
        }
    }
}
