// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConcurrentConnectsTests {
    @Test("No more connections are opened at the same time than maxConcurrentConnects", arguments: CoreKind.allCases)
    func limit(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 8, configure: { $0.maxConcurrentConnects = 2 }) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            var callers: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<6 { callers.append(try await pool.startWaiting()) }
            #expect(pool.statistics.opening == 2)
            gate.open()
            for caller in callers { try await caller.value.release() }
            try await eventually("no connection is being opened") { pool.statistics.opening == 0 }
            #expect(strategy.books.opened >= 2 && strategy.books.opened <= 6)
        }
    }

    @Test(
        "When one connect has succeeded, the next begins for the callers that still wait",
        arguments: CoreKind.allCases
    )
    func next(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3, configure: { $0.maxConcurrentConnects = 1 }) { pool, strategy in
            var callers: [Task<TestLease<TestConnection>, any Error>] = []
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            for _ in 0..<3 { callers.append(try await pool.startWaiting()) }
            #expect(pool.statistics.opening == 1)
            gate.open()
            var leases: [TestLease<TestConnection>] = []
            for caller in callers { leases.append(try await caller.value) }
            #expect(strategy.books.opened == 3)
            leases.release()
        }
    }

    @Test(
        "When one connect fails, its caller gets the error, and the next connect begins",
        arguments: CoreKind.allCases
    )
    func failure(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3, configure: { $0.maxConcurrentConnects = 1 }) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 1 { throw TestError("refused") }
            }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            gate.open()
            await #expect(throws: TestError.self) { try await first.value }
            try await second.value.release()
        }
    }

    @Test("While one connection is being opened, open connections serve many callers", arguments: CoreKind.allCases)
    func manyCallers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 50, configure: { $0.maxConcurrentConnects = 1 }) { pool, strategy in
            try await pool.warmUp(5)
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let leases = try await pool.lease(5)
            var callers: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<45 { callers.append(try await pool.startWaiting()) }
            leases.release()
            for caller in callers { try await caller.value.release() }
            gate.open()
            try await eventually("the late connection is idle") { pool.statistics.idle == 6 }
        }
    }

    @Test("maxConcurrentConnects below 1 is rejected", arguments: [0, -1])
    func rejected(connects: Int) async throws {
        for kind in CoreKind.allCases {
            let error = try await poolError(.invalidConfiguration) {
                try await withPool(kind, maxSize: 1, configure: { $0.maxConcurrentConnects = connects }) { _, _ in }
            }
            #expect(error.message.contains("maxConcurrentConnects is \(connects)"))
        }
    }
}
