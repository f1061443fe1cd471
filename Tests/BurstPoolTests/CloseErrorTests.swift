// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CloseErrorTests {
    @Test("An error in closing an excess connection reaches the caller that released it", arguments: CoreKind.allCases)
    func reachesTheCaller(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.observer = observer }) { pool, strategy in
            let lease = try await pool.acquire()
            strategy.onClose { _ in throw TestError("close") }
            await #expect(throws: TestError("close")) { try await pool.withConnection { $0.use() } }
            #expect(pool.statistics.total == 1, "the connection is no longer counted")
            #expect(observer.closeErrors.isEmpty, "an error that the caller got is not reported to the observer")
            strategy.followNoScript()
            lease.release()
        }
    }

    @Test(
        "If the body has thrown too, the caller gets its error, and the observer gets the close error",
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
        "With reportsCloseErrors, the observer gets close errors, and the caller gets its result",
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
        "An error in closing a dead connection goes to the observer, not to the caller that found it",
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
            try await eventually("the observer has the error") { observer.closeErrors == [TestError("close")] }
            strategy.followNoScript()
        }
    }

    @Test("An error in closing a connection that a lease released goes to the observer", arguments: CoreKind.allCases)
    func leaseReturned(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 1, burstLimit: 2, configure: { $0.observer = observer }) { pool, strategy in
            let leases = try await pool.lease(2)
            strategy.onClose { _ in throw TestError("close") }
            leases[1].release()
            try await eventually("the observer has the error") { observer.closeErrors == [TestError("close")] }
            try await eventually("the connection is no longer counted") { pool.statistics.total == 1 }
            strategy.followNoScript()
            leases[0].release()
        }
    }

    @Test(
        "Close errors at shutdown go to the observer, and the shutdown still ends",
        arguments: CoreKind.allCases
    )
    func atShutdown(kind: CoreKind) async throws {
        let observer = RecordingObserver()
        try await withPool(kind, maxSize: 3, configure: { $0.observer = observer }) { pool, strategy in
            try await pool.warmUp(3)
            strategy.onClose { _ in throw TestError("close") }
            await pool.shutdown()
            #expect(pool.statistics.total == 0)
            try await eventually("the observer has the errors") { observer.closeErrors.count == 3 }
        }
    }

    @Test("A close that fails frees its slot for a waiter", arguments: CoreKind.allCases)
    func freesTheSlot(kind: CoreKind) async throws {
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
