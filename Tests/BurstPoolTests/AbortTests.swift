import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct AbortTests {
    @Test(
        "What is in use is aborted, what is being opened is cancelled, what is idle is closed",
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
            // The one that came back serves who waited for the connect.
            let lease = try await connecting.value
            lease.release()
            await pool.abort()
            let id = try await user.value
            #expect(aborted.value == [id])
            #expect(pool.statistics.total == 0)
            #expect(strategy.books.failures == 1, "the attempt was cancelled")
        }
    }

    @Test("Callers that wait are told that the pool was shut down", arguments: CoreKind.allCases)
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

    @Test("After a shutdown whose time to drain was up, from several tasks, and again", arguments: CoreKind.allCases)
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
            await draining.value
            #expect(pool.statistics.inUse == 1)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await pool.abort() } }
            }
            try await user.value
            await pool.abort()
            #expect(aborts.value == 1)
        }
    }

    @Test("Without a way to abort, the connection is waited for and closed", arguments: CoreKind.allCases)
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
        "What aborts a connection is let go of with it, and is not called for the next one",
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
            // The second was detached, and is the test's.
            let second = TestConnection(strategy.remote(2))
            try await strategy.closeConnection(second)
        }
    }
}
