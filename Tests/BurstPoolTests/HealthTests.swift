// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct HealthTests {
    @Test("It returns when a working connection is available", arguments: CoreKind.allCases)
    func healthy(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            try await pool.waitUntilHealthy(timeout: nil)
            #expect(strategy.books.validated == [1])
            #expect(pool.statistics.idle == 1)
            try await pool.waitUntilHealthy(timeout: .seconds(1))
            #expect(strategy.books.validated == [1, 1])
        }
    }

    @Test(
        "While the server is away, the pool tries at intervals, and returns when the server is back",
        arguments: CoreKind.allCases
    )
    func triesAgain(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in if attempt <= 3 { throw TestError("refused") } }
            try await clock.advancing { try await pool.waitUntilHealthy(timeout: nil) }
            #expect(strategy.books.attempts == 4)
            #expect(clock.now.sinceStart > .zero)
        }
    }

    @Test("The pool pauses between attempts if a server gives invalid answers", arguments: CoreKind.allCases)
    func invalid(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onValidate { $0.id == 40 }
            let waiting = Task { try await pool.waitUntilHealthy(timeout: nil) }
            var attempts = 0
            // Each pause takes up to a second. After several pauses, attempts can no longer follow each other
            // immediately.
            for _ in 0..<8 {
                try await eventually("the pool pauses") { clock.sleepers > 0 && pool.statistics.total == 0 }
                await letOthersRun()
                #expect(strategy.books.opened <= attempts + 3)
                attempts = strategy.books.opened
                clock.advance(by: .seconds(1))
            }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test("When its timeout passes, the error gives the reason", arguments: CoreKind.allCases)
    func timeIsUp(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { _ in throw TestError("refused") }
            let waiting = Task { try await pool.waitUntilHealthy(timeout: .seconds(3)) }
            let isOver = Shared(false)
            let watching = Task {
                defer { isOver.set(true) }
                try await waiting.value
            }
            try await eventually("the timeout has passed") {
                if clock.sleepers > 0 { clock.advance(by: .milliseconds(100)) }
                return isOver.value
            }
            await #expect(throws: TestError("refused")) { try await watching.value }
            #expect(clock.now.sinceStart <= .seconds(4))
        }
    }

    @Test("A permanent error, a shutdown and a cancellation end it immediately", arguments: CoreKind.allCases)
    func ends(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in throw TestError(attempt == 1 ? "wrong password" : "refused") }
            strategy.callPermanent { $0 as? TestError == TestError("wrong password") }
            await #expect(throws: TestError("wrong password")) { try await pool.waitUntilHealthy(timeout: nil) }

            let cancelled = Task { try await pool.waitUntilHealthy(timeout: nil) }
            try await eventually("the pool has tried") { strategy.books.failures >= 2 }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }

            await pool.shutdown()
            _ = try await poolError(.poolShutDown) { try await pool.waitUntilHealthy(timeout: nil) }
        }
    }
}
