// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// What the body of `withConnection` may do.
@Suite(.timeLimit(.minutes(5)))
struct BodyTests {
    @Test(
        "withConnection returns what the body returns, throws what it throws, and releases the connection",
        arguments: CoreKind.allCases
    )
    func passesOn(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let found = try await pool.withConnection { _ in "result" }
            #expect(found == "result")
            for _ in 0..<10 {
                await #expect(throws: TestError("body")) {
                    try await pool.withConnection { connection in
                        connection.use()
                        throw TestError("body")
                    }
                }
                #expect(pool.statistics.idle == 1)
            }
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("A body can return a value that is not Sendable", arguments: CoreKind.allCases)
    func returnsNonSendable(kind: CoreKind) async throws {
        final class Answer {
            var text = "answer"
        }
        try await withPool(kind, maxSize: 1) { pool, _ in
            let answer = try await pool.withConnection { connection in
                connection.use()
                return Answer()
            }
            answer.text += "!"
            #expect(answer.text == "answer!")
        }
    }

    @Test("A body that suspends keeps exclusive use of its connection", arguments: CoreKind.allCases)
    func suspends(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            await connection.use { for _ in 0..<10 { await Task.yield() } }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A body may acquire another connection of the same pool", arguments: CoreKind.allCases)
    func nested(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 3) { pool, strategy in
            let ids = try await pool.withConnection { outer in
                let first = outer.id
                let second = try await pool.withConnection { middle in
                    let id = middle.id
                    return try await [id, pool.withConnection { $0.id }]
                }
                return [first] + second
            }
            #expect(Set(ids).count == 3)
            #expect(strategy.books.closed == 2)
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test(
        "A nested acquire at the limit times out with an error that gives the reason",
        arguments: CoreKind.allCases
    )
    func nestedAtTheLimit(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let task = Task {
                try await pool.withConnection { _ in try await pool.withConnection { $0.use() } }
            }
            try await eventually("the nested call waits") {
                pool.statistics.inUse == 1 && pool.statistics.waiting == 1
            }
            clock.advance(by: .seconds(30))
            let error = try await poolError(.acquireTimedOut) { try await task.value }
            #expect(error.statistics?.inUse == 1)
            #expect(error.oldestLeaseAge == .seconds(30))
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("A body may read the statistics, resize, and call tryAcquire", arguments: CoreKind.allCases)
    func callsBack(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, mostEver: 2) { pool, _ in
            try await pool.withConnection { connection in
                connection.use()
                #expect(pool.statistics.inUse == 1)
                #expect(pool.tryAcquire() == nil)
                try pool.resize(maxSize: 2)
                let other = try await pool.acquire()
                other.release()
                let again = try #require(pool.tryAcquire())
                again.release()
            }
            #expect(pool.statistics.idle == 2)
        }
    }

    @Test("A body may shut down its own pool", arguments: CoreKind.allCases)
    func shutsDown(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, strategy in
            try await pool.withConnection { connection in
                await pool.shutdown(drainFor: .zero)
                connection.use()
                _ = try await poolError(.poolShutDown) { _ = try await pool.acquire() }
            }
            #expect(strategy.books.closed == 1)
            #expect(pool.statistics.total == 0)
        }
    }

    @Test("If a body replaces its connection, the pool keeps the new one", arguments: CoreKind.allCases)
    func replacesTheConnection(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            try await pool.withConnection { connection in
                let remote = connection.remote
                connection = TestConnection(remote)
                connection.uses = 100
            }
            let found = try await pool.withConnection { $0.uses }
            #expect(found == 100)
        }
    }

    @Test("Task-local values of the caller are visible in the body", arguments: CoreKind.allCases)
    func taskLocals(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let seen = try await Trace.$id.withValue(7) {
                [try await pool.withConnection { _ in Trace.id }, try await pool.withConnection { _ in Trace.id }]
            }
            #expect(seen == [7, 7])
        }
    }
}

private enum Trace {
    @TaskLocal static var id = 0
}
