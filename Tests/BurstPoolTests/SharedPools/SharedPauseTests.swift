// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SharedPauseTests {
    @Test("A paused pool serves no caller, and serves its waiters in order when it resumes")
    func order() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, strategy, _, _ in
            try await pool.hold().release()
            pool.pause()
            pool.pause()
            #expect(pool.isPaused)
            #expect(pool.tryHold() == nil)
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting(), try await pool.startWaiting()]
            await letOthersRun()
            #expect(pool.statistics.waiting == 3)
            pool.resume()
            pool.resume()
            #expect(!pool.isPaused)
            for (number, waiter) in waiters.enumerated() {
                let lease = try await waiter.value
                #expect(pool.statistics.waiting == waiters.count - 1 - number)
                lease.release()
            }
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("A paused pool opens no connection for a caller")
    func opensNone() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, _ in
            pool.pause()
            let waiters = [try await pool.startWaiting(), try await pool.startWaiting(), try await pool.startWaiting()]
            await letOthersRun()
            #expect(strategy.books.attempts == 0)
            pool.resume()
            var leases: [HeldLease] = []
            for waiter in waiters { leases.append(try await waiter.value) }
            #expect(strategy.books.opened == 2)
            leases.release()
        }
    }

    @Test("A connection that opens during the pause serves the waiters when it ends, with all of its leases")
    func opensMeanwhile() async throws {
        try await withSharedPool(limit: 3, maxSize: 1) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.change { $0.open = { _ in await gate.pass() } }
            var waiters = [try await pool.startWaiting()]
            try await eventually("the connection is being opened") { gate.held == 1 }
            pool.pause()
            waiters += [try await pool.startWaiting(), try await pool.startWaiting()]
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            await letOthersRun()
            #expect(pool.statistics.waiting == 3)
            pool.resume()
            var leases: [HeldLease] = []
            for waiter in waiters { leases.append(try await waiter.value) }
            #expect(strategy.books.opened == 1)
            #expect(strategy.connection(1).usersNow == 3)
            leases.release()
        }
    }

    @Test("A limit that is raised during the pause serves waiters when it ends")
    func raisedMeanwhile() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            pool.pause()
            let waiter = try await pool.startWaiting()
            strategy.connection(1).setLimit(2)
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            pool.resume()
            try await waiter.value.release()
            lease.release()
        }
    }

    @Test("Leases that are in use continue, and their end wakes who waits for it", arguments: [true, false])
    func waitsUntilUnused(isDiscarded: Bool) async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            let leases = try await pool.hold(2)
            #expect(await pool.waitUntilUnused() == false)
            pool.pause()
            let isUnused = Shared<Bool?>(nil)
            let wait = Task { isUnused.set(await pool.waitUntilUnused()) }
            await letOthersRun()
            leases[0].release()
            await letOthersRun()
            #expect(isUnused.value == nil)
            if isDiscarded { leases[1].discard() } else { leases[1].release() }
            await wait.value
            #expect(isUnused.value == true)
            #expect(strategy.connection(1).usersNow == 0)
            pool.resume()
            try await pool.hold().release()
        }
    }

    @Test("The end of the pause, the timeout and a cancellation end the wait for unused leases")
    func endsOfTheWait() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.hold()
            pool.pause()
            let resumed = Task { await pool.waitUntilUnused() }
            let timedOut = Task { await pool.waitUntilUnused(timeout: .seconds(3)) }
            let cancelled = Task { await pool.waitUntilUnused() }
            try await clock.waitForSleepers(1)
            cancelled.cancel()
            #expect(await cancelled.value == false)
            clock.advance(by: .seconds(3))
            #expect(await timedOut.value == false)
            pool.resume()
            #expect(await resumed.value == false)
            lease.release()
        }
    }

    @Test("A body that waits until the pool is unused does not wait for itself")
    func insideBody() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, _, _, _ in
            try await pool.withConnection { _ in
                await letOthersRun()
                pool.pause()
                #expect(await pool.waitUntilUnused() == false)
                pool.resume()
            }
        }
    }

    @Test("Connections are replaced during a pause")
    func eviction() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            try await pool.hold(2).release()
            pool.pause()
            pool.evictAll()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            pool.resume()
            #expect(try await pool.withConnection { $0.id } == 2)
        }
    }

    @Test("A shutdown ends the pause, and the pool cannot be paused again")
    func shutdown() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            try await pool.hold(2).release()
            pool.pause()
            let waiter = try await pool.startWaiting()
            await pool.shutdown()
            _ = try await poolError(.poolShutDown) { _ = try await waiter.value }
            #expect(strategy.books.closed == [1])
            pool.pause()
            #expect(!pool.isPaused)
            pool.resume()
            _ = try await poolError(.poolShutDown) { _ = try await pool.hold() }
        }
    }
}
