// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(3)))  // A thousand connections in some hundred sweeps, for each kind of pool.
struct MaxLifetimeTests {
    @Test("An idle connection is replaced before it is too old", arguments: CoreKind.allCases)
    func idle(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 2,
            configure: {
                $0.maxLifetime = .seconds(128)
                $0.lifetimeJitter = 0
                $0.minimumIdle = 1
            }
        ) { pool, strategy, clock, observer in
            let chronicle = Chronicle(strategy, clock)
            try await pool.prewarm(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(119))
            #expect(chronicle.closed.isEmpty, "a lifetime is at least fifteen sixteenths of maxLifetime")
            try await maintenance.pass(.seconds(9))
            #expect(observer.closeReasons == [.maxLifetime])
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.opened == 2)
        }
    }

    @Test("A replacement has a full lifetime", arguments: CoreKind.allCases)
    func next(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: {
                $0.maxLifetime = .seconds(128)
                $0.lifetimeJitter = 0
                $0.minimumIdle = 1
            }
        ) { pool, strategy, clock, _ in
            let chronicle = Chronicle(strategy, clock)
            try await pool.prewarm(1)
            try await MaintenanceStepper(pool, clock).pass(.seconds(300))
            #expect(strategy.books.closedIDs == [1, 2])
            for age in chronicle.ages.values { #expect(age >= .seconds(120) && age <= .seconds(128)) }
        }
    }

    @Test("A connection in use is closed on release, and no caller gets it again", arguments: CoreKind.allCases)
    func leased(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.maxLifetime = .seconds(128) }) {
            pool,
            strategy,
            clock,
            observer in
            let lease = try await pool.acquire()
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(200))
            #expect(strategy.books.closed == 0)
            let waiter = try await pool.startWaiting()
            lease.release()
            let other = try await waiter.value
            #expect(other.id == 2)
            #expect(observer.closeReasons == [.maxLifetime])
            other.release()
        }
    }

    @Test(
        "Of connections of the same age none gets too old, and at most an eighth are closed at a time",
        arguments: CoreKind.allCases,
        [1, 9, 15, 100]
    )
    func neverOlder(kind: CoreKind, count: Int) async throws {
        try await withTimedPool(
            kind,
            maxSize: count,
            configure: {
                $0.maxLifetime = .seconds(128)
                $0.lifetimeJitter = 0
            }
        ) { pool, strategy, clock, _ in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(count)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(150))
            #expect(chronicle.ages.count == count)
            for age in chronicle.ages.values { #expect(age >= .seconds(120) && age <= .seconds(128)) }
            for (moment, closed) in chronicle.closedAtOnce { #expect(closed <= (count + 7) / 8, "at \(moment)") }
        }
    }

    @Test("If many are too old at once, the oldest are closed first", arguments: CoreKind.allCases)
    func oldestFirst(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 16,
            configure: {
                $0.maxLifetime = .seconds(128)
                $0.lifetimeJitter = 0
            }
        ) { pool, strategy, clock, _ in
            let chronicle = Chronicle(strategy, clock)
            try await pool.lease(8).release()
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(60))
            try await pool.lease(16).release()
            try await maintenance.pass(.seconds(5))
            // Maintenance stands still until all of them are too old.
            clock.advance(by: .seconds(300))
            try await maintenance.pass(.seconds(100))
            let closed = chronicle.closed
            #expect(closed.count == 16)
            let oldest = closed.filter { $0.key <= 8 }.values, youngest = closed.filter { $0.key > 8 }.values
            #expect(oldest.count == 8 && youngest.count == 8)
            #expect(try #require(oldest.max()) < #require(youngest.max()), "the last one to go is one of the youngest")
            #expect(try #require(oldest.min()) < #require(youngest.min()), "the first one to go is one of the oldest")
        }
    }

    @Test("Jitter spreads the closes of a thousand connections that were opened together", arguments: CoreKind.allCases)
    func jitter(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1000,
            configure: {
                $0.maxLifetime = .seconds(128)
                $0.lifetimeJitter = 0.5
            }
        ) { pool, strategy, clock, _ in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(1000)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(130))
            let ages = chronicle.ages.values
            #expect(ages.count == 1000)
            #expect(ages.allSatisfy { $0 >= .seconds(60) && $0 <= .seconds(128) })
            // 1000 closes over 60 seconds are some 17 each second. A second with 60 is beyond ten standard deviations.
            #expect(chronicle.closedAtOnce.values.max() ?? 0 < 60)
            #expect(chronicle.closedAtOnce.count > 50)
        }
    }

    @Test(
        "A connection that has expired when it opens is a failed attempt, and the next attempt comes after a pause",
        arguments: CoreKind.allCases
    )
    func expiredAtOnce(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: {
                $0.minimumIdle = 1
                $0.connectRetry = ConnectionBackoff()
            }
        ) { pool, strategy, clock, observer in
            try await eventually("the minimum is open") { pool.statistics.idle == 1 }
            strategy.limitLifetime(.seconds(-5))
            pool.evictAll(over: nil)
            try await eventually("an attempt has failed") { strategy.books.closed == 2 }
            await letOthersRun()
            #expect(strategy.books.attempts == 2)
            let errors = observer.all { if case .openFailed(let error, _, _, _) = $0 { "\(error)" } else { nil } }
            #expect(errors.count == 1 && errors[0].contains("may stay open for -5.0 seconds"))
            strategy.limitLifetime(nil)
            try await eventually("the minimum is open again") {
                clock.advance(by: .milliseconds(100))
                return pool.statistics.idle == 1
            }
        }
    }

    @Test(
        "maxLifetime may have any length, without jitter and with a jitter of nearly 1",
        arguments: CoreKind.allCases,
        [0, 0.999]
    )
    func longest(kind: CoreKind, jitter: Double) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            configure: {
                $0.maxLifetime = .seconds(Int64.max)
                $0.lifetimeJitter = jitter
            }
        ) { pool, _, clock, _ in
            try await pool.warmUp(4)
            clock.advance(by: .seconds(1_000_000))
            await letOthersRun()
            #expect(pool.statistics.idle == 4)
        }
    }
}
