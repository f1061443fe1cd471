import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(3)))  // A thousand connections, over all kinds of pool, in some hundred looks each.
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
            #expect(chronicle.closed.isEmpty, "it has fifteen sixteenths of its life at the least")
            try await maintenance.pass(.seconds(9))
            #expect(observer.closeReasons == [.maxLifetime])
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.opened == 2)
        }
    }

    @Test("The life of one that takes its place is its own", arguments: CoreKind.allCases)
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

    @Test("One that is in use is closed when it comes back, and nobody gets it any more", arguments: CoreKind.allCases)
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
        "However many are as old as each other, none gets too old, and an eighth at the most is closed at a time",
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

    @Test("A thousand that were opened together are spread out by the jitter", arguments: CoreKind.allCases)
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
            // 1000 over 60 seconds are some 17 a second; that 60 come together is beyond ten standard deviations.
            #expect(chronicle.closedAtOnce.values.max() ?? 0 < 60)
            #expect(chronicle.closedAtOnce.count > 50)
        }
    }

    @Test("A jitter of nearly all shortens lives to nearly nothing, and breaks nothing", arguments: CoreKind.allCases)
    func extremeJitter(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            configure: {
                $0.maxLifetime = .seconds(Int64.max)
                $0.lifetimeJitter = 0.999
            }
        ) { pool, strategy, clock, _ in
            try await pool.warmUp(4)
            clock.advance(by: .seconds(3600))
            await letOthersRun()
            #expect(pool.statistics.idle == 4)
        }
    }
}
