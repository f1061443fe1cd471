// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct NestedAcquireTests {
    private func withDetection(
        _ kind: CoreKind,
        maxSize: Int,
        burstLimit: Int? = nil,
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
        _ test: (TestPool, TestStrategy) async throws -> Void
    ) async throws {
        try await withPool(
            kind,
            maxSize: maxSize,
            burstLimit: burstLimit,
            configure: {
                $0.detectsNestedAcquires = true
                configure(&$0)
            },
            test
        )
    }

    @Test(
        "With one connection, a nested acquire fails immediately, and the outer body continues",
        arguments: CoreKind.allCases
    )
    func one(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 1) { pool, _ in
            for _ in 0..<2 {
                try await pool.withConnection { outer in
                    let error = try await poolError(.nestedAcquire) { try await pool.withConnection { $0.use() } }
                    #expect(error.message.contains("all 1 connections"))
                    outer.use()
                }
            }
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("After a shutdown, the error is poolShutDown", arguments: CoreKind.allCases)
    func afterShutdown(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 2) { pool, _ in
            try await pool.withConnection { outer in
                await pool.shutdown(drainFor: .zero)
                _ = try await poolError(.poolShutDown) { try await pool.withConnection { $0.use() } }
                outer.use()
            }
        }
    }

    @Test(
        "With two connections the third level fails, and with a burst limit the level above it",
        arguments: CoreKind.allCases
    )
    func two(kind: CoreKind) async throws {
        for (maxSize, burstLimit) in [(2, nil), (1, 2)] as [(Int, Int?)] {
            try await withDetection(kind, maxSize: maxSize, burstLimit: burstLimit) { pool, _ in
                try await pool.withConnection { _ in
                    try await pool.withConnection { _ in
                        _ = try await poolError(.nestedAcquire) { try await pool.withConnection { $0.use() } }
                    }
                    try await pool.withConnection { $0.use() }
                }
            }
        }
    }

    @Test("A child task is another task, and may wait", arguments: CoreKind.allCases)
    func childTask(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 1) { pool, _ in
            let child = try await pool.withConnection { _ in
                let executor = ObservedExecutor()
                let child = Task(executorPreference: executor) { try await pool.withConnection { $0.id } }
                try await eventually("the child task waits") { executor.isSuspended && pool.statistics.waiting == 1 }
                return child
            }
            let id = try await child.value
            #expect(id == 1)
        }
    }

    @Test("Leases of acquire() do not count, because another task may end them", arguments: CoreKind.allCases)
    func leases(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let executor = ObservedExecutor()
            let releasing = Task {
                try await eventually("the caller waits") { executor.isSuspended && pool.statistics.waiting == 1 }
                lease.release()
            }
            let user = Task(executorPreference: executor) {
                try await pool.withConnection { $0.use() }
                return try await pool.withConnection { _ in try await pool.acquire(timeout: .immediate) }
            }
            let error = try await poolError(.acquireTimedOut) { _ = try await user.value }
            #expect(error.statistics?.inUse == 1)
            try await releasing.value
        }
    }

    @Test(
        "Successive acquires are not nested, also while the pool itself still uses the connection",
        arguments: CoreKind.allCases
    )
    func inSuccession(kind: CoreKind) async throws {
        try await withDetection(
            kind,
            maxSize: 1,
            configure: {
                $0.resetsConnections = true
                $0.acquireTimeout = nil
                $0.validationTimeout = .seconds(3600)
            }
        ) { pool, strategy in
            strategy.onReset { _ in await letOthersRun() }
            for _ in 0..<10 { try await pool.withConnection { $0.use() } }
            #expect(strategy.books.opened == 1)
        }
    }

    @Test(
        "A caller that has released its connection is not its holder when another task acquires it",
        arguments: CoreKind.allCases
    )
    func afterAnother(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 1) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<500 { try await pool.withConnection { $0.use() } }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Without the setting, a nested acquire waits until its timeout", arguments: CoreKind.allCases)
    func off(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let user = Task {
                try await pool.withConnection { _ in
                    try await pool.withConnection(timeout: .seconds(1)) { $0.use() }
                }
            }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            _ = try await poolError(.acquireTimedOut) { try await user.value }
        }
    }
}
