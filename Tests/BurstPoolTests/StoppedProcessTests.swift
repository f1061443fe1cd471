// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// The time limits of connections in a process that was stopped and continues: by SIGSTOP, in a paused virtual machine, on a
/// laptop that slept, or because it had no CPU.
@Suite(.timeLimit(.minutes(5)))
struct StoppedProcessTests {
    private func withStoppablePool(
        _ kind: CoreKind,
        configure: @escaping (inout ConnectionPoolConfiguration) -> Void,
        _ test: (TestPool, TestStrategy, StoppableClock) async throws -> Void
    ) async throws {
        let clock = StoppableClock()
        try await withPool(
            kind,
            maxSize: 2,
            configure: {
                $0.clock = clock
                $0.acquireTimeout = nil
                configure(&$0)
            }
        ) { pool, strategy in
            try await pool.warmUp(1)
            // One look of maintenance: from then on, the next lease of the connection reads the clock.
            try await MaintenanceStepper(pool, clock.running).pass(.seconds(6))
            try await test(pool, strategy, clock)
        }
    }

    @Test("The first request validates a connection that was idle for longer", arguments: CoreKind.allCases)
    func validates(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.validateAfterIdle = .seconds(80) }) { pool, strategy, clock in
            clock.stop(for: .seconds(81))
            let id = try await pool.withConnection { $0.id }
            #expect(id == 1)
            #expect(strategy.books.validated == [1])
        }
    }

    @Test("A connection that was not idle for longer is not validated", arguments: CoreKind.allCases)
    func doesNotValidate(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.validateAfterIdle = .seconds(80) }) { pool, strategy, clock in
            clock.stop(for: .seconds(70))
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.validated == [])
        }
    }

    @Test("The first request does not get a connection that was idle for too long", arguments: CoreKind.allCases)
    func idleTimeout(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.idleTimeout = .seconds(80) }) { pool, strategy, clock in
            clock.stop(for: .seconds(91))
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            try await eventually("the old connection is closed") { strategy.books.closedIDs == [1] }
        }
    }

    @Test("The first request does not get a connection that is too old", arguments: CoreKind.allCases)
    func maxLifetime(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.maxLifetime = .seconds(80) }) { pool, strategy, clock in
            clock.stop(for: .seconds(81))
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            try await eventually("the old connection is closed") { strategy.books.closedIDs == [1] }
        }
    }

    @Test("A connection that became too old in use is not handed off", arguments: CoreKind.allCases)
    func maxLifetimeInUse(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.maxLifetime = .seconds(80) }) { pool, strategy, clock in
            let lease = try await pool.acquire()
            try await MaintenanceStepper(pool, clock.running).pass(.seconds(6))
            clock.stop(for: .seconds(81))
            lease.release()
            try await eventually("the old connection is closed") { strategy.books.closedIDs == [1] }
        }
    }

    @Test("A late look takes connections for idle since the last moment known", arguments: CoreKind.allCases)
    func lateLook(kind: CoreKind) async throws {
        try await withStoppablePool(kind, configure: { $0.validateAfterIdle = .seconds(80) }) { pool, strategy, clock in
            // Used just before the process stops, after the last look.
            try await pool.withConnection { $0.use() }
            clock.stop(for: .seconds(100))
            clock.wakeSleepers()
            try await pool.finishMaintenance(on: clock.running)
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.validated == [1])
        }
    }
}
