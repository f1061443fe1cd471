// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct BurstLingerTests {
    @Test("Without burstLinger, an excess connection is closed when it is released", arguments: CoreKind.allCases)
    func none(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, burstLimit: 6) { pool, _, _, observer in
            try await pool.lease(6).release()
            try await eventually("four are closed") { pool.statistics.total == 2 }
            try await eventually("the observer has all events") { observer.closeReasons.count == 4 }
            #expect(Set(observer.closeReasons) == [.excess])
        }
    }

    @Test(
        "With burstLinger, the next burst reuses excess connections, and they are closed if no burst comes",
        arguments: CoreKind.allCases
    )
    func kept(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, burstLimit: 6, configure: { $0.burstLinger = .seconds(80) }) {
            pool,
            strategy,
            clock,
            observer in
            try await pool.lease(6).release()
            let maintenance = try await MaintenanceStepper(pool, clock)
            for _ in 0..<3 {
                try await maintenance.pass(.seconds(79))
                #expect(pool.statistics.idle == 6)
                #expect(pool.statistics.isBursting)
                #expect(pool.statistics.maxSize == 2)
                try await pool.lease(6).release()
            }
            #expect(strategy.books.opened == 6)
            try await maintenance.pass(.seconds(91))
            #expect(pool.statistics.idle == 2, "the pool keeps maxSize connections")
            #expect(observer.closeReasons == [.excess, .excess, .excess, .excess])
            try await maintenance.pass(.seconds(200))
            #expect(pool.statistics.idle == 2)
        }
    }

    @Test("When a limit is lowered, the connections that were used last stay", arguments: CoreKind.allCases)
    func warmest(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, burstLimit: 6, configure: { $0.burstLinger = .seconds(80) }) {
            pool,
            _,
            clock,
            observer in
            try await pool.lease(6).release()
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(30))
            let leases = try await pool.lease(2)
            let used = Set(leases.map(\.id))
            leases.release()
            try await maintenance.pass(.seconds(30))
            #expect(pool.statistics.idle == 6)
            try pool.resize(maxSize: 2, burstLimit: 2)
            try await maintenance.pass(.seconds(15))
            #expect(observer.closeReasons == [.excess, .excess, .excess, .excess])
            let left = try await pool.lease(2)
            #expect(Set(left.map(\.id)) == used)
            left.release()
        }
    }

    @Test(
        "Connections in use count: only as many idle ones are closed as are above maxSize",
        arguments: CoreKind.allCases
    )
    func inUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 3, burstLimit: 6, configure: { $0.burstLinger = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            var leases = try await pool.lease(6)
            let maintenance = try await MaintenanceStepper(pool, clock)
            for _ in 0..<4 { leases.removeLast().release() }
            try await maintenance.pass(.seconds(200))
            #expect(pool.statistics.inUse == 2)
            #expect(pool.statistics.idle == 1)
            leases.release()
        }
    }

    @Test("Connections that are closing slowly are not counted as excess again", arguments: CoreKind.allCases)
    func slowCloses(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, burstLimit: 6, configure: { $0.burstLinger = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            try await pool.lease(6).release()
            let maintenance = try await MaintenanceStepper(pool, clock)
            try await maintenance.pass(.seconds(91), waitsForStrategy: false)
            try await eventually("four are being closed") { gate.held == 4 }
            // Maintenance rests, and a lease wakes it. The connection that is not leased has been idle for long enough.
            try await pool.lease(1).release()
            try await maintenance.pass(.seconds(20), waitsForStrategy: false)
            #expect(pool.statistics.idle == 2)
            #expect(pool.statistics.closing == 4)
            gate.open()
            try await eventually("they are closed") { pool.statistics.total == 2 }
        }
    }

    @Test("When the burst limit is removed, all connections above maxSize are closed", arguments: CoreKind.allCases)
    func resized(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, burstLimit: 6, configure: { $0.burstLinger = .seconds(80) }) {
            pool,
            _,
            _,
            _ in
            try await pool.lease(6).release()
            #expect(pool.statistics.idle == 6)
            try pool.resize(maxSize: 3)
            try await eventually("three are left") { pool.statistics.total == 3 }
            #expect(pool.statistics.burstLimit == nil)
        }
    }
}
