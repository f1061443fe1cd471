// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ShutdownTests {
    @Test("After shutdown no caller gets a connection", arguments: CoreKind.allCases)
    func rejectsNewCallers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            try await pool.warmUp(2)
            await pool.shutdown()
            #expect(pool.statistics.total == 0)
            #expect(strategy.books.closed == 2)
            let error = try await poolError(.poolShutDown) { _ = try await pool.acquire() }
            #expect(error.statistics?.total == 0)
            _ = try await poolError(.poolShutDown) { try await pool.withConnection { $0.use() } }
            _ = try await poolError(.poolShutDown) { _ = try await pool.acquire(timeout: .unlimited) }
            _ = try await poolError(.poolShutDown) { _ = try await pool.acquire(timeout: .immediate) }
            #expect(pool.tryAcquire() == nil)
            #expect(strategy.books.attempts == 2)
        }
    }

    @Test("Waiters fail with poolShutDown", arguments: CoreKind.allCases)
    func failsWaiters(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for number in 0..<10 {
                waiters.append(
                    try await pool.startWaiting(timeout: number.isMultiple(of: 2) ? .unlimited : .seconds(60))
                )
            }
            let shutdown = Task { await pool.shutdown() }
            for waiter in waiters { _ = try await poolError(.poolShutDown) { _ = try await waiter.value } }
            lease.release()
            _ = await shutdown.value
        }
    }

    @Test(
        "Shutdown waits for leases, and closes their connections when they are released",
        arguments: CoreKind.allCases
    )
    func waitsForLeases(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            let leases = try await pool.lease(3)
            let isDone = Shared(false)
            let shutdown = Task {
                await pool.shutdown()
                isDone.set(true)
            }
            try await eventually("shutdown has begun") { pool.statistics.maxSize == 0 }
            for number in 1...3 {
                #expect(!isDone.value)
                leases[number - 1].release()
                try await eventually("\(number) are closed") { strategy.books.closed == number }
            }
            await shutdown.value
            #expect(pool.statistics.total == 0)
        }
    }

    @Test("Shutdown waits until the closes have ended", arguments: CoreKind.allCases)
    func waitsForCloses(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            try await pool.warmUp(2)
            let gate = Gate()
            strategy.onClose { _ in await gate.pass() }
            let isDone = Shared(false)
            let shutdown = Task {
                await pool.shutdown()
                isDone.set(true)
            }
            try await eventually("both connections are closing") { gate.held == 2 }
            await letOthersRun()
            #expect(!isDone.value)
            #expect(pool.statistics.closing == 2)
            gate.open()
            await shutdown.value
        }
    }

    @Test(
        "When the drain time has passed, shutdown returns, and leased connections are still closed on release",
        arguments: CoreKind.allCases
    )
    func deadline(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 2, configure: { $0.clock = clock }) { pool, strategy in
            let leases = try await pool.lease(2)
            let shutdown = Task { await pool.shutdown(drainFor: .seconds(5)) }
            try await clock.waitForSleepers(1)
            leases[0].release()
            try await eventually("one connection is closed") { pool.statistics.total == 1 }
            clock.advance(by: .seconds(5))
            _ = await shutdown.value
            #expect(pool.statistics.inUse == 1)
            leases[1].release()
            try await eventually("the other connection is closed") { strategy.books.closed == 2 }
        }
    }

    @Test(
        "With a drain time of zero or less, shutdown does not wait",
        arguments: CoreKind.allCases,
        [.zero, .seconds(-1), .seconds(Int64.min)] as [Duration]
    )
    func noTimeToDrain(kind: CoreKind, duration: Duration) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            await pool.shutdown(drainFor: duration)
            #expect(pool.statistics.inUse == 1)
            lease.release()
        }
    }

    @Test("With an unlimited drain time, shutdown waits for the leases", arguments: CoreKind.allCases)
    func endlessTimeToDrain(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let shutdown = Task { await pool.shutdown(drainFor: .seconds(Int64.max)) }
            try await eventually("shutdown has begun") { pool.statistics.maxSize == 0 }
            lease.release()
            _ = await shutdown.value
            #expect(pool.statistics.total == 0)
        }
    }

    @Test("When everything is drained in time, no timer is left", arguments: CoreKind.allCases)
    func leavesNoTimer(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: .seconds(60))
            try await clock.waitForSleepers(1)
            let shutdown = Task { await pool.shutdown(drainFor: .seconds(90)) }
            _ = try await poolError(.poolShutDown) { _ = try await waiter.value }
            try await eventually("only the alarm of shutdown itself is set") { clock.nextDeadline == .seconds(90) }
            lease.release()
            _ = await shutdown.value
            try await clock.waitForSleepers(0)
        }
    }

    @Test("Shutdown can be called again, and by several tasks at the same time", arguments: CoreKind.allCases)
    func idempotent(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let leases = try await pool.lease(2)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask { await pool.shutdown() }
                }
                await letOthersRun()
                leases.release()
            }
            await pool.shutdown()
            await pool.shutdown(drainFor: .zero)
            #expect(strategy.books.closed == 2)
        }
    }

    @Test("A pool that was never used shuts down immediately", arguments: CoreKind.allCases)
    func unused(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            await pool.shutdown()
            #expect(strategy.books.attempts == 0)
        }
    }

    @Test(
        "A connection that is being opened at shutdown is closed when it is open, and its caller gets an error",
        arguments: CoreKind.allCases
    )
    func whileConnecting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let caller = try await pool.startWaiting()
            try await eventually("the connection is being opened") { gate.held == 1 }
            let isDone = Shared(false)
            let shutdown = Task {
                await pool.shutdown()
                isDone.set(true)
            }
            _ = try await poolError(.poolShutDown) { _ = try await caller.value }
            await letOthersRun()
            #expect(!isDone.value, "a connection that is being opened counts")
            gate.open()
            await shutdown.value
            #expect(strategy.books.opened == 1)
            #expect(strategy.books.closed == 1)
        }
    }

    @Test("A connect that fails during shutdown lets the shutdown end", arguments: CoreKind.allCases)
    func whileFailingToConnect(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in
                await gate.pass()
                throw TestError("refused")
            }
            let caller = try await pool.startWaiting()
            let shutdown = Task { await pool.shutdown() }
            _ = try await poolError(.poolShutDown) { _ = try await caller.value }
            gate.open()
            _ = await shutdown.value
            #expect(pool.statistics.total == 0)
        }
    }

    @Test("Cancelling a call of shutdown ends the wait, but not the shutdown", arguments: CoreKind.allCases)
    func cancelled(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let shutdown = Task { await pool.shutdown() }
            try await eventually("shutdown has begun") { pool.statistics.maxSize == 0 }
            shutdown.cancel()
            _ = await shutdown.value
            #expect(pool.statistics.inUse == 1)
            _ = try await poolError(.poolShutDown) { _ = try await pool.acquire() }
            lease.release()
        }
    }

    @Test("A task that is already cancelled can shut the pool down", arguments: CoreKind.allCases)
    func cancelledBefore(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            try await pool.warmUp(1)
            let gate = Gate()
            let shutdown = Task {
                await gate.pass()
                await pool.shutdown()
            }
            shutdown.cancel()
            gate.open()
            await shutdown.value
            try await eventually("the idle connection is closed") { strategy.books.closed == 1 }
        }
    }

    @Test(
        "A withConnection call that is running at shutdown ends as usual, and its connection is closed",
        arguments: CoreKind.allCases
    )
    func bodyUnderWay(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            let user = Task {
                try await pool.withConnection { connection in
                    await connection.use { await gate.pass() }
                    return connection.uses
                }
            }
            try await eventually("the body runs") { gate.held == 1 }
            let shutdown = Task { await pool.shutdown() }
            try await eventually("shutdown has begun") { pool.statistics.maxSize == 0 }
            gate.open()
            #expect(try await user.value == 1)
            _ = await shutdown.value
            #expect(strategy.books.closed == 1)
        }
    }

    @Test(
        "A caller that joins at the instant of the shutdown gets an error, and does not hang",
        arguments: CoreKind.cores
    )
    func joiningInThatInstant(kind: CoreKind) async throws {
        for moment in [
            CoreMoment.beforeTryAcquire, .afterPrepareWait, .beforeJoinWait, .afterJoinWait, .beforeBeginOpen,
        ] {
            try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
                let shutdown = Shared<Task<Void, Never>?>(nil)
                let lease = moment == .beforeBeginOpen ? nil : try await pool.acquire()
                strategy.hooks.at(moment) { [weak pool] in
                    // Runs up to the point where it waits for the lease.
                    shutdown.set(Task(executorPreference: InlineExecutor()) { await pool?.shutdown() })
                }
                _ = try await poolError(.poolShutDown) { _ = try await pool.acquire(timeout: .seconds(60)) }
                #expect(strategy.hooks.isEmpty)
                lease?.release()
                await shutdown.value?.value
                #expect(pool.statistics.total == 0)
            }
        }
    }

    @Test(
        "Shutdown ends even if a search for a waiter was holding the last slot",
        arguments: CoreKind.cores
    )
    func slotHeldForAMoment(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
            let shutdown = Shared<Task<Void, Never>?>(nil)
            strategy.hooks.at(.beforeBeginOpen) { [weak pool, hooks = strategy.hooks] in
                // As a core may do: it occupies a slot, finds that all waiters have left meanwhile, and frees the
                // slot.
                hooks.heldSlots.store(1, ordering: .releasing)
                shutdown.set(Task(executorPreference: InlineExecutor()) { await pool?.shutdown() })
                hooks.heldSlots.store(0, ordering: .releasing)
            }
            _ = try await poolError(.poolShutDown) { _ = try await pool.acquire() }
            let isDone = Shared(false)
            let watcher = Task {
                await shutdown.value?.value
                isDone.set(true)
            }
            defer { shutdown.value?.cancel() }
            try await eventually("shutdown ends") { isDone.value }
            await watcher.value
        }
    }
}
