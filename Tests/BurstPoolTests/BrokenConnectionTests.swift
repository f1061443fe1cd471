// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct BrokenConnectionTests {
    @Test("A discarded connection is closed, and the next caller gets another one", arguments: CoreKind.allCases)
    func discarded(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            lease.discard()
            let other = try await waiter.value
            #expect(other.id == 2)
            #expect(strategy.books.closedIDs == [1])
            try await eventually("the observer has the event") { observer.closeReasons == [.discarded] }
            other.release()
        }
    }

    @Test("A connection is closed after an error that shows that it is broken", arguments: CoreKind.allCases)
    func broken(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            strategy.judge { $0 as? TestError == TestError("protocol") ? .discard : .keep }
            await #expect(throws: TestError("protocol")) {
                try await pool.withConnection { _ in throw TestError("protocol") }
            }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            #expect(observer.closeReasons == [.discarded])
        }
    }

    @Test("A connection stays in the pool after any other error", arguments: CoreKind.allCases)
    func notBroken(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            strategy.judge { $0 as? TestError == TestError("protocol") ? .discard : .keep }
            await #expect(throws: TestError("no such user")) {
                try await pool.withConnection { _ in throw TestError("no such user") }
            }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 1)
            #expect(observer.closeReasons == [])
        }
    }

    @Test(
        "A failed close is reported to the observer, and the caller gets the body's error",
        arguments: CoreKind.allCases
    )
    func closeError(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            strategy.judge { _ in .discard }
            strategy.onClose { _ in throw TestError("close") }
            await #expect(throws: TestError("body")) {
                try await pool.withConnection { _ in throw TestError("body") }
            }
            try await eventually("the observer has the event") { observer.closeErrors == [TestError("close")] }
        }
    }

    @Test(
        "After the verdict evictAll, failures on other old connections do not evict the new ones",
        arguments: CoreKind.allCases
    )
    func evictsAllOnce(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            strategy.judge { $0 as? TestError == TestError("read-only") ? .evictAll : .keep }
            let gate = Gate()
            defer { gate.open() }
            let late = Task {
                try await pool.withConnection { _ in
                    await gate.pass()
                    throw TestError("read-only")
                }
            }
            try await eventually("the first connection is in use") { gate.held == 1 }
            await #expect(throws: TestError("read-only")) {
                try await pool.withConnection { _ in throw TestError("read-only") }
            }
            try await pool.withConnection { #expect($0.id == 3) }
            gate.open()
            await #expect(throws: TestError("read-only")) { try await late.value }
            try await pool.withConnection { #expect($0.id == 3) }
            try await eventually("both old connections are closed") { pool.statistics.total == 1 }
            #expect(Set(strategy.books.closedIDs) == [1, 2])
        }
    }
}
