import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConcurrentConnectsTests {
    @Test("No more connections are opened at the same time than the configuration says", arguments: CoreKind.allCases)
    func limit(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 8, configure: { $0.maxConcurrentConnects = 2 }) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            var callers: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<6 { callers.append(try await pool.startWaiting()) }
            #expect(pool.statistics.opening == 2)
            gate.open()
            for caller in callers { try await caller.value.release() }
            try await eventually("nobody connects") { pool.statistics.opening == 0 }
            #expect(strategy.books.opened >= 2 && strategy.books.opened <= 6)
        }
    }

    @Test("When one has opened, the next is begun for whoever still waits", arguments: CoreKind.allCases)
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

    @Test("When one fails to open, its caller is told, and the next gets the turn", arguments: CoreKind.allCases)
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

    @Test("A crowd is served by the connections there are while one more is being opened", arguments: CoreKind.allCases)
    func crowd(kind: CoreKind) async throws {
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
            try await eventually("the late one is idle") { pool.statistics.idle == 6 }
        }
    }

    @Test("Opening none at a time is refused", arguments: [0, -1])
    func refused(connects: Int) async throws {
        for kind in CoreKind.allCases {
            let error = try await poolError(.invalidConfiguration) {
                try await withPool(kind, maxSize: 1, configure: { $0.maxConcurrentConnects = connects }) { _, _ in }
            }
            #expect(error.message.contains("maxConcurrentConnects is \(connects)"))
        }
    }
}
