// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

/// A call of the strategy that never returns holds its own slot and nothing else.
@Suite(.timeLimit(.minutes(5)))
struct StuckCallTests {
    @Test(
        "While a call does not return, all other slots serve callers, and all slots do when it has returned",
        arguments: CoreKind.allCases,
        StrategyCall.allCases.filter { $0 != .connectionIsClosed }
    )
    func holdsItsOwnSlot(kind: CoreKind, call: StrategyCall) async throws {
        try await withTimedPool(
            kind,
            maxSize: 3,
            configure: {
                // Only the test ends the close.
                $0.closeTimeout = nil
                $0.resetsConnections = call == .resetConnection
                if call == .validateConnection { $0.validateAfterIdle = .seconds(160) }
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            defer { gate.open() }
            try await stick(call, pool, strategy, clock, gate)
            #expect(pool.statistics.total == 1)
            strategy.followNoScript()

            let leases = try await pool.lease(2)
            #expect(pool.tryAcquire() == nil)
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<5 { waiters.append(try await pool.startWaiting()) }
            leases.release()
            for waiter in waiters { try await waiter.value.release() }
            try await eventually("only its own slot is held") {
                let statistics = pool.statistics
                return statistics.idle == 2 && statistics.total == 3
            }

            gate.open()
            try await eventually("the slot is free, or its connection idle") {
                let statistics = pool.statistics
                return statistics.idle == statistics.total && statistics.total == (call == .closeConnection ? 2 : 3)
            }
            try await pool.lease(3).release()
        }
    }

    /// Brings a pool into a state in which one call blocks at the gate.
    private func stick(
        _ call: StrategyCall,
        _ pool: TestPool,
        _ strategy: TestStrategy,
        _ clock: ManualClock,
        _ gate: Gate
    ) async throws {
        switch call {
        case .makeConnection, .prepareConnection:
            strategy.onOpen { _ in if call == .makeConnection { await gate.pass() } }
            strategy.onPrepare { _ in if call == .prepareConnection { await gate.pass() } }
            let caller = try await pool.startWaiting()
            try await eventually("the strategy was called") { gate.held == 1 }
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value.release() }
        case .validateConnection:
            try await pool.warmUp(1)
            try await MaintenanceStepper(pool, clock).pass(.seconds(181))
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.acquire() }
            try await eventually("the strategy was called") { gate.held == 1 }
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value.release() }
        case .resetConnection:
            strategy.onReset { _ in await gate.pass() }
            try await pool.acquire().release()
        case .closeConnection:
            strategy.onClose { _ in await gate.pass() }
            try await pool.acquire().discard()
        case .connectionIsClosed:
            Issue.record("this call does not suspend")
        }
        try await eventually("the strategy was called") { gate.held == 1 }
    }
}
