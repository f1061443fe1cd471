// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct IdleTimeoutTests {
    @Test(
        "An idle connection is closed when its time has passed, at most 12.5 % later, with or without keepalive",
        arguments: CoreKind.allCases,
        [nil, .seconds(68), .seconds(79)] as [Duration?]
    )
    func closes(kind: CoreKind, keepalive: Duration?) async throws {
        try await withTimedPool(
            kind,
            maxSize: 3,
            configure: {
                $0.idleTimeout = .seconds(80)
                $0.keepaliveInterval = keepalive
            }
        ) { pool, strategy, clock, observer in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(3)
            let maintenance = try await MaintenanceStepper(pool, clock)
            // Not a multiple of the maintenance interval, because the idle time of the connection counts.
            try await maintenance.pass(.seconds(1))
            for lease in try await pool.lease(3) { lease.release() }
            try await maintenance.pass(.seconds(120))
            #expect(chronicle.closed.count == 3)
            for (_, moment) in chronicle.closed { #expect(moment >= .seconds(81) && moment <= .seconds(91)) }
            #expect(observer.closeReasons == [.idleTimeout, .idleTimeout, .idleTimeout])
            #expect(pool.statistics.total == 0)
        }
    }

    @Test("The minimum idle connections are kept, and are not replaced", arguments: CoreKind.allCases)
    func keepsMinimum(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            configure: {
                $0.idleTimeout = .seconds(80)
                $0.minimumIdle = 2
            }
        ) { pool, strategy, clock, _ in
            try await pool.prewarm(2)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await pool.warmUp(4)
            try await maintenance.pass(.seconds(300))
            #expect(pool.statistics.idle == 2)
            #expect(strategy.books.opened == 4)
        }
    }

    @Test(
        "The least recently used connections are closed, and connections in occasional use stay",
        arguments: CoreKind.allCases
    )
    func coldest(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.idleTimeout = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(4)
            let maintenance = try await MaintenanceStepper(pool, clock)
            var lastUse: [Int: Duration] = [:]
            for _ in 0..<60 {
                try await maintenance.pass(.seconds(5))
                let id = try await pool.withConnection { $0.id }
                lastUse[id] = clock.now.sinceStart
            }
            #expect(pool.statistics.idle >= 1, "a connection is used every five seconds")
            #expect(strategy.books.opened == 4, "no connection had to be opened again")
            for (id, moment) in chronicle.closed {
                #expect(moment - (lastUse[id] ?? .zero) >= .seconds(80), "connection \(id) was in use lately")
            }
        }
    }

    @Test("A connection in use is not idle, however long it is in use", arguments: CoreKind.allCases)
    func inUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, configure: { $0.idleTimeout = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            let lease = try await pool.acquire()
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(1000))
            #expect(strategy.books.closed == 0)
            lease.release()
            try await maintenance.pass(.seconds(79))
            #expect(pool.statistics.idle == 1)
            try await maintenance.pass(.seconds(11))
            #expect(strategy.books.closed == 1)
        }
    }

    @Test(
        "A connection that is used after maintenance has found it idle for too long, and before it closes it, stays",
        arguments: CoreKind.cores
    )
    func usedMeanwhile(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, hooked: true, configure: { $0.idleTimeout = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            let wasUsed = Shared(false)
            strategy.hooks.at(.beforeSweepNext) { [weak pool] in
                guard let lease = pool?.tryAcquire() else { return }
                lease.release()
                wasUsed.set(true)
            }
            try await maintenance.pass(.seconds(89))
            #expect(wasUsed.value)
            #expect(pool.statistics.idle == 1)
            try await maintenance.pass(.seconds(90))
            #expect(strategy.books.closed == 1, "it counts as idle since its last use")
        }
    }

    @Test("idleTimeout may have any length", arguments: CoreKind.allCases)
    func longest(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.idleTimeout = .seconds(Int64.max) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.warmUp(1)
            clock.advance(by: .seconds(1_000_000))
            await letOthersRun()
            #expect(pool.statistics.idle == 1)
        }
    }
}
