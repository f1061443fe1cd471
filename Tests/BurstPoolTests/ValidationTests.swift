// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ValidationTests {
    /// Runs a test on a pool whose idle connections are stale.
    private func withStalePool(
        _ kind: CoreKind,
        maxSize: Int,
        idle: Int = 1,
        mostEver: Int? = nil,
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in },
        _ test: (TestPool, TestStrategy, ManualClock, RecordingObserver) async throws -> Void
    ) async throws {
        try await withTimedPool(
            kind,
            maxSize: maxSize,
            mostEver: mostEver,
            configure: {
                $0.validateAfterIdle = .seconds(80)
                configure(&$0)
            }
        ) { pool, strategy, clock, observer in
            try await pool.warmUp(idle)
            try await MaintenanceStepper(pool, clock).pass(.seconds(91))
            try await test(pool, strategy, clock, observer)
        }
    }

    @Test(
        "A connection is validated only if it has been idle for longer than validateAfterIdle",
        arguments: CoreKind.allCases
    )
    func onlyWhenStale(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.validateAfterIdle = .seconds(80) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            for _ in 0..<3 {
                try await maintenance.pass(.seconds(79))
                try await pool.withConnection { $0.use() }
            }
            #expect(strategy.books.validated == [])
            try await maintenance.pass(.seconds(91))
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.validated == [1])
            try await pool.withConnection { $0.use() }
            #expect(strategy.books.validated == [1], "the connection has just been used")
            #expect(strategy.books.opened == 1)
        }
    }

    @Test(
        "A connection that is not valid is replaced, and the caller does not notice",
        arguments: CoreKind.allCases,
        [true, false]
    )
    func replaced(kind: CoreKind, byError: Bool) async throws {
        try await withStalePool(kind, maxSize: 2) { pool, strategy, _, observer in
            strategy.onValidate { _ in
                if byError { throw TestError("reset by peer") }
                return false
            }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 2)
            try await eventually("the observer has the event") { observer.closeReasons == [.validationFailed] }
            #expect(strategy.books.closedIDs == [1])
        }
    }

    @Test("Idle connections are validated one after another until one is valid", arguments: CoreKind.allCases)
    func several(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 4, idle: 4) { pool, strategy, _, _ in
            strategy.onValidate { $0.id == 3 }
            let id = try await pool.withConnection { $0.id }
            #expect(id == 3)
            #expect(strategy.books.opened == 4)
        }
    }

    @Test("A validation that takes too long is cancelled, and its connection is replaced", arguments: CoreKind.allCases)
    func slow(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onValidate { _ in
                try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") { clock.wakes(within: .seconds(3600)) }
            clock.advance(by: .seconds(4))
            await letOthersRun()
            #expect(strategy.books.closed == 0)
            clock.advance(by: .seconds(1))
            let id = try await caller.value
            #expect(id == 2)
            #expect(strategy.books.closedIDs == [1])
        }
    }

    @Test(
        "A validation that ignores its cancellation keeps its slot, and the caller gets another connection",
        arguments: CoreKind.allCases
    )
    func ignoresCancellation(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 2, configure: { $0.validationTimeout = .seconds(3) }) {
            pool,
            strategy,
            clock,
            _ in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") {
                gate.held == 1 && clock.wakes(within: .seconds(3))
            }
            clock.advance(by: .seconds(3))
            let id = try await caller.value
            #expect(id == 2)
            #expect(pool.statistics.total == 2)
            gate.open()
            try await eventually(
                "the connection is closed though valid, because the pool cannot know for how long it is"
            ) {
                strategy.books.closedIDs == [1]
            }
        }
    }

    @Test(
        "A caller that is cancelled during the validation leaves, and the connection becomes idle",
        arguments: CoreKind.allCases
    )
    func cancelled(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 1) { pool, strategy, _, observer in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") { gate.held == 1 }
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(observer.failedAcquires == ["CancellationError, 0.0 seconds, a wait"])
            let waiter = try await pool.startWaiting()
            gate.open()
            let lease = try await waiter.value
            #expect(lease.id == 1)
            lease.release()
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.validated == [1])
        }
    }

    @Test(
        "A caller whose timeout passes during the validation gets an error, and the connection becomes idle",
        arguments: CoreKind.allCases
    )
    func deadline(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 1) { pool, strategy, clock, observer in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection(timeout: .seconds(2)) { $0.id } }
            try await eventually("the connection is being validated") {
                gate.held == 1 && clock.wakes(within: .seconds(2))
            }
            clock.advance(by: .seconds(2))
            let error = try await poolError(.acquireTimedOut) { _ = try await caller.value }
            #expect(error.timeout == .seconds(2))
            #expect(observer.failedAcquires == ["ConnectionPoolError, 2.0 seconds, a wait"])
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
        }
    }

    @Test(
        "A caller's timeout begins with its call, also if it waits for another connection after the validation",
        arguments: CoreKind.allCases
    )
    func deadlineAfterwards(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 2) { pool, strategy, clock, _ in
            let gate = Gate()
            let opening = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return false
            }
            strategy.onOpen { _ in await opening.pass() }
            let caller = Task { try await pool.withConnection(timeout: .seconds(2)) { $0.id } }
            try await eventually("the connection is being validated") {
                gate.held == 1 && clock.wakes(within: .seconds(2))
            }
            clock.advance(by: .milliseconds(1500))
            gate.open()
            try await eventually("another connection is opened, and the timeout is running") {
                opening.held == 1 && clock.wakes(within: .milliseconds(500))
            }
            clock.advance(by: .milliseconds(500))
            let error = try await poolError(.acquireTimedOut) { _ = try await caller.value }
            #expect(error.timeout == .seconds(2))
            opening.open()
        }
    }

    @Test(
        "A caller that does not wait gets the connection without a validation, and it is no longer stale",
        arguments: CoreKind.allCases,
        [true, false]
    )
    func withoutWaiting(kind: CoreKind, byTryAcquire: Bool) async throws {
        try await withStalePool(kind, maxSize: 1) { pool, strategy, _, _ in
            strategy.onValidate { _ in false }
            if byTryAcquire {
                try #require(pool.tryAcquire()).release()
            } else {
                try await pool.acquire(timeout: .immediate).release()
            }
            #expect(strategy.books.validated == [])
            let id = try await pool.withConnection { $0.id }
            #expect(id == 1)
            #expect(strategy.books.validated == [], "the connection has just been used")
        }
    }

    @Test(
        "A connection that is evicted or dies during its validation is not leased",
        arguments: CoreKind.allCases,
        [true, false]
    )
    func overtaken(kind: CoreKind, isEvicted: Bool) async throws {
        try await withStalePool(kind, maxSize: 2) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") { gate.held == 1 }
            if isEvicted { pool.evictAll(over: nil) } else { strategy.remote(1).hangUp() }
            gate.open()
            let id = try await caller.value
            #expect(id == 2)
            try await eventually("the connection is closed") { strategy.books.closedIDs == [1] }
        }
    }

    @Test("A waiter for a stale connection gets it after its validation", arguments: CoreKind.allCases)
    func waited(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 1) { pool, strategy, _, _ in
            pool.pause()
            let waiter = try await pool.startWaiting()
            pool.resume()
            let lease = try await waiter.value
            #expect(lease.id == 1)
            #expect(strategy.books.validated == [1])
            lease.release()
        }
    }

    @Test("After a shutdown no caller gets a connection whose validation ends", arguments: CoreKind.allCases)
    func shutDown(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 2) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") { gate.held == 1 }
            let shutdown = Task { await pool.shutdown() }
            try await eventually("shutdown has begun") { pool.statistics.maxSize == 0 }
            gate.open()
            _ = try await poolError(.poolShutDown) { _ = try await caller.value }
            _ = await shutdown.value
            #expect(strategy.books.closedIDs == [1])
        }
    }

    @Test("During a pause no caller gets a connection whose validation ends", arguments: CoreKind.allCases)
    func paused(kind: CoreKind) async throws {
        try await withStalePool(kind, maxSize: 2) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let executor = ObservedExecutor()
            let caller = Task(executorPreference: executor) { try await pool.withConnection { $0.id } }
            try await eventually("the connection is being validated") { gate.held == 1 }
            pool.pause()
            gate.open()
            // Suspended, too, because while it looks for a connection, others find none idle, and open one.
            try await eventually("the caller waits in the queue") {
                let statistics = pool.statistics
                return statistics.waiting == 1 && statistics.idle == 1 && executor.isSuspended
            }
            pool.resume()
            let id = try await caller.value
            #expect(id == 1)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test(
        "A validation that does not return frees its slot when its time limit and that of the close have passed",
        arguments: CoreKind.allCases
    )
    func hangs(kind: CoreKind) async throws {
        try await withStalePool(
            kind,
            maxSize: 1,
            mostEver: 2,
            configure: {
                $0.validationTimeout = .seconds(3)
                $0.closeTimeout = .seconds(5)
            }
        ) { pool, strategy, clock, _ in
            let gate = Gate()
            defer { gate.open() }
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let caller = Task { try await pool.withConnection { $0.id } }
            try await eventually("the validation is watched") { gate.held == 1 && clock.wakes(within: .seconds(3)) }
            clock.advance(by: .seconds(3))
            try await eventually("the close is watched") {
                pool.statistics.closing == 1 && clock.wakes(within: .seconds(5))
            }
            clock.advance(by: .seconds(5))
            let id = try await caller.value
            #expect(id == 2)
            gate.open()
            try await eventually("the connection is closed when the strategy has returned it") {
                strategy.books.closedIDs == [1] && strategy.books.closed == 1
            }
        }
    }
}

extension RecordingObserver {
    /// The failed acquires: the error, the time waited, and whether the caller waited.
    fileprivate var failedAcquires: [String] {
        all {
            guard case .acquireFailed(let error, let waited, let wait) = $0 else { return nil }
            return "\(type(of: error)), \(waited), \(wait == nil ? "no wait" : "a wait")"
        }
    }
}
