import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CloseErrorTests {
    @Test("An error in closing a excess connection reaches the caller who returned it", arguments: CoreKind.allCases)
    func reachesTheCaller(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.observer = observer }) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onClose { _ in throw TestError("close") }
            await #expect(throws: TestError("close")) { try await pool.withConnection { $0.use() } }
            #expect(pool.statistics.total == 1, "the connection counts as gone")
            #expect(observer.closeErrors.isEmpty, "who was told need not be told of again")
            strategy.followNoScript()
            lease.release()
        }
    }

    @Test(
        "When the body has thrown too, its error wins, and the other one goes to the observer",
        arguments: CoreKind.allCases
    )
    func bodyWins(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.observer = observer }) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onClose { _ in throw TestError("close") }
            await #expect(throws: TestError("body")) { try await pool.withConnection { _ in throw TestError("body") } }
            #expect(pool.statistics.total == 1)
            #expect(observer.closeErrors == [TestError("close")])
            strategy.followNoScript()
            lease.release()
        }
    }

    @Test(
        "If errors in closing are to be reported, the observer gets them and the caller its result",
        arguments: CoreKind.allCases
    )
    func reported(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(
            kind,
            maxSize: 1,
            burstLimit: 2,
            configure: {
                $0.observer = observer
                $0.closeErrors = .reported
            }
        ) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onClose { _ in throw TestError("close") }
            let result = try await pool.withConnection { _ in 42 }
            #expect(result == 42)
            try await eventually("the close has ended") { pool.statistics.total == 1 }
            #expect(observer.closeErrors == [TestError("close")])
            strategy.followNoScript()
            lease.release()
        }
    }

    @Test(
        "An error in closing a dead connection goes to the observer, and not to who finds it",
        arguments: CoreKind.allCases
    )
    func deadConnection(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, configure: { $0.observer = observer }) { pool, strategy in
            try await pool.warmUp(1)
            strategy.remote(1).hangUp()
            strategy.onClose { _ in throw TestError("close") }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            try await eventually("the observer is told") { observer.closeErrors == [TestError("close")] }
            strategy.followNoScript()
        }
    }

    @Test("An error in closing what a lease returned goes to the observer", arguments: CoreKind.allCases)
    func leaseReturned(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.observer = observer }) { pool, strategy in
            let leases = try await pool.lease(2)
            strategy.onClose { _ in throw TestError("close") }
            leases[1].release()
            try await eventually("the observer is told") { observer.closeErrors == [TestError("close")] }
            try await eventually("the connection counts as gone") { pool.statistics.total == 1 }
            strategy.followNoScript()
            leases[0].release()
        }
    }

    @Test(
        "Errors in closing at shutdown go to the observer, and shutdown ends all the same",
        arguments: CoreKind.allCases
    )
    func atShutdown(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 3, configure: { $0.observer = observer }) { pool, strategy in
            try await pool.warmUp(3)
            strategy.onClose { _ in throw TestError("close") }
            await pool.shutdown()
            #expect(pool.statistics.total == 0)
            try await eventually("the observer is told") { observer.closeErrors.count == 3 }
        }
    }

    @Test("A close that fails frees its place for somebody who waits", arguments: CoreKind.allCases)
    func freesThePlace(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            strategy.remote(1).hangUp()
            strategy.onClose { _ in throw TestError("close") }
            lease.release()
            let served = try await waiter.value
            #expect(served.id == 2)
            strategy.followNoScript()
            served.release()
        }
    }

    @Test(
        "A caller that is cancelled does not wait for the close of its excess connection",
        arguments: CoreKind.allCases
    )
    func cancelled(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, burstLimit: 2) { pool, strategy in
            let gate = Gate()
            defer { gate.open() }
            strategy.onClose { _ in await gate.pass() }
            let lease = try await pool.acquire()
            let returned = Shared<Int?>(nil)
            let caller = Task { returned.set(try await pool.withConnection { $0.id }) }
            try await eventually("the connection of the caller is closing") { gate.held == 1 }
            await letOthersRun()
            #expect(returned.value == nil, "the caller waits for the close")
            caller.cancel()
            try await eventually("the caller has its result") { returned.value == 2 }
            #expect(gate.held == 1)
            gate.open()
            try await caller.value
            lease.release()
        }
    }
}
