import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectFailureTests {
    @Test(
        "An error in opening reaches the caller it was opened for, and the place is free at once",
        arguments: CoreKind.allCases
    )
    func reachesTheCaller(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, configure: { $0.observer = observer }) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError("refused")) { try await pool.withConnection { $0.use() } }
            try await eventually("the place is free") { pool.statistics.total == 0 }
            #expect(observer.openErrors == [TestError("refused")])
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test("At maxSize 1, each of those who wait gets its turn when connects fail", arguments: CoreKind.allCases)
    func everybodyGetsATurn(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt <= 3 { throw TestError("refused \(attempt)") }
            }
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<5 { waiters.append(try await pool.startWaiting()) }
            gate.open()
            for number in 1...3 {
                await #expect(throws: TestError("refused \(number)")) { try await waiters[number - 1].value }
            }
            try await waiters[3].value.release()
            try await waiters[4].value.release()
            #expect(strategy.books.attempts == 4)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("If every connect fails, everybody gets the error, and nobody hangs", arguments: CoreKind.allCases)
    func allFail(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2, burstLimit: 3) { pool, strategy in
            strategy.onOpen { _ in throw TestError("down") }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        await #expect(throws: TestError("down")) { try await pool.withConnection { $0.use() } }
                    }
                }
            }
            #expect(strategy.books.attempts == 100)
            try await eventually("all places are free") { pool.statistics.total == 0 }
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test(
        "A connect that fails after its caller has been served by a returned connection is nobody's error",
        arguments: CoreKind.allCases
    )
    func failsAfterItsCallerWasServed(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 2, configure: { $0.observer = observer }) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 2 { throw TestError("late") }
            }
            let first = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            let second = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            #expect(served.id == 1)
            // The place goes to the one who still waits.
            gate.letOnePass()
            try await eventually("the place was passed on") { gate.held == 1 && strategy.books.attempts == 3 }
            gate.open()
            let other = try await second.value
            #expect(other.id == 2)
            #expect(observer.openErrors == [TestError("late")])
            [served, other].release()
        }
    }

    @Test(
        "A connect that fails after its caller has left frees its place for the next one",
        arguments: CoreKind.allCases
    )
    func failsAfterItsCallerLeft(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { attempt in
                await gate.pass()
                if attempt == 1 { throw TestError("late") }
            }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            gate.open()
            let lease = try await second.value
            #expect(strategy.books.attempts == 2)
            lease.release()
        }
    }

    @Test("A CancellationError of makeConnection is an error like another", arguments: CoreKind.allCases)
    func cancellationFromOpening(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 1 { throw CancellationError() } }
            await #expect(throws: CancellationError.self) { try await pool.withConnection { $0.use() } }
            try await pool.withConnection { $0.use() }
        }
    }

    @Test("A failing connect does not disturb connections that are in use", arguments: CoreKind.allCases)
    func doesNotDisturbOthers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onOpen { _ in throw TestError("refused") }
            for _ in 0..<20 {
                await #expect(throws: TestError("refused")) { try await pool.acquire() }
            }
            #expect(pool.statistics.inUse == 1)
            lease.release()
            #expect(pool.statistics.total == 1)
        }
    }

    @Test(
        "Whoever waits at the limit is served when a connection comes back, though connects fail",
        arguments: CoreKind.allCases
    )
    func servedDespiteFailures(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in
                await gate.pass()
                throw TestError("refused")
            }
            let first = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            let second = try await pool.startWaiting()
            lease.release()
            let served = try await first.value
            served.release()
            try await second.value.release()
            // The one being opened counts, so the one that came back last was excess.
            try await eventually("the excess one is closed") { strategy.books.closed == 1 }
            gate.open()
            try await eventually("the failed one is gone") { pool.statistics.total == 0 }
        }
    }
}
