// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// A shutdown inside a body would wait for the connection that the body holds.
@Suite(.timeLimit(.minutes(1)))
struct ShutdownInsideBodyTests {
    private func withDetection(
        _ kind: CoreKind,
        maxSize: Int,
        _ test: (TestPool, RecordingObserver) async throws -> Void
    ) async throws {
        let observer = RecordingObserver()
        try await withPool(
            kind,
            maxSize: maxSize,
            configure: {
                $0.detectsNestedAcquires = true
                $0.observer = observer
            }
        ) { pool, _ in try await test(pool, observer) }
    }

    @Test("It returns, says so in its result, and tells the observer", arguments: CoreKind.allCases)
    func detected(kind: CoreKind) async throws {
        try await withDetection(kind, maxSize: 3) { pool, observer in
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
        try await withDetection(kind, maxSize: 2) { pool, _ in
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
        try await withDetection(kind, maxSize: 1) { pool, observer in
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
        try await withDetection(kind, maxSize: 1) { pool, _ in
            try await pool.withConnection { _ in
                pool.pause()
                #expect(await pool.waitUntilUnused(timeout: nil) == false)
                pool.resume()
            }
        }
    }
}
