// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ResizeTests {
    @Test("Raising the limit gives waiters the permits that become available", arguments: CoreKind.allCases)
    func raisesWithWaiters(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, mostEver: 3) { pool, strategy in
            let lease = try await pool.acquire()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting(), try await pool.startWaiting()]
            try pool.resize(maxSize: 3)
            let second = try await waiters[0].value
            let third = try await waiters[1].value
            #expect(strategy.books.opened == 3)
            #expect(pool.statistics.waiting == 1)
            second.release()
            try await waiters[2].value.release()
            [lease, third].release()
            #expect(pool.statistics.idle == 3)
        }
    }

    @Test("Raising only the burst limit serves waiters, and the pool shrinks afterwards", arguments: CoreKind.allCases)
    func raisesBurstLimit(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, mostEver: 2) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            try pool.resize(maxSize: 1, burstLimit: 2)
            try await waiter.value.release()
            try await eventually("the pool has shrunk") { pool.statistics.total == 1 }
            lease.release()
        }
    }

    @Test("Lowering the limit closes leased connections when they are released", arguments: CoreKind.allCases)
    func lowersWhileLeased(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            let leases = try await pool.lease(4)
            try pool.resize(maxSize: 2)
            #expect(pool.statistics.isBursting)
            #expect(pool.statistics.inUse == 4, "leases are not revoked")
            leases[0].release()
            leases[1].release()
            try await eventually("two are closed") { pool.statistics.total == 2 }
            leases[2].release()
            leases[3].release()
            #expect(pool.statistics.idle == 2)
            #expect(strategy.books.closed == 2)
        }
    }

    @Test("Lowering the limit closes excess idle connections immediately", arguments: CoreKind.allCases)
    func lowersWhileIdle(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 8) { pool, strategy in
            try await pool.warmUp(8)
            try pool.resize(maxSize: 3)
            try await eventually("five are closed") { pool.statistics.total == 3 }
            #expect(strategy.books.closed == 5)
            #expect(pool.statistics.idle == 3)
        }
    }

    @Test(
        "After lowering the limit below the connections in use, nothing is opened for a waiter until a slot is free",
        arguments: CoreKind.allCases
    )
    func lowersWithWaiters(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            let leases = try await pool.lease(3)
            let waiter = try await pool.startWaiting()
            try pool.resize(maxSize: 1)
            strategy.remote(1).hangUp()
            strategy.remote(2).hangUp()
            leases[0].release()
            leases[1].release()
            try await eventually("two dead connections are closed") { pool.statistics.total == 1 }
            await letOthersRun()
            #expect(strategy.books.attempts == 3, "the leased connection reaches the limit")
            leases[2].release()
            let lease = try await waiter.value
            #expect(lease.id == 3)
            lease.release()
        }
    }

    @Test(
        "Connections above a lowered limit are closed when they are released, although callers wait",
        arguments: CoreKind.allCases
    )
    func lowersBesideWaiters(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, _ in
            let leases = try await pool.lease(3)
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            try pool.resize(maxSize: 1)
            for (number, lease) in leases.prefix(2).enumerated() {
                lease.release()
                try await eventually("the connection is closed") { pool.statistics.total == 2 - number }
                #expect(pool.statistics.waiting == 2)
            }
            leases[2].release()
            let lease = try await first.value
            #expect(pool.statistics.total == 1)
            lease.release()
            try await second.value.release()
        }
    }

    @Test(
        "Callers that wait get connections above a lowered maxSize, within the burst limit",
        arguments: CoreKind.allCases
    )
    func lowersOnlyTheSoftLimit(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let leases = try await pool.lease(2)
            let waiter = try await pool.startWaiting()
            try pool.resize(maxSize: 1, burstLimit: 2)
            leases[0].release()
            let lease = try await waiter.value
            #expect(strategy.books.closed == 0)
            lease.release()
            leases[1].release()
        }
    }

    @Test(
        "Connections above a lowered burst limit close when they are released, and the others above maxSize linger",
        arguments: CoreKind.allCases
    )
    func lowersWhileLingering(kind: CoreKind) async throws {
        let linger: (inout ConnectionPoolConfiguration) -> Void = { $0.burstLinger = .seconds(3600) }
        try await withPool(kind, maxSize: 1, burstLimit: 5, configure: linger) { pool, strategy in
            let leases = try await pool.lease(5)
            try pool.resize(maxSize: 1, burstLimit: 3)
            // Nobody waits, and nothing is idle for long enough for the maintenance.
            for (number, lease) in leases.prefix(2).enumerated() {
                lease.release()
                try await eventually("the connection is closed") { pool.statistics.total == 4 - number }
            }
            leases.suffix(3).release()
            #expect(pool.statistics.idle == 3)
            #expect(strategy.books.closed == 2)
        }
    }

    @Test("The limits can be read back", arguments: CoreKind.allCases)
    func readsBack(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            #expect(pool.statistics.burstLimit == nil)
            try pool.resize(maxSize: 5, burstLimit: 9)
            #expect(pool.statistics.maxSize == 5)
            #expect(pool.statistics.burstLimit == 9)
            try pool.resize(maxSize: 7)
            #expect(pool.statistics.maxSize == 7)
            #expect(pool.statistics.burstLimit == nil)
        }
    }

    @Test("A pool grows by many chunks of slots while connections are in use", arguments: CoreKind.allCases)
    func growsFar(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, mostEver: 500) { pool, strategy in
            var leases = [try await pool.acquire()]
            for size in stride(from: 50, through: 500, by: 50) {
                try pool.resize(maxSize: size)
                leases += try await pool.lease(size - leases.count)
            }
            #expect(Set(leases.map(\.id)).count == 500)
            leases.release()
            #expect(pool.statistics.idle == 500)
            #expect(strategy.books.opened == 500)
        }
    }

    @Test("Resizing a pool after its shutdown is an error", arguments: CoreKind.allCases)
    func afterShutdown(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            await pool.shutdown()
            _ = try await poolError(.poolShutDown) { try pool.resize(maxSize: 2) }
        }
    }

    @Test(
        "Of two resizes at the same time, the one that reaches the core last counts, with both of its limits",
        arguments: CoreKind.cores
    )
    func overtakes(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, mostEver: 6, hooked: true) { pool, strategy in
            strategy.hooks.at(.beforeResize) { [weak pool] in
                try? pool?.resize(maxSize: 2, burstLimit: 4)
            }
            try pool.resize(maxSize: 5, burstLimit: 6)
            let statistics = pool.statistics
            #expect(statistics.maxSize == 5)
            #expect(statistics.burstLimit == 6)
            let leases = try await pool.lease(6)
            let waiter = try await pool.startWaiting()
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            leases.release()
            try await eventually("the pool has shrunk") { pool.statistics.total == 5 }
        }
    }
}
