// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct MinimumIdleTests {
    /// Runs a test on a pool with hooks that has opened its minimum idle connections, with control over maintenance.
    private func withMinimumIdle(
        _ kind: CoreKind,
        of count: Int,
        maxSize: Int,
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
        _ test: (TestPool, TestStrategy, MaintenanceStepper) async throws -> Void
    ) async throws {
        try await withTimedPool(
            kind,
            maxSize: maxSize,
            hooked: true,
            configure: {
                $0.minimumIdle = count
                configure(&$0)
            }
        ) { pool, strategy, clock, _ in
            try await eventually("\(count) are idle") { pool.statistics.idle == count }
            try await test(pool, strategy, MaintenanceStepper(pool, clock))
        }
    }

    @Test("A new pool opens its minimum idle connections, and no more", arguments: CoreKind.allCases)
    func filledAtCreation(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 5, configure: { $0.minimumIdle = 3 }) { pool, strategy, clock, _ in
            try await eventually("three are idle") { pool.statistics.idle == 3 }
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(5))
            #expect(strategy.books.attempts == 3)
        }
    }

    @Test("Connections that callers hold are made up for within a second", arguments: CoreKind.allCases)
    func refilledAfterTakes(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 5, configure: { $0.minimumIdle = 3 }) { pool, strategy, clock, _ in
            try await eventually("three are idle") { pool.statistics.idle == 3 }
            let maintenance = try await MaintenanceStepper(pool, clock)
            let leases = try await pool.lease(2)
            try await maintenance.pass(.seconds(1))
            #expect(pool.statistics.idle == 3)
            #expect(pool.statistics.total == 5)
            leases.release()
            try await maintenance.pass(.seconds(2))
            #expect(strategy.books.attempts == 5, "the released connections are enough")
        }
    }

    @Test("Closed connections are replaced immediately", arguments: CoreKind.allCases)
    func refilledAfterCloses(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.minimumIdle = 2 }) { pool, strategy, _, _ in
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            try await pool.acquire().discard()
            try await eventually("two are idle again") { strategy.books.closed == 1 && pool.statistics.idle == 2 }
            #expect(strategy.books.opened == 3)
        }
    }

    @Test(
        "No connection is opened in place of one that is about to be idle",
        arguments: CoreKind.cores,
        [CoreMoment.beforeFinishOpen, .afterFinishOpen, .beforeRelease, .afterRelease]
    )
    func aboutToBeIdle(kind: CoreKind, moment: CoreMoment) async throws {
        try await withMinimumIdle(kind, of: 1, maxSize: 4) { pool, strategy, maintenance in
            let lease = try await pool.acquire()
            strategy.hooks.at(moment) { try? pool.resize(maxSize: 4) }
            try await maintenance.pass(.seconds(1))
            try await eventually("another connection is idle") { strategy.hooks.isEmpty && pool.statistics.idle == 1 }
            await letOthersRun()
            #expect(strategy.books.attempts == 2)
            lease.release()
        }
    }

    @Test(
        "No connection is opened in place of one that a sweep is looking at",
        arguments: CoreKind.cores,
        [CoreMoment.beforeSweepNext, .afterSweepNext, .beforeSweepKeep, .afterSweepKeep, .afterSweepEnd]
    )
    func lookedAt(kind: CoreKind, moment: CoreMoment) async throws {
        try await withMinimumIdle(kind, of: 2, maxSize: 4, configure: { $0.keepaliveInterval = .seconds(10) }) {
            pool,
            strategy,
            maintenance in
            try await maintenance.pass(.seconds(5))
            strategy.hooks.at(moment) { try? pool.resize(maxSize: 4) }
            try await maintenance.pass(.seconds(10))
            try await eventually("two are idle again") { strategy.hooks.isEmpty && pool.statistics.idle == 2 }
            await letOthersRun()
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test(
        "A connection that is missing beside one that is about to be idle is opened immediately",
        arguments: CoreKind.cores
    )
    func countedAgain(kind: CoreKind) async throws {
        try await withMinimumIdle(kind, of: 2, maxSize: 6) { pool, strategy, maintenance in
            let leases = try await pool.lease(2)
            let gate = Gate()
            strategy.onOpen { attempt in
                if attempt == 3 { await gate.pass() }
                if attempt == 4 { throw TestError("refused") }
            }
            try await maintenance.pass(.seconds(1), waitsForStrategy: false)
            try await eventually("one connect has failed") {
                strategy.books.failures == 1 && pool.statistics.total == 3
            }
            // A count at this moment counts the third connection twice, as idle and as used by the pool.
            strategy.hooks.at(.afterRelease) { try? pool.resize(maxSize: 6) }
            gate.open()
            try await eventually("two are idle again, without another pass of maintenance") {
                pool.statistics.idle == 2
            }
            #expect(strategy.hooks.isEmpty)
            #expect(strategy.books.attempts == 5)
            leases.release()
        }
    }

    @Test("minimumIdle never makes the pool exceed maxSize", arguments: CoreKind.allCases, [nil, 8] as [Int?])
    func neverAboveMaxSize(kind: CoreKind, burstLimit: Int?) async throws {
        try await withTimedPool(kind, maxSize: 4, burstLimit: burstLimit, configure: { $0.minimumIdle = 4 }) {
            pool,
            strategy,
            clock,
            _ in
            try await eventually("four are idle") { pool.statistics.idle == 4 }
            let maintenance = try await MaintenanceStepper(pool, clock)
            let leases = try await pool.lease(3)
            try await maintenance.pass(.seconds(3))
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.peak == 4)
            leases.release()
        }
    }

    @Test("Connect failures are repeated at one attempt each second", arguments: CoreKind.allCases)
    func survivesFailures(kind: CoreKind) async throws {
        let clock = ManualClock()
        let strategy = TestStrategy()
        strategy.onOpen { attempt in if attempt <= 3 { throw TestError("refused") } }
        var configuration = ConnectionPoolConfiguration(maxSize: 2)
        configuration.minimumIdle = 1
        configuration.clock = clock
        let pool = try kind.makePool(strategy: strategy, configuration: configuration)
        let maintenance = try await MaintenanceStepper(pool, clock)
        for second in 1...3 {
            try await eventually("attempt \(second) has failed") { strategy.books.failures == second }
            await letOthersRun()
            #expect(strategy.books.attempts == second)
            #expect(pool.statistics.total == 0)
            try await maintenance.pass(.seconds(1))
        }
        #expect(pool.statistics.idle == 1)
        #expect(strategy.books.attempts == 4)
        await pool.shutdown()
    }

    @Test(
        "All minimum idle connections are opened with a connect delay, and with few connects at a time",
        arguments: CoreKind.allCases
    )
    func withGate(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 5,
            configure: {
                $0.minimumIdle = 4
                $0.connectDelay = .seconds(3600)
            }
        ) { pool, strategy, _, _ in
            try await eventually("four are idle") { pool.statistics.idle == 4 }
        }
        try await withTimedPool(
            kind,
            maxSize: 5,
            configure: {
                $0.minimumIdle = 4
                $0.maxConcurrentConnects = 1
            }
        ) { pool, strategy, _, _ in
            try await eventually("four are idle") { pool.statistics.idle == 4 }
            #expect(strategy.books.attempts == 4)
        }
    }

    @Test("A paused pool opens none, and opens all when it resumes", arguments: CoreKind.allCases)
    func paused(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.minimumIdle = 2 }) { pool, strategy, clock, _ in
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            let maintenance = try await MaintenanceStepper(pool, clock)
            let lease = try await pool.acquire()
            pool.pause()
            try await maintenance.pass(.seconds(3))
            #expect(pool.statistics.total == 2)
            pool.resume()
            try await eventually("two are idle again, immediately") { pool.statistics.idle == 2 }
            lease.release()
        }
    }

    @Test("A maxSize below minimumIdle is rejected, and an equal one is accepted", arguments: CoreKind.allCases)
    func resized(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, mostEver: 6, configure: { $0.minimumIdle = 3 }) { pool, _, _, _ in
            let error = try await poolError(.invalidConfiguration) { try pool.resize(maxSize: 2) }
            #expect(error.message.contains("maxSize is 2"))
            #expect(error.message.contains("minimumIdle is 3"))
            #expect(pool.statistics.maxSize == 4)
            try pool.resize(maxSize: 3)
            try await eventually("three are idle") { pool.statistics.idle == 3 }
            let lease = try await pool.acquire()
            try pool.resize(maxSize: 6)
            try await eventually("three are idle again with more slots") { pool.statistics.idle == 3 }
            lease.release()
        }
    }

    @Test("A dropped pool is deallocated, together with its maintenance", arguments: CoreKind.allCases)
    func dropped(kind: CoreKind) async throws {
        let witness = Witness()
        let clock = ManualClock()
        do {
            let strategy = TestStrategy(witness: witness)
            var configuration = ConnectionPoolConfiguration(maxSize: 4)
            configuration.minimumIdle = 2
            configuration.idleTimeout = .seconds(60)
            configuration.connectTimeout = .seconds(5)
            configuration.connectDelay = .seconds(1)
            configuration.clock = clock
            let pool = try kind.makePool(strategy: strategy, configuration: configuration)
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            pool.evictAll(over: .seconds(3600))
        }
        try await eventually("the strategy is released") { witness.watchedIsGone }
        try await eventually("no task sleeps any more") { clock.sleepers == 0 }
    }
}
