// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CloseTimeoutTests {
    @Test("A closing connection is counted until its close has taken closeTimeout", arguments: CoreKind.allCases)
    func placeFreed(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, mostEver: 2) { pool, strategy, clock, observer in
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            try await pool.acquire().discard()
            try await eventually("the connection is closing") { gate.held == 1 }
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .milliseconds(29_999))
            await letOthersRun()
            #expect(strategy.books.attempts == 1)
            #expect(pool.statistics.closing == 1)
            clock.advance(by: .milliseconds(1))
            let lease = try await waiter.value
            #expect(lease.id == 2)
            #expect(pool.statistics.total == 1)
            let reasons = observer.all { if case .closeTimedOut(let reason) = $0 { reason } else { nil } }
            #expect(reasons == [.discarded])
            // What the close does after its timeout is discarded.
            gate.open()
            try await eventually("the close has ended") { strategy.books.closed == 1 }
            #expect(pool.statistics.total == 1)
            lease.release()
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test(
        "A connection whose close has taken closeTimeout is aborted, once, and one that closes in time is not",
        arguments: CoreKind.allCases
    )
    func aborts(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, mostEver: 3) { pool, strategy, clock, _ in
            let aborted = Shared<[Int]>([])
            let gate = Gate()
            strategy.onAbort { remote in
                aborted.change { $0.append(remote.id) }
                gate.open()
            }
            strategy.onClose { remote in if remote.id == 1 { await gate.pass() } }
            let leases = try await pool.lease(2)
            leases[1].discard()
            leases[0].release()
            pool.evictAll(over: nil)
            try await eventually("the close hangs") { gate.held == 1 && strategy.books.closed == 1 }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(30))
            try await eventually("it was aborted") { strategy.books.closed == 2 }
            #expect(aborted.value == [1])
            #expect(pool.statistics.total == 0)
        }
    }

    @Test(
        "The caller that released the connection waits no longer than closeTimeout",
        arguments: CoreKind.allCases,
        [true, false]
    )
    func caller(kind: CoreKind, bodyThrows: Bool) async throws {
        try await withTimedPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.closeTimeout = .seconds(7) }) {
            pool,
            strategy,
            clock,
            observer in
            let gate = Gate()
            strategy.onClose { _ in
                await gate.pass()
                throw TestError("late")
            }
            let lease = try await pool.acquire()
            let caller = Task {
                try await pool.withConnection { _ in if bodyThrows { throw TestError("body") } }
            }
            try await eventually("the excess is being closed") { gate.held == 1 && clock.sleepers > 0 }
            clock.advance(by: .seconds(7))
            if bodyThrows {
                await #expect(throws: TestError("body")) { try await caller.value }
            } else {
                try await caller.value
            }
            #expect(pool.statistics.total == 1)
            gate.open()
            lease.release()
            #expect(observer.count("closeTimedOut") == 1)
        }
    }

    @Test("A close that ends in time is not affected", arguments: CoreKind.allCases)
    func inTime(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, observer in
            try await pool.acquire().discard()
            try await eventually("the connection is closed") { observer.closeReasons == [.discarded] }
            clock.advance(by: .seconds(31))
            try await clock.waitForSleepers(0)
            #expect(observer.count("closeTimedOut") == 0)
        }
    }

    @Test("Without closeTimeout, a close may take as long as it needs", arguments: CoreKind.allCases)
    func noLimit(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.closeTimeout = nil }) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            try await pool.acquire().discard()
            try await eventually("the connection is closing") { gate.held == 1 }
            clock.advance(by: .seconds(1_000_000))
            await letOthersRun()
            #expect(pool.statistics.closing == 1)
            gate.open()
        }
    }

    @Test("A shutdown waits no longer than closeTimeout either", arguments: CoreKind.allCases)
    func shutdown(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            try await pool.warmUp(2)
            let end = Task { await pool.shutdown() }
            try await eventually("both connections are closing") { gate.held == 2 && clock.sleepers > 0 }
            clock.advance(by: .seconds(30))
            _ = await end.value
            #expect(pool.statistics.total == 0)
            gate.open()
            try await eventually("both connections are closed") { strategy.books.closed == 2 }
        }
    }

    @Test(
        "If a preparation fails and the close hangs, slot and caller are free after closeTimeout",
        arguments: CoreKind.allCases
    )
    func unprepared(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, mostEver: 2, configure: { $0.closeTimeout = .seconds(7) }) {
            pool,
            strategy,
            clock,
            observer in
            let gate = Gate()
            strategy.onPrepare { if $0.id == 1 { throw TestError("refused") } }
            strategy.onClose { if $0.id == 1 { await gate.pass() } }
            let first = Task { try await pool.acquire() }
            try await eventually("the connection is closing") { gate.held == 1 && clock.wakes(within: .seconds(7)) }
            let second = try await pool.startWaiting()
            clock.advance(by: .milliseconds(6_999))
            await letOthersRun()
            #expect(strategy.books.attempts == 1)
            clock.advance(by: .milliseconds(1))
            await #expect(throws: TestError("refused")) { try await first.value.release() }
            let lease = try await second.value
            #expect(lease.id == 2)
            let late = observer.all { if case .closeTimedOut(let reason) = $0 { reason } else { nil } }
            #expect(late == [.preparationFailed])
            gate.open()
            try await eventually("the close has ended") { strategy.books.closed == 1 }
            lease.release()
        }
    }
}
