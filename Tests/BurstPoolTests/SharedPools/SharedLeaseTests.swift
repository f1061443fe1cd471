// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SharedLeaseTests {
    @Test("Callers share a connection up to its limit, and the next caller gets another connection")
    func sharing() async throws {
        try await withSharedPool(limit: 3, maxSize: 2) { pool, strategy, _, _ in
            let leases = try await pool.hold(3)
            #expect(Set(leases.map(\.connection.id)) == [1])
            #expect(strategy.connection(1).usersNow == 3)
            let next = try await pool.hold()
            #expect(next.connection.id == 2)
            // The caller gets the first lease, while the others are still being made.
            try await eventually("all leases are made") { pool.statistics.leasesIdle == 2 }
            let statistics = pool.statistics
            #expect(statistics.total == 2 && statistics.inUse == 2 && statistics.idle == 0)
            #expect(statistics.leasesInUse == 4 && statistics.leasesIdle == 2)
            leases.release()
            #expect(pool.statistics.idle == 1 && pool.statistics.inUse == 1)
            #expect(pool.statistics.leasesIdle == 5)
            next.release()
        }
    }

    @Test("Callers that come at once to an empty pool share the first connection")
    func atOnce() async throws {
        try await withSharedPool(limit: 4, maxSize: 4) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.change { $0.open = { _ in await gate.pass() } }
            var callers: [Task<HeldLease, any Error>] = []
            for _ in 0..<4 { callers.append(try await pool.startWaiting()) }
            gate.open()
            for caller in callers { try await caller.value.release() }
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("Once the limit is known, as many connections are opened as the waiters need, and not more")
    func asManyAsNeeded() async throws {
        try await withSharedPool(limit: 2, maxSize: 8) { pool, strategy, _, _ in
            let first = try await pool.hold(2)
            let gate = Gate()
            strategy.change { $0.open = { _ in await gate.pass() } }
            var callers: [Task<HeldLease, any Error>] = []
            for _ in 0..<5 { callers.append(try await pool.startWaiting()) }
            try await eventually("all attempts have begun") { gate.held == 3 }
            await letOthersRun()
            #expect(gate.held == 3)
            gate.open()
            for caller in callers { try await caller.value.release() }
            first.release()
        }
    }

    @Test("At the limit, callers wait, and are served in order")
    func order() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, _, _, _ in
            let leases = try await pool.hold(2)
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            #expect(pool.tryHold() == nil)
            leases[1].release()
            let served = try await first.value
            #expect(pool.statistics.waiting == 1)
            served.release()
            try await second.value.release()
            leases[0].release()
        }
    }

    @Test("A caller that waits longer than its timeout gets acquireTimedOut, and not earlier")
    func deadline() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, _, clock, observer in
            let lease = try await pool.hold()
            let waiter = try await pool.startWaiting(timeout: .seconds(5))
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5) - .nanoseconds(1))
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            clock.advance(by: .nanoseconds(1))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.timeout == .seconds(5))
            #expect(error.oldestLeaseAge == .seconds(5))
            #expect(error.statistics?.leasesInUse == 1)
            #expect(observer.count("acquireFailed") == 1)
            lease.release()
        }
    }

    @Test("A timeout of zero never waits, and uses idle leases")
    func immediate() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, _, _, _ in
            _ = try await poolError(.acquireTimedOut) { _ = try await pool.hold(timeout: .immediate) }
            let first = try await pool.hold()
            try await pool.hold(timeout: .immediate).release()
            first.release()
        }
    }

    @Test("A cancelled waiter leaves the queue, and the next one is served")
    func cancellation() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, _, _, _ in
            let lease = try await pool.hold()
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            first.cancel()
            await #expect(throws: CancellationError.self) { _ = try await first.value }
            #expect(pool.statistics.waiting == 1)
            lease.release()
            try await second.value.release()
        }
    }

    @Test("A connect survives the cancellation of its caller")
    func cancelledConnect() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.change { $0.open = { _ in await gate.pass() } }
            let caller = try await pool.startWaiting()
            try await eventually("the attempt has begun") { gate.held == 1 }
            caller.cancel()
            await #expect(throws: CancellationError.self) { _ = try await caller.value }
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            try await pool.hold().release()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("When a connection closes, no other one is opened for a caller that no longer waits")
    func nobodyWaits() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            let waiter = try await pool.startWaiting()
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
            lease.discard()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            await letOthersRun()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("An attempt that fails gives its error to the oldest waiter, and the next waiter gets another attempt")
    func failedConnect() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, observer in
            let gate = Gate()
            strategy.change {
                $0.open = { attempt in
                    await gate.pass()
                    if attempt == 1 { throw TestError("refused") }
                }
            }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            gate.open()
            await #expect(throws: TestError("refused")) { _ = try await first.value }
            try await second.value.release()
            #expect(observer.openErrors == [TestError("refused")])
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test("With a retry, all waiters are served by a later attempt")
    func retry() async throws {
        try await withSharedPool(
            limit: 2,
            maxSize: 1,
            configure: { $0.connectRetry = ConnectionBackoff(base: .seconds(1), cap: .seconds(1)) }
        ) { pool, strategy, clock, observer in
            strategy.change { $0.open = { attempt in if attempt == 1 { throw TestError("refused") } } }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            try await eventually("the attempt has failed") { observer.count("openFailed") == 1 }
            try await pool.pass(.seconds(2), on: clock)
            try await first.value.release()
            try await second.value.release()
        }
    }

    @Test("Callers above maxWaiters fail immediately")
    func maxWaiters() async throws {
        try await withSharedPool(limit: 1, maxSize: 1, configure: { $0.maxWaiters = 1 }) { pool, _, _, _ in
            let lease = try await pool.hold()
            let waiter = try await pool.startWaiting()
            _ = try await poolError(.tooManyWaiters) { _ = try await pool.hold() }
            lease.release()
            try await waiter.value.release()
        }
    }

    @Test("A body gets the connection, and its result and its error reach the caller")
    func bodies() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            let id = try await pool.withConnection { connection in connection.id }
            let inner = try await pool.withConnection { connection in
                try await connection.use { try await pool.withConnection { other in other.id } }
            }
            #expect(id == 1 && inner == 1)
            await #expect(throws: TestError("body")) {
                try await pool.withConnection { _ in throw TestError("body") }
            }
            #expect(strategy.books.opened == 1)
            try await eventually("all leases are idle") { pool.statistics.leasesIdle == 2 }
        }
    }

    @Test("tryAcquire takes a lease of a connection that nobody has used yet")
    func prewarmed() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, _, _, _ in
            #expect(pool.tryHold() == nil)
            try await pool.prewarm(2)
            let lease = try #require(pool.tryHold())
            #expect(pool.statistics.idle == 1 && pool.statistics.inUse == 1)
            lease.release()
        }
    }

    @Test("Settings that make no sense for shared connections are refused")
    func configuration() async throws {
        for change in [{ $0.resetsConnections = true }, { $0.detectsNestedAcquires = true }, { $0.maxSize = 0 }]
            as [(inout ConnectionPoolConfiguration) -> Void]
        {
            var configuration = ConnectionPoolConfiguration(maxSize: 1)
            change(&configuration)
            _ = try await poolError(.invalidConfiguration) {
                _ = try SharedConnectionPool(strategy: SharedTestStrategy(limit: 1), configuration: configuration)
            }
        }
    }
}
