// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct HealthCheckTests {
    @Test("A check validates an idle connection", arguments: CoreKind.allCases)
    func idle(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            try await pool.warmUp(1)
            let health = await pool.checkHealth(timeout: .seconds(1))
            #expect(health.isHealthy)
            #expect(strategy.books.validated == [1])
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("A check of an empty pool opens a connection and validates it", arguments: CoreKind.allCases)
    func empty(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            #expect(await pool.checkHealth(timeout: .seconds(1)).isHealthy)
            #expect(strategy.books.opened == 1)
            #expect(strategy.books.validated == [1])
        }
    }

    @Test(
        "An attempt to connect without an answer makes the pool unresponsive, also if an earlier check began it",
        arguments: CoreKind.allCases
    )
    func frozenAttempt(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            try await pool.acquire().discard()
            try await eventually("it is closed") { pool.statistics.total == 0 }
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            // The attempt of the first check is still under way in the second.
            for _ in 0..<2 {
                let found = Shared<ConnectionPoolHealth?>(nil)
                let check = Task { found.set(await pool.checkHealth(timeout: .milliseconds(500))) }
                try await eventually("it has ended") {
                    if found.value == nil, gate.held == 1 { clock.advance(by: .milliseconds(10)) }
                    return found.value != nil
                }
                await check.value
                #expect(found.value?.status == .unresponsive)
            }
            gate.open()
            try await eventually("it has opened") { pool.statistics.idle == 1 }
            #expect(await pool.checkHealth(timeout: .seconds(1)).isHealthy)
        }
    }

    @Test("A dead idle connection is replaced, and the new one decides", arguments: CoreKind.allCases)
    func deadConnection(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            try await pool.warmUp(1)
            strategy.onValidate { $0.id > 1 }
            #expect(await pool.checkHealth(timeout: .seconds(1)).isHealthy)
            #expect(strategy.books.opened == 2)
        }
    }

    @Test("A server whose new connections do not pass their validation is failing", arguments: CoreKind.allCases)
    func invalid(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, _ in
            strategy.onValidate { _ in false }
            let health = await pool.checkHealth(timeout: .seconds(1))
            #expect(health.status == .failing)
            #expect((health.lastFailure as? ConnectionPoolError)?.code == .validationFailed)
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("The failure of a check has its own age, and not that of an earlier failure", arguments: CoreKind.allCases)
    func age(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            strategy.onOpen { attempt in if attempt == 1 { throw TestError("refused") } }
            await #expect(throws: TestError.self) { try await pool.withConnection { $0.use() } }
            clock.advance(by: .milliseconds(40_123))
            #expect(pool.health.sinceLastFailure == .milliseconds(40_123))
            #expect("\(pool.health)".contains("The latest failure was 40.12 s ago: TestError"))
            strategy.onValidate { _ in false }
            let health = await pool.checkHealth(timeout: .seconds(1))
            #expect((health.lastFailure as? ConnectionPoolError)?.code == .validationFailed)
            #expect(health.sinceLastFailure == .zero)
            #expect("\(health)".contains("The latest failure was 0 ms ago: validationFailed"))
            #expect(!"\(health)".contains(".."))
        }
    }

    @Test(
        "A validation without an answer makes the pool unresponsive when the time is up",
        arguments: CoreKind.allCases
    )
    func frozen(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            try await pool.warmUp(1)
            let gate = Gate()
            strategy.onValidate { _ in
                await gate.pass()
                return true
            }
            let check = Task { await pool.checkHealth(timeout: .seconds(2)) }
            try await eventually("it validates") { gate.held == 1 }
            try await eventually("it sleeps") { clock.wakes(within: .seconds(2)) }
            clock.advance(by: .seconds(2))
            let health = await check.value
            #expect(health.status == .unresponsive)
            #expect((health.lastFailure as? ConnectionPoolError)?.code == .validationFailed)
            gate.open()
            try await eventually("it is idle") { pool.statistics.idle == 1 }
        }
    }

    @Test("A check of a saturated pool waits for a return, and never joins the queue", arguments: CoreKind.allCases)
    func saturated(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            let check = Task { await pool.checkHealth(timeout: .seconds(1000)) }
            try await eventually("it looks again") { clock.wakes(within: .milliseconds(32)) }
            #expect(pool.statistics.waiting == 1)
            lease.release()
            let next = try await waiter.value
            let isOver = Shared(false)
            let watch = Task {
                defer { isOver.set(true) }
                return await check.value
            }
            try await eventually("it has seen the return") {
                clock.advance(by: .milliseconds(32))
                return isOver.value
            }
            #expect(await watch.value.isHealthy)
            #expect(strategy.books.validated == [])
            next.release()
        }
    }

    @Test("A check of a saturated pool in which nothing comes back finds it unresponsive", arguments: CoreKind.allCases)
    func stuck(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            let health = try await clock.advancing { await pool.checkHealth(timeout: .seconds(1)) }
            #expect(health.status == .unresponsive)
            #expect(clock.now.sinceStart >= .seconds(1))
            lease.release()
            try await waiter.value.release()
        }
    }

    @Test(
        "A check does not wait for the pause after a failure, and so ends it for all callers",
        arguments: CoreKind.allCases
    )
    func backoff(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: { $0.connectRetry = ConnectionBackoff(base: .seconds(1000), cap: .seconds(1000)) }
        ) { pool, strategy, _, _ in
            let isUp = Shared(false)
            strategy.onOpen { _ in if !isUp.value { throw TestError("refused") } }
            let waiter = try await pool.startWaiting()
            try await eventually("it has failed") { strategy.books.failures == 1 }
            #expect(await pool.checkHealth(timeout: .seconds(1)).status == .failing)
            #expect(strategy.books.failures == 2)
            isUp.set(true)
            #expect(await pool.checkHealth(timeout: .seconds(1)).isHealthy)
            try await waiter.value.release()
        }
    }

    @Test(
        "A check respects the pause after a permanent error, and an open circuit breaker",
        arguments: CoreKind.allCases
    )
    func respectsRefusals(kind: CoreKind) async throws {
        for isPermanent in [true, false] {
            try await withTimedPool(
                kind,
                maxSize: 1,
                configure: {
                    $0.connectRetry = ConnectionBackoff(base: .seconds(1000), cap: .seconds(1000))
                    if !isPermanent {
                        $0.circuitBreaker = ConnectionCircuitBreaker(failureThreshold: 1, openFor: .seconds(1000))
                    }
                }
            ) { pool, strategy, clock, _ in
                strategy.onOpen { _ in throw TestError("refused") }
                strategy.callPermanent { _ in isPermanent }
                await #expect(throws: (any Error).self) { _ = try await pool.acquire() }
                #expect(strategy.books.attempts == 1)
                let health = try await clock.advancing { await pool.checkHealth(timeout: .seconds(1)) }
                #expect(health.status == .failing)
                #expect(strategy.books.attempts == 1)
            }
        }
    }

    @Test("A check of a pool that is paused or shut down does nothing", arguments: CoreKind.allCases)
    func pausedAndShutDown(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, _ in
            pool.pause()
            let check = Task { await pool.checkHealth(timeout: .milliseconds(1)) }
            try await eventually("it sleeps") { clock.wakes(within: .milliseconds(1)) }
            clock.advance(by: .milliseconds(1))
            #expect(await check.value.status == .unknown)
            #expect(strategy.books.attempts == 0)
            await pool.shutdown()
            #expect(await pool.checkHealth(timeout: .seconds(1)).status == .shutDown)
        }
    }

    @Test("Cancelling the task ends a check", arguments: CoreKind.allCases)
    func cancelled(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let check = Task { await pool.checkHealth(timeout: .seconds(1000)) }
            try await eventually("it looks again") { clock.sleepers > 0 }
            check.cancel()
            #expect(await check.value.isHealthy)
            lease.release()
        }
    }

    // MARK: Errors that tell busy from broken

    @Test(
        "A caller that times out while others are served is told that the pool was busy",
        arguments: CoreKind.allCases
    )
    func busy(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let first = try await pool.acquire()
            let second = try await pool.startWaiting()
            let late = try await pool.startWaiting(timeout: .seconds(10))
            clock.advance(by: .seconds(5))
            first.release()
            let lease = try await second.value
            clock.advance(by: .seconds(5))
            let error = try await poolError(.acquireTimedOut) { _ = try await late.value }
            #expect(error.shortage == .busy)
            #expect(error.message.contains("raise maxSize"))
            lease.release()
        }
    }

    @Test("A caller that times out while nothing comes back is not told to raise maxSize", arguments: CoreKind.allCases)
    func nothingComesBack(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: .seconds(10))
            clock.advance(by: .seconds(10))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.shortage == .serverUnresponsive)
            #expect(!error.message.contains("maxSize or"))
            #expect(error.message.contains("Check that the server answers"))
            lease.release()
        }
    }

    @Test("A use that fails is no sign that the server answers", arguments: CoreKind.allCases)
    func onlyFailedUses(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let gate = Gate()
            let failing = Task {
                try await pool.withConnection { _ in
                    await gate.pass()
                    throw TestError("reset by the server")
                }
            }
            try await eventually("the first caller holds the connection") { gate.held == 1 }
            let second = try await pool.startWaiting()
            let late = try await pool.startWaiting(timeout: .seconds(10))
            clock.advance(by: .seconds(5))
            gate.open()
            let lease = try await second.value
            await #expect(throws: TestError.self) { try await failing.value }
            clock.advance(by: .seconds(5))
            let error = try await poolError(.acquireTimedOut) { _ = try await late.value }
            #expect(error.shortage == .serverUnresponsive)
            lease.release()
        }
    }

    @Test("A caller that times out while connections do not open is told so", arguments: CoreKind.allCases)
    func unreachable(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: { $0.connectRetry = ConnectionBackoff(base: .seconds(1), cap: .seconds(1)) }
        ) { pool, strategy, clock, _ in
            strategy.onOpen { _ in throw TestError("refused") }
            let waiter = try await pool.startWaiting(timeout: .seconds(10))
            try await eventually("it has failed") { strategy.books.failures > 0 }
            clock.advance(by: .seconds(10))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.shortage == .serverUnreachable)
            #expect(error.message.contains("Check that the server is running"))
            #expect(!error.message.contains("raise maxSize"))
        }
    }

    @Test(
        "A full queue is busy while callers are served, and not when nothing comes back",
        arguments: CoreKind.allCases
    )
    func fullQueue(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.maxWaiters = 1 }) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            let busy = try await poolError(.tooManyWaiters) { _ = try await pool.acquire() }
            #expect(busy.shortage == .busy)
            clock.advance(by: .seconds(6))
            let stuck = try await poolError(.tooManyWaiters) { _ = try await pool.acquire() }
            #expect(stuck.shortage == .serverUnresponsive)
            lease.release()
            try await waiter.value.release()
        }
    }
}
