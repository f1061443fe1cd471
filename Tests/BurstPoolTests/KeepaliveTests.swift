// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct KeepaliveTests {
    @Test("An idle connection is validated whenever the interval has passed", arguments: CoreKind.allCases)
    func validates(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.keepaliveInterval = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(79))
            #expect(strategy.books.validated == [])
            try await maintenance.pass(.seconds(11))
            try await eventually("the connection has been validated") {
                strategy.books.validated == [1] && pool.statistics.idle == 1
            }
            try await maintenance.pass(.seconds(69))
            #expect(strategy.books.validated == [1])
            try await maintenance.pass(.seconds(21))
            try await eventually("the connection has been validated again") {
                strategy.books.validated == [1, 1] && pool.statistics.idle == 1
            }
        }
    }

    @Test("A connection in use is not validated", arguments: CoreKind.allCases)
    func inUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.keepaliveInterval = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            let lease = try await pool.acquire()
            try await MaintenanceStepper(pool, clock).pass(.seconds(500))
            #expect(strategy.books.validated == [])
            lease.release()
        }
    }

    @Test(
        "At most an eighth of the connections are validated at the same time, however long that takes",
        arguments: CoreKind.allCases,
        [(16, 2), (7, 1)]
    )
    func anEighth(kind: CoreKind, sizes: (count: Int, most: Int)) async throws {
        try await withTimedPool(
            kind,
            maxSize: sizes.count,
            configure: {
                $0.keepaliveInterval = .seconds(80)
                $0.validationTimeout = .seconds(3600)
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            try await pool.warmUp(sizes.count)
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(200)) { #expect(gate.held <= sizes.most) }
            try await eventually("the limit of validations is reached") { gate.held == sizes.most }
            #expect(pool.statistics.idle == sizes.count - sizes.most)
            gate.open()
            try await maintenance.pass(.seconds(200))
            try await eventually("each connection has been validated") {
                Set(strategy.books.validated).count == sizes.count
            }
        }
    }

    @Test("A connection that fails is closed, and replaced if too few are idle", arguments: CoreKind.allCases)
    func failing(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 4,
            configure: {
                $0.keepaliveInterval = .seconds(80)
                $0.minimumIdle = 2
            }
        ) { pool, strategy, clock, observer in
            strategy.onValidate { $0.id != 1 }
            try await pool.prewarm(2)
            try await MaintenanceStepper(pool, clock).pass(.seconds(100))
            try await eventually("the connection is closed") { observer.closeReasons == [.validationFailed] }
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            #expect(strategy.books.closedIDs == [1])
            #expect(strategy.books.opened == 3, "a connection that is only being validated is not replaced")
        }
    }

    @Test("A connection whose validation takes too long is closed", arguments: CoreKind.allCases)
    func slow(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.keepaliveInterval = .seconds(80) }) {
            pool,
            strategy,
            clock,
            observer in
            strategy.onValidate { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
                return true
            }
            try await pool.warmUp(1)
            try await MaintenanceStepper(pool, clock).pass(.seconds(100))
            try await eventually("the connection is closed") { observer.closeReasons == [.validationFailed] }
        }
    }

    @Test(
        "A validation does not reset the idle time of a connection",
        arguments: CoreKind.allCases,
        [false, true]
    )
    func idleAge(kind: CoreKind, takesLong: Bool) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: {
                $0.keepaliveInterval = .seconds(80)
                $0.idleTimeout = .seconds(240)
                $0.validationTimeout = .seconds(60)
            }
        ) { pool, strategy, clock, observer in
            let chronicle = Chronicle(strategy, clock)
            if takesLong {
                // Longer than maintenance sleeps, so that maintenance sees the connection while it is being validated.
                strategy.onValidate { _ in
                    try await clock.sleep(until: clock.now.advanced(by: .seconds(25)), tolerance: nil)
                    return true
                }
            }
            try await pool.warmUp(1)
            try await MaintenanceStepper(pool, clock).pass(.seconds(300))
            #expect(strategy.books.validated.count >= 2)
            #expect(observer.closeReasons == [.idleTimeout])
            let closed = try #require(chronicle.closed[1])
            #expect(closed >= .seconds(240) && closed <= .seconds(270))
        }
    }
}
