import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectTimeoutTests {
    @Test("The caller is told, and the attempt is cancelled", arguments: CoreKind.allCases)
    func heeded(kind: CoreKind) async throws {
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
            try await eventually("its place is free") { pool.statistics.total == 0 }
            #expect(observer.count("openFailed") == 1, "the end of the attempt is not told again")
        }
    }

    @Test("One that opens in time is as any other", arguments: CoreKind.allCases)
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

    @Test("One that does not heed it holds its place until it ends, and is then of use", arguments: CoreKind.allCases)
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
            #expect(strategy.books.attempts == 1, "there is no place for another attempt")
            gate.open()
            let lease = try await second.value
            #expect(lease.id == 1)
            lease.release()
            #expect(observer.count("opened") == 1)
        }
    }

    @Test("One that fails late frees its place for who waits", arguments: CoreKind.allCases)
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

    @Test("One that never ends holds its place, and not the turn to open another", arguments: CoreKind.allCases)
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
        "Preparing is part of it, and what was opened by then is closed, whatever is cancelled",
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
            try await eventually("its place is free") { pool.statistics.total == 0 }
            #expect(closed.value, "the close is not cancelled with the attempt")
        }
    }

    @Test("A connection that cannot be prepared is closed, and the caller is told why", arguments: CoreKind.allCases)
    func unprepared(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onPrepare { if $0.id == 1 { throw TestError("prepare") } }
            await #expect(throws: TestError("prepare")) { try await pool.withConnection { $0.use() } }
            #expect(strategy.books.closedIDs == [1])
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
        }
    }

    @Test("The time that is up once for all does not stop who tries again", arguments: CoreKind.allCases)
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
            try await eventually("it waits for the next attempt, or that is made") {
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
