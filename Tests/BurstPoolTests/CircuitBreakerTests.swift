// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CircuitBreakerTests {
    private func withBreaker(
        _ kind: CoreKind,
        maxSize: Int = 4,
        _ test: (TestPool, TestStrategy, ManualClock, RecordingObserver) async throws -> Void
    ) async throws {
        try await withTimedPool(
            kind,
            maxSize: maxSize,
            configure: { $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 3, openFor: .seconds(15)) },
            test
        )
    }

    private func fail(_ pool: TestPool, times: Int) async throws {
        for _ in 0..<times {
            await #expect(throws: TestError("refused")) { try await pool.withConnection { $0.use() } }
        }
    }

    @Test(
        "After the threshold of consecutive failures, callers fail immediately, and nothing is opened",
        arguments: CoreKind.allCases
    )
    func opens(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, clock, observer in
            strategy.onOpen { _ in throw TestError("refused") }
            try await fail(pool, times: 3)
            #expect(observer.breakerStates == [.open])
            for second in [0, 14] {
                clock.advance(by: .seconds(second))
                let error = try await poolError(.circuitOpen) { try await pool.withConnection { $0.use() } }
                #expect(error.underlyingError as? TestError == TestError("refused"))
            }
            #expect(strategy.books.attempts == 3)
        }
    }

    @Test(
        "Callers fail at once if attempts that ignore their time limit leave no slot for the probe",
        arguments: CoreKind.allCases
    )
    func noSlotForProbe(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: {
                $0.connectTimeout = .milliseconds(100)
                $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .milliseconds(300))
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let first = try await pool.startWaiting()
            try await eventually("it connects") { gate.held == 1 && clock.wakes(within: .milliseconds(100)) }
            clock.advance(by: .milliseconds(100))
            _ = try await poolError(.connectTimedOut) { _ = try await first.value }
            clock.advance(by: .milliseconds(300))
            _ = try await poolError(.circuitOpen) { try await pool.withConnection { $0.use() } }
            gate.open()
            try await eventually("the connection that opened late is idle or closed") { pool.statistics.opening == 0 }
        }
    }

    @Test("A success between failures resets the count", arguments: CoreKind.allCases)
    func reset(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, _, observer in
            strategy.onOpen { attempt in if attempt != 3 { throw TestError("refused") } }
            try await fail(pool, times: 2)
            try await pool.acquire().discard()
            try await eventually("the connection is closed") { pool.statistics.total == 0 }
            try await fail(pool, times: 2)
            #expect(observer.breakerStates == [])
            try await fail(pool, times: 1)
            #expect(observer.breakerStates == [.open])
        }
    }

    @Test("A caller waits if a connection is in use that it can get", arguments: CoreKind.allCases)
    func waits(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, _, _ in
            let lease = try await pool.acquire()
            strategy.onOpen { _ in throw TestError("refused") }
            try await fail(pool, times: 3)
            let waiter = try await pool.startWaiting()
            let other = try await pool.startWaiting()
            #expect(strategy.books.attempts == 4)
            lease.release()
            let served = try await waiter.value
            #expect(served.id == 1)
            served.discard()
            _ = try await poolError(.circuitOpen) { _ = try await other.value }
        }
    }

    @Test(
        "When openFor has passed, one attempt is made, and its success closes the breaker",
        arguments: CoreKind.allCases
    )
    func halfOpen(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, clock, observer in
            let gate = Gate()
            strategy.onOpen { attempt in
                if attempt <= 3 { throw TestError("refused") }
                await gate.pass()
            }
            try await fail(pool, times: 3)
            clock.advance(by: .seconds(15))
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<3 { waiters.append(try await pool.startWaiting()) }
            await letOthersRun()
            #expect(strategy.books.attempts == 4)
            #expect(observer.breakerStates == [.open, .halfOpen])
            gate.open()
            var leases: [TestLease<TestConnection>] = []
            for waiter in waiters { leases.append(try await waiter.value) }
            #expect(observer.breakerStates == [.open, .halfOpen, .closed])
            #expect(strategy.books.attempts == 6)
            leases.release()
        }
    }

    @Test("If the probe fails, the breaker stays open for the same time again", arguments: CoreKind.allCases)
    func opensAgain(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, clock, observer in
            let gate = Gate()
            strategy.onOpen { attempt in
                if attempt == 4 { await gate.pass() }
                if attempt <= 4 { throw TestError("refused") }
            }
            try await fail(pool, times: 3)
            clock.advance(by: .seconds(15))
            let probe = try await pool.startWaiting()
            let other = try await pool.startWaiting()
            gate.open()
            await #expect(throws: TestError("refused")) { try await probe.value }
            _ = try await poolError(.circuitOpen) { _ = try await other.value }
            clock.advance(by: .milliseconds(14_999))
            _ = try await poolError(.circuitOpen) { try await pool.withConnection { $0.use() } }
            clock.advance(by: .milliseconds(1))
            try await pool.withConnection { $0.use() }
            #expect(observer.breakerStates == [.open, .halfOpen, .open, .halfOpen, .closed])
        }
    }

    @Test(
        "When openFor has passed, the pool probes for its waiters without a new caller",
        arguments: CoreKind.allCases
    )
    func wakes(kind: CoreKind) async throws {
        try await withBreaker(kind) { pool, strategy, clock, _ in
            let lease = try await pool.acquire()
            strategy.onOpen { attempt in if attempt <= 4 { throw TestError("refused") } }
            try await fail(pool, times: 3)
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(15))
            let served = try await waiter.value
            #expect(served.id == 2)
            [lease, served].release()
        }
    }

    @Test(
        "With retries, callers that have no connection to wait for still fail immediately",
        arguments: CoreKind.allCases
    )
    func withRetries(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 2,
            configure: {
                $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 2, openFor: .seconds(15))
                $0.connectRetry = ConnectionBackoff()
            }
        ) { pool, strategy, clock, _ in
            strategy.onOpen { _ in throw TestError("refused") }
            let waiter = try await pool.startWaiting()
            try await eventually("the first has failed") {
                strategy.books.failures >= 1 && (clock.sleepers > 0 || strategy.books.failures == 2)
            }
            clock.advance(by: .milliseconds(100))
            let error = try await poolError(.circuitOpen) { _ = try await waiter.value }
            #expect(error.underlyingError as? TestError == TestError("refused"))
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test("A probe for which there is no free slot is made when a slot is free", arguments: CoreKind.allCases)
    func noFreeSlot(kind: CoreKind) async throws {
        try await withBreaker(kind, maxSize: 2) { pool, strategy, clock, observer in
            let lease = try await pool.acquire()
            strategy.onOpen { attempt in if attempt <= 4 { throw TestError("refused") } }
            try await fail(pool, times: 3)
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            try pool.resize(maxSize: 1, burstLimit: nil)
            clock.advance(by: .seconds(15))
            try await clock.waitForSleepers(0)
            await letOthersRun()
            #expect(strategy.books.attempts == 4)
            #expect(observer.breakerStates == [.open], "an attempt that is not made is not reported")
            try pool.resize(maxSize: 2, burstLimit: nil)
            let other = try await waiter.value
            #expect(strategy.books.attempts == 5)
            #expect(observer.breakerStates == [.open, .halfOpen, .closed])
            [lease, other].release()
        }
    }

    @Test(
        "Without connectTimeout, a probe fails after the time for which the breaker stays open",
        arguments: CoreKind.allCases
    )
    func probeThatHangs(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            configure: {
                $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(15))
                $0.connectTimeout = nil
            }
        ) { pool, strategy, clock, observer in
            let gate = Gate()
            defer { gate.open() }
            strategy.onOpen { attempt in
                if attempt == 1 { throw TestError("refused") }
                if attempt == 2 { await gate.pass() }
            }
            try await fail(pool, times: 1)
            clock.advance(by: .seconds(15))
            let caller = try await pool.startWaiting()
            try await eventually("the probe is running, and its time limit is watched") {
                gate.held == 1 && clock.wakes(within: .seconds(15))
            }
            clock.advance(by: .seconds(15))
            _ = try await poolError(.connectTimedOut) { _ = try await caller.value }
            #expect(observer.breakerStates == [.open, .halfOpen, .open])
            gate.open()
            try await eventually("the late connection is idle") { pool.statistics.idle == 1 }
        }
    }
}
