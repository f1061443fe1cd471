// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct StaleConnectionTests {
    @Test("A connection that died while it was idle is closed, and another one is opened", arguments: CoreKind.allCases)
    func replacesDead(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            try await pool.warmUp(1)
            strategy.remote(1).hangUp()
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            try await eventually("the dead connection is closed") { strategy.books.closedIDs == [1] }
        }
    }

    @Test("A living idle connection is found, however many others are dead", arguments: CoreKind.allCases)
    func findsTheLivingOne(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 16) { pool, strategy in
            try await pool.warmUp(16)
            for number in 1...16 where number != 11 { strategy.remote(number).hangUp() }
            // The pool may find the living connection before it has looked at all dead ones.
            for _ in 0..<16 {
                let lease = try await pool.acquire()
                #expect(!strategy.remote(lease.id).isClosed)
                lease.release()
            }
        }
    }

    @Test("tryAcquire skips dead connections", arguments: CoreKind.allCases)
    func tryAcquirePassesOverDead(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            try await pool.warmUp(3)
            strategy.remote(1).hangUp()
            strategy.remote(2).hangUp()
            let lease = try #require(pool.tryAcquire())
            #expect(lease.id == 3)
            #expect(pool.tryAcquire() == nil)
            lease.release()
            try await eventually("the dead ones are closed") { Set(strategy.books.closedIDs) == [1, 2] }
        }
    }

    @Test("A connection that is released dead is not handed off to a waiter", arguments: CoreKind.allCases)
    func waitedPathChecks(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting()]
            strategy.remote(1).hangUp()
            lease.release()
            let first = try await waiters[0].value
            #expect(first.id == 2)
            strategy.remote(2).hangUp()
            first.release()
            let second = try await waiters[1].value
            #expect(second.id == 3)
            second.release()
            #expect(strategy.books.closedIDs == [1, 2])
        }
    }

    @Test("Under load no caller ever gets a dead connection", arguments: CoreKind.allCases)
    func neverHandsOutDead(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<12 {
                    group.addTask {
                        for round in 0..<40 {
                            try await pool.withConnection { connection in
                                #expect(!connection.remote.isClosed)
                                await connection.use { await Task.yield() }
                                if (caller + round).isMultiple(of: 5) { connection.remote.hangUp() }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(strategy.books.closed == strategy.books.remotes.filter { $0.isClosed && $0.isDisposedOf }.count)
        }
    }

    @Test(
        "An error of connectionIsClosed means that the connection is dead, and does not reach the caller",
        arguments: CoreKind.allCases
    )
    func throwingCheck(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            try await pool.warmUp(1)
            strategy.onCheck { remote in
                if remote.id == 1 { throw TestError("check") }
                return false
            }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            #expect(strategy.books.closedIDs == [1])
        }
    }

    @Test("An error of connectionIsClosed for a waiter does not reach a caller either", arguments: CoreKind.allCases)
    func throwingCheckWhileWaiting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            strategy.onCheck { remote in
                if remote.id == 1 { throw TestError("check") }
                return false
            }
            lease.release()
            let served = try await waiter.value
            #expect(served.id == 2)
            served.release()
            #expect(strategy.books.closedIDs == [1])
        }
    }

    @Test(
        "A CancellationError of connectionIsClosed reaches the caller, and the connection is closed",
        arguments: CoreKind.allCases
    )
    func cancellationFromCheck(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            try await pool.warmUp(1)
            strategy.onCheck { _ in throw CancellationError() }
            await #expect(throws: CancellationError.self) { try await pool.withConnection { $0.use() } }
            try await eventually("the connection is closed") { pool.statistics.total == 0 }
            #expect(strategy.books.closedIDs == [1])
            strategy.followNoScript()

            try await pool.warmUp(1)
            strategy.onCheck { _ in throw CancellationError() }
            await #expect(throws: CancellationError.self) { try await pool.acquire() }
            try await eventually("the connection is closed") { pool.statistics.total == 0 }
            #expect(strategy.books.closedIDs == [1, 2])
        }
    }

    @Test(
        "A CancellationError of connectionIsClosed reaches the waiter, and the next waiter is served",
        arguments: CoreKind.allCases
    )
    func cancellationFromCheckWhileWaiting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting()]
            strategy.onCheck { remote in
                if remote.id == 1 { throw CancellationError() }
                return false
            }
            lease.release()
            await #expect(throws: CancellationError.self) { try await waiters[0].value }
            let served = try await waiters[1].value
            #expect(served.id == 2)
            #expect(strategy.books.closedIDs == [1])
            served.release()
        }
    }

    @Test(
        "tryAcquire ignores a CancellationError of connectionIsClosed, and finds another connection",
        arguments: CoreKind.allCases
    )
    func cancellationFromCheckInTryAcquire(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            try await pool.warmUp(2)
            let asked = Shared(0)
            strategy.onCheck { _ in
                if asked.countUp() == 0 { throw CancellationError() }
                return false
            }
            let lease = try #require(pool.tryAcquire())
            lease.release()
            try await eventually("the other connection is closed") { pool.statistics.total == 1 }
        }
    }

    @Test("Before a pooled connection is leased, it is asked once whether it is closed", arguments: CoreKind.allCases)
    func asksEachTime(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            try await pool.warmUp(1)
            for number in 1...20 {
                try await pool.withConnection { $0.use() }
                #expect(strategy.books.checks == number)
            }
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            lease.release()
            try await waiter.value.release()
            #expect(strategy.books.checks == 22)
        }
    }
}
