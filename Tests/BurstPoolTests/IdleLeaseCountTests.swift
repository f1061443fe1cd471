// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct IdleLeaseCountTests {
    private func withCountingPool(
        _ kind: CoreKind,
        maxSize: Int,
        configure: @escaping (inout ConnectionPoolConfiguration) -> Void = { _ in },
        _ test: (TestPool, TestStrategy) async throws -> Void
    ) async throws {
        try await withPool(
            kind,
            maxSize: maxSize,
            configure: {
                $0.observer = CombinedConnectionPoolObserver([RecordingObserver(), IdleLeaseCounter()])
                configure(&$0)
            },
            test
        )
    }

    @Test(
        "Leases of idle connections are counted, and leases that were waited for are not",
        arguments: CoreKind.allCases
    )
    func which(kind: CoreKind) async throws {
        try await withCountingPool(kind, maxSize: 1) { pool, _ in
            #expect(pool.statistics.idleLeases == 0)
            try await pool.withConnection { $0.use() }
            #expect(pool.statistics.idleLeases == 0, "the connection was opened")
            try await pool.withConnection { $0.use() }
            try await pool.acquire(timeout: .immediate).release()
            let lease = try #require(pool.tryAcquire())
            #expect(pool.statistics.idleLeases == 3)
            let waiter = try await pool.startWaiting()
            lease.release()
            try await waiter.value.release()
            #expect(pool.statistics.idleLeases == 3, "the caller waited for it")
        }
    }

    @Test("The count includes leases of connections that are closed later", arguments: CoreKind.allCases)
    func closed(kind: CoreKind) async throws {
        try await withCountingPool(kind, maxSize: 2) { pool, _ in
            for round in 1...5 {
                try await pool.withConnection { $0.use() }
                try await pool.acquire().discard()
                #expect(pool.statistics.idleLeases == round)
                try await eventually("the connection is closed") { pool.statistics.total == 0 }
            }
            await pool.shutdown()
            #expect(pool.statistics.idleLeases == 5)
        }
    }

    @Test("The count works together with other bookkeeping of leases", arguments: CoreKind.allCases, [true, false])
    func beside(kind: CoreKind, observesLeases: Bool) async throws {
        try await withCountingPool(
            kind,
            maxSize: 2,
            configure: {
                $0.leakThreshold = .seconds(60)
                $0.observer = CombinedConnectionPoolObserver([
                    RecordingObserver(observesLeases: observesLeases), IdleLeaseCounter(),
                ])
            }
        ) { pool, _ in
            for _ in 0..<3 { try await pool.withConnection { $0.use() } }
            #expect(pool.statistics.idleLeases == 2)
        }
    }

    @Test("No lease of any thread is lost", arguments: CoreKind.allCases)
    func threads(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withCountingPool(
            kind,
            maxSize: 4,
            configure: { $0.observer = CombinedConnectionPoolObserver([observer, IdleLeaseCounter()]) }
        ) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<2_000 { try await pool.withConnection { $0.use() } } }
                }
                try await group.waitForAll()
            }
            let others = observer.all { if case .acquired = $0 { true } else { nil } }
            #expect(try #require(pool.statistics.idleLeases) + others.count == 8_000)
        }
    }

    @Test("Without an observer that needs the count, leases are not counted", arguments: CoreKind.allCases)
    func unasked(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, configure: { $0.observer = RecordingObserver() }) { pool, _ in
            for _ in 0..<3 { try await pool.withConnection { $0.use() } }
            #expect(pool.statistics.idleLeases == nil)
        }
    }
}

private struct IdleLeaseCounter: ConnectionPoolObserver {
    var countsIdleLeases: Bool { true }
    func connectionPool(_ event: ConnectionPoolEvent) {}
}
