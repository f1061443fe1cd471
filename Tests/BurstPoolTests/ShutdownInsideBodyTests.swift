// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// A shutdown inside a body would wait for the connection that the body holds.
@Suite(.timeLimit(.minutes(1)))
struct ShutdownInsideBodyTests {
    private func withObservedPool(
        _ kind: CoreKind,
        maxSize: Int,
        _ test: (TestPool, RecordingObserver) async throws -> Void
    ) async throws {
        let observer = RecordingObserver()
        try await withPool(
            kind,
            maxSize: maxSize,
            configure: { $0.observer = observer }
        ) { pool, _ in try await test(pool, observer) }
    }

    @Test("It returns, says so in its result, and tells the observer", arguments: CoreKind.allCases)
    func detected(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 3) { pool, observer in
            try await pool.warmUp(3)
            let result = try await pool.withConnection { outer in
                let result = try await pool.withConnection { _ in await pool.shutdown() }
                outer.use()
                return result
            }
            #expect(!result.isComplete)
            #expect(result.heldByCaller == 2)
            #expect(result.remaining.inUse == 2)
            #expect(result.remaining.total == 2)
            #expect("\(result)".contains("inside a body"))
            let held = observer.all { if case .shutdownInsideBody(let held) = $0 { held } else { nil } }
            #expect(held == [2])
            let after = await pool.shutdown()
            #expect(after.isComplete)
            #expect(after.heldByCaller == 0)
        }
    }

    @Test("It still waits for the connections of others", arguments: CoreKind.allCases)
    func others(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 2) { pool, _ in
            let gate = Gate()
            let other = Task { try await pool.withConnection { _ in await gate.pass() } }
            try await eventually("it holds a connection") { gate.held == 1 }
            let isOver = Shared(false)
            let stopping = Task {
                try await pool.withConnection { _ in
                    let result = await pool.shutdown()
                    isOver.set(true)
                    return result
                }
            }
            try await eventually("the shutdown has begun") { pool.statistics.maxSize == 0 }
            await letOthersRun()
            #expect(!isOver.value)
            gate.open()
            let result = try await stopping.value
            #expect(result.remaining.total == 1)
            try await other.value
        }
    }

    @Test("A shutdown by a task that holds nothing waits for all", arguments: CoreKind.allCases)
    func outside(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 1) { pool, observer in
            let gate = Gate()
            let user = Task { try await pool.withConnection { _ in await gate.pass() } }
            try await eventually("it holds a connection") { gate.held == 1 }
            let shutdown = Task { await pool.shutdown() }
            try await eventually("the shutdown has begun") { pool.statistics.maxSize == 0 }
            gate.open()
            #expect(await shutdown.value.isComplete)
            #expect(observer.count("shutdownInsideBody") == 0)
            try await user.value
        }
    }

    @Test("To wait inside a body until a paused pool is unused returns as well", arguments: CoreKind.allCases)
    func waitUntilUnused(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 1) { pool, _ in
            try await pool.withConnection { _ in
                pool.pause()
                #expect(await pool.waitUntilUnused(timeout: nil) == false)
                pool.resume()
            }
        }
    }

    @Test("A body of forEachConnection counts as well", arguments: CoreKind.allCases)
    func insideVisit(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 2) { pool, observer in
            try await pool.warmUp(2)
            let results = Shared<[ConnectionPoolShutdownResult]>([])
            await pool.forEachConnection { _ in
                let result = await pool.shutdown()
                results.change { $0.append(result) }
            }
            #expect(results.value.map(\.heldByCaller) == [1])
            #expect(observer.count("shutdownInsideBody") == 1)
        }
    }

    @Test(
        "A task that has left its body holds nothing, whether the body returned or threw",
        arguments: CoreKind.allCases
    )
    func afterBody(kind: CoreKind) async throws {
        try await withObservedPool(kind, maxSize: 1) { pool, observer in
            try await pool.withConnection { await $0.use { await Task.yield() } }
            await #expect(throws: TestError.self) {
                try await pool.withConnection { _ in
                    await Task.yield()
                    throw TestError("of the body")
                }
            }
            // The slot is in use again, by a lease that notes no task.
            let lease = try await pool.acquire()
            let result = await pool.shutdown(drainFor: .zero)
            #expect(result.heldByCaller == 0)
            #expect(observer.count("shutdownInsideBody") == 0)
            lease.release()
        }
    }

    @Test("In the public pool, also if the body can discard and detach")
    func publicPool() async throws {
        let pool = try ConnectionPool(strategy: ScriptedStrategy(), configuration: .recommended(maxSize: 2))
        let result = try await pool.withConnection { _, lease in
            lease.discard()
            return try await pool.withConnection { _ in await pool.shutdown() }
        }
        #expect(result.heldByCaller == 2)
        #expect(await pool.shutdown().isComplete)
    }

    @Test("In a group of pools")
    func group() async throws {
        let group = try ConnectionPoolGroup(maxTotal: 2, perKey: .recommended(maxSize: 2)) { (_: Int) in
            ScriptedStrategy()
        }
        let result = try await group.withConnection(for: 1) { _ in
            try await group.withConnection(for: 2) { _ in await group.shutdown() }
        }
        #expect(result.heldByCaller == 2)
        #expect(await group.shutdown().isComplete)
    }

    @Test("In a pool of shared connections, where two leases of one connection hold one connection")
    func shared() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, _, _, observer in
            let result = try await pool.withConnection { _ in
                try await pool.withConnection { _ in await pool.shutdown() }
            }
            #expect(result.heldByCaller == 1)
            #expect(observer.count("shutdownInsideBody") == 1)
            #expect(await pool.shutdown().isComplete)
        }
    }
}
