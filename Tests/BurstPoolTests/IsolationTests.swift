// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// The pool runs bodies on the executor of the caller.
@Suite(.timeLimit(.minutes(5)))
struct IsolationTests {
    private actor Owner {
        var log: [Int] = []

        func use(_ pool: TestPool) async throws {
            try await pool.withConnection { connection in
                // Compiles only if the body is isolated to this actor.
                log.append(connection.id)
                await Task.yield()
                assertIsolated()
                log.append(connection.id)
            }
            assertIsolated()
        }
    }

    @Test(
        "From inside an actor, the body runs on that actor, whether the caller waited or not",
        arguments: CoreKind.allCases
    )
    func insideAnActor(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let owner = Owner()
            try await owner.use(pool)
            let lease = try await pool.acquire()
            async let waits: Void = owner.use(pool)
            try await eventually("the actor waits") { pool.statistics.waiting == 1 }
            lease.release()
            try await waits
            #expect(await owner.log == [1, 1, 1, 1])
        }
    }

    @Test("From the main actor, the body runs on the main actor", arguments: CoreKind.allCases)
    @MainActor
    func onTheMainActor(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            for _ in 0..<3 {
                try await pool.withConnection { connection in
                    MainActor.assertIsolated()
                    connection.use()
                    await Task.yield()
                    MainActor.assertIsolated()
                }
                MainActor.assertIsolated()
            }
        }
    }

    @Test("Many actors share a pool, and each body runs on its own actor", arguments: CoreKind.allCases)
    func manyActors(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, _ in
            let owners = (0..<8).map { _ in Owner() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for owner in owners {
                    group.addTask { for _ in 0..<20 { try await owner.use(pool) } }
                }
                try await group.waitForAll()
            }
            for owner in owners { #expect(await owner.log.count == 40) }
        }
    }
}
