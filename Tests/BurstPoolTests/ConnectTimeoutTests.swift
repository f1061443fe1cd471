// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectTimeoutTests {
    @Test(
        "When connectTimeout passes, the caller gets an error, and the attempt is cancelled",
        arguments: CoreKind.allCases
    )
    func cancelled(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.connectTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            observer in
            strategy.onOpen { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
            }
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .milliseconds(1999))
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            clock.advance(by: .milliseconds(1))
            let error = try await poolError(.connectTimedOut) { _ = try await waiter.value }
            #expect(error.timeout == .seconds(2))
            #expect(error.message.contains("2.0 seconds"))
            try await eventually("the slot is free") { pool.statistics.total == 0 }
            #expect(observer.count("openFailed") == 1, "the end of the attempt is not reported again")
        }
    }

    @Test("A connect that succeeds in time is not affected", arguments: CoreKind.allCases)
    func inTime(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.connectTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            observer in
            try await pool.withConnection { $0.use() }
            clock.advance(by: .seconds(3))
            try await clock.waitForSleepers(0)
            #expect(observer.count("openFailed") == 0)
        }
    }

    @Test(
        "An attempt that ignores its cancellation keeps its slot until it ends, and its connection is used",
        arguments: CoreKind.allCases
    )
    func late(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.connectTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            observer in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
            _ = try await poolError(.connectTimedOut) { _ = try await first.value }
            #expect(pool.statistics.opening == 1)
            let second = try await pool.startWaiting()
            await letOthersRun()
            #expect(strategy.books.attempts == 1, "there is no free slot for another attempt")
            gate.open()
            let lease = try await second.value
            #expect(lease.id == 1)
            lease.release()
            #expect(observer.count("opened") == 1)
        }
    }

    @Test("An attempt that fails late frees its slot for a waiter", arguments: CoreKind.allCases)
    func lateFailure(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.connectTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            _ in
            let gate = Gate()
            strategy.onOpen { attempt in
                guard attempt == 1 else { return }
                await gate.pass()
                throw TestError("late")
            }
            let first = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
            _ = try await poolError(.connectTimedOut) { _ = try await first.value }
            let second = try await pool.startWaiting()
            gate.open()
            try await second.value.release()
        }
    }

    @Test("An attempt that never ends keeps its slot, but not its permit", arguments: CoreKind.allCases)
    func neverEnding(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 2,
            configure: {
                $0.connectTimeout = .seconds(2)
                $0.maxConcurrentConnects = 1
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let first = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            let second = try await pool.startWaiting()
            #expect(strategy.books.attempts == 1)
            clock.advance(by: .seconds(2))
            _ = try await poolError(.connectTimedOut) { _ = try await first.value }
            try await second.value.release()
            for _ in 0..<10 { try await pool.withConnection { $0.use() } }
            #expect(pool.statistics.opening == 1)
            gate.open()
        }
    }

    @Test(
        "The time limit includes prepareConnection, and the connection is closed in spite of the cancellation",
        arguments: CoreKind.allCases
    )
    func preparing(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.connectTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            _ in
            let closed = Shared(false)
            strategy.onPrepare { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
            }
            strategy.onClose { _ in
                try Task.checkCancellation()
                closed.set(true)
            }
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
            _ = try await poolError(.connectTimedOut) { _ = try await waiter.value }
            try await eventually("the slot is free") { pool.statistics.total == 0 }
            #expect(closed.value, "the close is not cancelled with the attempt")
        }
    }

    @Test("A connection whose preparation fails is closed, and the caller gets the error", arguments: CoreKind.allCases)
    func unprepared(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onPrepare { if $0.id == 1 { throw TestError("prepare") } }
            await #expect(throws: TestError("prepare")) { try await pool.withConnection { $0.use() } }
            #expect(strategy.books.closedIDs == [1])
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
        }
    }

    @Test("With retries, an attempt that times out is followed by the next one", arguments: CoreKind.allCases)
    func retried(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 2,
            configure: {
                $0.connectTimeout = .seconds(2)
                $0.connectRetry = ConnectionBackoff()
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
            try await eventually("the caller waits for the next attempt, or that is made") {
                clock.sleepers > 0 || strategy.books.attempts == 2
            }
            clock.advance(by: .seconds(5))
            let lease = try await waiter.value
            #expect(strategy.books.attempts == 2)
            lease.release()
            gate.open()
        }
    }
}
