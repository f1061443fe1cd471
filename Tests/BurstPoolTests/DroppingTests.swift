// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// What happens to a pool that is deallocated without a shutdown.
@Suite(.timeLimit(.minutes(5)))
struct DroppingTests {
    @Test("Dropping the last reference frees everything", arguments: CoreKind.allCases)
    func freesEverything(kind: CoreKind) async throws {
        let witness = Witness()
        try await use(kind, TestStrategy(witness: witness)) { pool in try await pool.warmUp(5) }
        try await eventually("everything is freed") { witness.watchedIsGone }
    }

    @Test("The connections of a dropped pool are closed, each once", arguments: CoreKind.allCases)
    func closesEach(kind: CoreKind) async throws {
        let strategy = TestStrategy()
        try await use(kind, strategy) { pool in try await pool.warmUp(5) }
        try await eventually("all are closed") { strategy.books.closed == 5 }
        expectNothingLeft(strategy, limit: 5)
    }

    /// Runs `body` on a pool that is deallocated when this function returns.
    private func use(
        _ kind: CoreKind,
        _ strategy: TestStrategy,
        clock: any Clock<Duration> = ContinuousClock(),
        _ body: (TestPool) async throws -> Void
    ) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 5)
        configuration.clock = clock
        try await body(try kind.makePool(strategy: strategy, configuration: configuration))
    }

    @Test("A pool that was never used is freed immediately", arguments: CoreKind.allCases)
    func unused(kind: CoreKind) async throws {
        let witness = Witness()
        _ = try kind.makePool(
            strategy: TestStrategy(witness: witness),
            configuration: ConnectionPoolConfiguration(maxSize: 1)
        )
        #expect(witness.watchedIsGone)
    }

    @Test(
        "A lease may outlive its pool, and its connection is closed when the lease ends",
        arguments: CoreKind.allCases
    )
    func leaseOutlives(kind: CoreKind) async throws {
        let strategy = TestStrategy()
        let kept = Shared<TestLease<TestConnection>?>(nil)
        try await use(kind, strategy) { pool in
            kept.set(try await pool.acquire())
            try await pool.warmUp(1)
        }
        try await eventually("the idle connection is closed") { strategy.books.closed == 1 }
        let lease = try #require(kept.value)
        #expect(lease.connection.id == lease.id)
        lease.release()
        try await eventually("the leased connection is closed") { strategy.books.closed == 2 }
        kept.set(nil)
        expectNothingLeft(strategy, limit: 5)
    }

    @Test(
        "If the pool is dropped during a connect, the connection is closed when it is open",
        arguments: CoreKind.allCases
    )
    func connectUnderWay(kind: CoreKind) async throws {
        let strategy = TestStrategy()
        let gate = Gate()
        strategy.onOpen { _ in await gate.pass() }
        try await use(kind, strategy) { pool in
            let caller = try await pool.startWaiting()
            caller.cancel()
            _ = try? await caller.value
        }
        gate.open()
        try await eventually("the connection is closed") { strategy.books.closed == 1 }
        expectNothingLeft(strategy, limit: 5)
    }

    @Test("The timer of a dropped pool does not keep it alive", arguments: CoreKind.allCases)
    func timerDoesNotKeepIt(kind: CoreKind) async throws {
        let clock = ManualClock()
        let witness = Witness()
        try await use(kind, TestStrategy(witness: witness), clock: clock) { pool in
            let leases = try await pool.lease(5)
            let waiter = try await pool.startWaiting(timeout: .seconds(60))
            try await clock.waitForSleepers(1)
            leases[0].release()
            try await waiter.value.release()
            leases.release()
        }
        try await eventually("everything is freed, though no time has passed") { witness.watchedIsGone }
        try await clock.waitForSleepers(0)
    }

    @Test("A waiting caller keeps its pool alive")
    func waitingKeepsThePool() async throws {
        let witness = Witness()
        let gate = Gate()
        let strategy = TestStrategy(witness: witness)
        strategy.onOpen { _ in await gate.pass() }
        // The call itself has the only reference.
        let task = Task { [strategy] in
            try await ConnectionPool(strategy: strategy, maxSize: 1).withConnection { $0.id }
        }
        try await eventually("the connection is being opened") { gate.held == 1 }
        gate.open()
        #expect(try await task.value == 1)
        try await eventually("the connection is closed") { strategy.books.closed == 1 }
    }

    @Test("A pool can be dropped from within its own strategy", arguments: CoreKind.allCases)
    func droppedInsideTheStrategy(kind: CoreKind) async throws {
        let strategy = TestStrategy()
        let last = Shared<TestPool?>(nil)
        strategy.onClose { _ in last.set(nil) }
        last.set(
            try kind.makePool(
                strategy: strategy,
                configuration: ConnectionPoolConfiguration(maxSize: 1, burstLimit: 3)
            )
        )
        try await last.value?.warmUp(3)
        try await eventually("all are closed") { strategy.books.closed == 3 }
        strategy.followNoScript()
        expectNothingLeft(strategy, limit: 3)
    }
}
