// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectFailureTests {
    @Test(
        "A connect error reaches the caller that it was opened for, and the slot is free immediately",
        arguments: CoreKind.allCases
    )
    func reachesTheCaller(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, configure: { $0.observer = observer }) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError("refused")) { try await pool.withConnection { $0.use() } }
            try await eventually("the slot is free") { pool.statistics.total == 0 }
            #expect(observer.openErrors == [TestError("refused")])
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test("At maxSize 1, an attempt is made for each waiter when connects fail", arguments: CoreKind.allCases)
    func attemptForEachWaiter(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt <= 3 { throw TestError("refused \(attempt)") }
            }
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<5 { waiters.append(try await pool.startWaiting()) }
            gate.open()
            for number in 1...3 {
                await #expect(throws: TestError("refused \(number)")) { try await waiters[number - 1].value }
            }
            try await waiters[3].value.release()
            try await waiters[4].value.release()
            #expect(strategy.books.attempts == 4)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("If every connect fails, every caller gets the error, and no caller hangs", arguments: CoreKind.allCases)
    func allFail(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2, burstLimit: 3) { pool, strategy in
            strategy.onOpen { _ in throw TestError("down") }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        await #expect(throws: TestError("down")) { try await pool.withConnection { $0.use() } }
                    }
                }
            }
            #expect(strategy.books.attempts == 100)
            try await eventually("all slots are free") { pool.statistics.total == 0 }
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test(
        "If a connect fails after its caller got a released connection, no caller gets the error",
        arguments: CoreKind.allCases
    )
    func failsAfterItsCallerWasServed(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 2, configure: { $0.observer = observer }) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 2 { throw TestError("late") }
            }
            let first = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            let second = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            #expect(served.id == 1)
            // The free slot is used for the caller that still waits.
            gate.letOnePass()
            try await eventually("the slot was passed on") { gate.held == 1 && strategy.books.attempts == 3 }
            gate.open()
            let other = try await second.value
            #expect(other.id == 2)
            #expect(observer.openErrors == [TestError("late")])
            [served, other].release()
        }
    }

    @Test(
        "If a connect fails after its caller has left, the slot is free for the next caller",
        arguments: CoreKind.allCases
    )
    func failsAfterItsCallerLeft(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 1 { throw TestError("late") }
            }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            gate.open()
            let lease = try await second.value
            #expect(strategy.books.attempts == 2)
            lease.release()
        }
    }

    @Test("A CancellationError of makeConnection is treated like any other error", arguments: CoreKind.allCases)
    func cancellationFromOpening(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw CancellationError() } }
            await #expect(throws: CancellationError.self) { try await pool.withConnection { $0.use() } }
            try await pool.withConnection { $0.use() }
        }
    }

    @Test("A failing connect does not disturb connections that are in use", arguments: CoreKind.allCases)
    func doesNotDisturbOthers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onOpen { _ in throw TestError("refused") }
            for _ in 0..<20 {
                await #expect(throws: TestError("refused")) { try await pool.acquire() }
            }
            #expect(pool.statistics.inUse == 1)
            lease.release()
            #expect(pool.statistics.total == 1)
        }
    }

    @Test(
        "While connects fail, a waiter at the limit is served by a released connection",
        arguments: CoreKind.allCases
    )
    func servedDespiteFailures(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in
                await gate.pass()
                throw TestError("refused")
            }
            let first = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            let second = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            served.release()
            try await second.value.release()
            // The connection that is being opened counts, so the connection that was released last is excess.
            try await eventually("the excess connection is closed") { strategy.books.closed == 1 }
            gate.open()
            try await eventually("the failed connection is gone") { pool.statistics.total == 0 }
        }
    }
}
