// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct AbortTests {
    @Test(
        "Connections in use are aborted, connects are cancelled, and idle connections are closed",
        arguments: CoreKind.allCases
    )
    func aborts(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4) { pool, strategy, clock, _ in
            let aborted = Shared<[Int]>([])
            let gate = Gate()
            strategy.onAbort { remote in
                aborted.change { $0.append(remote.id) }
                gate.open()
            }
            try await pool.warmUp(2)
            strategy.onOpen { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
            }
            let user = Task {
                try await pool.withConnection { connection in
                    await gate.pass()
                    return connection.id
                }
            }
            try await eventually("one is in use") { gate.held == 1 }
            let idle = try #require(pool.tryAcquire())
            let connecting = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            idle.release()
            // The connection that its caller released serves the waiter whose connect was cancelled.
            let lease = try await connecting.value
            lease.release()
            await pool.abort()
            let id = try await user.value
            #expect(aborted.value == [id])
            #expect(pool.statistics.total == 0)
            #expect(strategy.books.failures == 1, "the attempt was cancelled")
        }
    }

    @Test("Waiting callers fail with poolShutDown", arguments: CoreKind.allCases)
    func waiters(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
            }
            let waiter = try await pool.startWaiting()
            try await clock.waitForSleepers(1)
            await pool.abort()
            _ = try await poolError(.poolShutDown) { _ = try await waiter.value }
        }
    }

    @Test(
        "A pool can be aborted after shutdowns whose drain time has passed, by several tasks, and again",
        arguments: CoreKind.allCases
    )
    func afterShutdown(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            let aborts = Shared(0)
            let gate = Gate()
            strategy.onAbort { _ in
                aborts.countUp()
                gate.open()
            }
            let user = Task { try await pool.withConnection { _ in await gate.pass() } }
            try await eventually("it is in use") { gate.held == 1 }
            let draining = Task { await pool.shutdown(drainFor: .seconds(10)) }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(10))
            _ = await draining.value
            #expect(pool.statistics.inUse == 1)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await pool.abort() } }
            }
            try await user.value
            await pool.abort()
            #expect(aborts.value == 1)
        }
    }

    @Test("Without an abort handle, the pool waits for the connection and closes it", arguments: CoreKind.allCases)
    func noHandle(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.acquire()
            let end = Task { await pool.abort() }
            try await eventually("the pool is shut down") { pool.statistics.maxSize == 0 }
            #expect(pool.statistics.inUse == 1)
            lease.release()
            await end.value
            #expect(strategy.books.closed == 1)
        }
    }

    @Test(
        "The abort handle of a connection is released with the connection, and not called for the next one",
        arguments: CoreKind.allCases
    )
    func handlesEnd(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, mostEver: 2) { pool, strategy, _, _ in
            let aborted = Shared<[Int]>([])
            let gate = Gate()
            strategy.onAbort { remote in
                aborted.change { $0.append(remote.id) }
                gate.open()
            }
            try await pool.acquire().discard()
            _ = try await pool.acquire().detach()
            let user = Task { try await pool.withConnection { _ in await gate.pass() } }
            try await eventually("it is in use") { gate.held == 1 }
            await pool.abort()
            try await user.value
            #expect(aborted.value == [3])
            // The second connection was detached, so the test closes it.
            let second = TestConnection(strategy.remote(2))
            try await strategy.closeConnection(second)
        }
    }
}
