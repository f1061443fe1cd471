// SPDX-License-Identifier: Apache-2.0

@testable import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectRetryTests {
    private func withRetries(
        _ kind: CoreKind,
        maxSize: Int,
        _ test: (TestPool, TestStrategy, ManualClock, RecordingObserver) async throws -> Void
    ) async throws {
        try await withTimedPool(
            kind,
            maxSize: maxSize,
            configure: {
                $0.connectRetry = ConnectionBackoff()
                $0.maxConcurrentConnects = 1
            },
            test
        )
    }

    /// Lets the pause after a failure pass.
    private func passPause(after failures: Int, _ strategy: TestStrategy, _ clock: ManualClock) async throws {
        try await eventually("attempt \(failures) has failed, and the next one runs or waits") {
            strategy.books.failures >= failures && (clock.sleepers > 0 || strategy.books.attempts > failures)
        }
        clock.advance(by: .seconds(5))
    }

    @Test(
        "While connects fail, callers keep their positions in the queue, and are served in order",
        arguments: CoreKind.allCases
    )
    func order(kind: CoreKind) async throws {
        try await withRetries(kind, maxSize: 1) { pool, strategy, clock, observer in
            strategy.onOpen { attempt in if attempt <= 3 { throw TestError("refused") } }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            for failure in 1...3 { try await passPause(after: failure, strategy, clock) }
            let lease = try await first.value
            #expect(pool.statistics.waiting == 1)
            lease.release()
            try await second.value.release()
            #expect(strategy.books.attempts == 4)
            let retried = observer.all {
                if case .openFailed(_, _, let will, let wait) = $0 { (will, wait) } else { nil }
            }
            #expect(retried.map(\.0) == [true, true, true])
            #expect(Set(retried.map(\.1)).count == 1, "all attempts are made for the first caller")
        }
    }

    @Test(
        "A permanent error reaches the caller immediately, and all callers that nothing can serve",
        arguments: CoreKind.allCases
    )
    func permanent(kind: CoreKind) async throws {
        try await withRetries(kind, maxSize: 2) { pool, strategy, _, observer in
            let gate = Gate()
            strategy.callPermanent { $0 as? TestError == TestError("wrong password") }
            strategy.onOpen { _ in
                await gate.pass()
                throw TestError("wrong password")
            }
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting()]
            gate.open()
            for waiter in waiters {
                await #expect(throws: TestError("wrong password")) { try await waiter.value }
            }
            #expect(observer.openErrors.count <= 2)
        }
    }

    @Test("A caller whose timeout passes gets an error that includes the connect error", arguments: CoreKind.allCases)
    func deadline(kind: CoreKind) async throws {
        try await withRetries(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { _ in throw TestError("refused") }
            let waiter = try await pool.startWaiting(timeout: .seconds(20))
            let error = try await poolError(.acquireTimedOut) {
                for failure in 1...4 { try await passPause(after: failure, strategy, clock) }
                _ = try await waiter.value
            }
            #expect(error.underlyingError as? TestError == TestError("refused"))
            #expect(error.timeout == .seconds(20))
            #expect(error.message.contains("refused"))
        }
    }

    @Test("All attempts share one pace", arguments: CoreKind.allCases)
    func pace(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 8,
            configure: {
                $0.connectRetry = ConnectionBackoff(base: .seconds(1_000_000), cap: .seconds(1_000_000))
            }
        ) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            let first = try await pool.startWaiting()
            try await eventually("the first attempt has failed") { strategy.books.failures == 1 && clock.sleepers > 0 }
            var waiters = [first]
            for _ in 0..<5 { waiters.append(try await pool.startWaiting()) }
            await letOthersRun()
            // The probability of a pause of less than a millisecond is one in a billion.
            #expect(strategy.books.attempts == 1)
            clock.advance(by: .seconds(1_000_000))
            var leases: [TestLease<TestConnection>] = []
            for waiter in waiters { leases.append(try await waiter.value) }
            #expect(strategy.books.attempts == 7)
            leases.release()
        }
    }

    @Test("A released connection serves a caller that waits for the next attempt", arguments: CoreKind.allCases)
    func overtaken(kind: CoreKind) async throws {
        try await withRetries(kind, maxSize: 2) { pool, strategy, clock, _ in
            let lease = try await pool.acquire()
            strategy.onOpen { _ in throw TestError("refused") }
            let waiter = try await pool.startWaiting()
            try await eventually("the attempt has failed") { strategy.books.failures == 1 }
            lease.release()
            let served = try await waiter.value
            #expect(served.id == 1)
            served.release()
        }
    }

    @Test("A pause is random between zero and its bound, which doubles up to the cap")
    func backoff() {
        let backoff = ConnectionBackoff(base: .milliseconds(100), cap: .seconds(5))
        for failures in [1, 2, 3, 6, 7, 8, 63, 64, 65, 1000, Int.max] {
            let exponent = min(failures - 1, 20)
            let bound = min(5_000_000_000, UInt64(100_000_000) << UInt64(exponent))
            let delays = (0..<2000).map { _ in backoff.delay(afterFailures: failures) }
            #expect(delays.allSatisfy { $0 <= bound })
            // The probability that no delay falls into this tenth of the range is 0.9 to the power of 2000.
            #expect((delays.min() ?? .max) < bound / 10)
            #expect((delays.max() ?? 0) > bound / 10 * 9)
        }
        #expect(ConnectionBackoff(base: .nanoseconds(1), cap: .seconds(Int64.max)).delay(afterFailures: 500) > 0)
    }
}
