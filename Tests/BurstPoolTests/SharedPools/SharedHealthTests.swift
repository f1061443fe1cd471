// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

@testable import BurstPool

@Suite(.timeLimit(.minutes(5)))
struct SharedHealthTests {
    @Test("The health tells whether anything is known, and what")
    func statuses() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            #expect(pool.health.status == .unknown)
            strategy.change { $0.open = { attempt in if attempt == 1 { throw TestError("refused") } } }
            await #expect(throws: TestError.self) { _ = try await pool.hold() }
            #expect(pool.health.status == .failing)
            #expect("\(pool.health)".contains("refused"))
            try await pool.hold().release()
            #expect(pool.health.status == .healthy)
            await pool.shutdown()
            #expect(pool.health.status == .shutDown)
        }
    }

    @Test("A saturated pool is healthy as long as leases end, and unresponsive when none does")
    func saturation() async throws {
        try await withSharedPool(limit: 2, maxSize: 1, configure: { $0.validationTimeout = .seconds(5) }) {
            pool,
            _,
            clock,
            _ in
            var leases = try await pool.hold(2)
            var waiters = [try await pool.startWaiting()]
            for _ in 0..<3 {
                clock.advance(by: .seconds(4))
                waiters.append(try await pool.startWaiting())
                leases.removeFirst().release()
                leases.append(try await waiters.removeFirst().value)
                let health = pool.health
                #expect(health.status == .healthy)
                #expect(health.isSaturated)
                #expect(health.sinceLastSuccess == .zero)
                #expect(health.statistics.waiting == 1)
                #expect(health.oldestWait == .zero)
            }
            clock.advance(by: .seconds(6))
            #expect(pool.health.status == .unresponsive)
            #expect(pool.health.oldestWait == .seconds(6))
            pool.pause()
            #expect(pool.health.status == .healthy, "while the pool is paused, waits say nothing about the server")
            #expect(pool.health.isPaused)
            pool.resume()
            leases.release()
            try await waiters[0].value.release()
        }
    }

    @Test("A lease that ends is a success, unless its body threw", arguments: [true, false])
    func releases(throwsError: Bool) async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, _, clock, _ in
            try await pool.hold().release()
            #expect(pool.health.sinceLastSuccess == .zero)
            clock.advance(by: .seconds(1))
            #expect(pool.health.sinceLastSuccess == .seconds(1))
            try? await pool.withConnection { _ in if throwsError { throw TestError("fault") } }
            #expect(pool.health.sinceLastSuccess == (throwsError ? .seconds(1) : .zero))
            clock.advance(by: .seconds(1))
            // Nothing has happened since the health was read.
            #expect(pool.health.sinceLastSuccess == (throwsError ? .seconds(2) : .seconds(1)))
            // A lease that has begun and not ended is no success.
            let lease = try await pool.hold()
            #expect(pool.health.sinceLastSuccess == (throwsError ? .seconds(2) : .seconds(1)))
            lease.release()
            #expect(pool.health.sinceLastSuccess == .zero)
        }
    }

    @Test("A sweep through idle leases is no success")
    func sweeps() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, clock, _ in
            try await pool.hold(4).release()
            #expect(pool.health.sinceLastSuccess == .zero)
            clock.advance(by: .seconds(1))
            // A sweep looks at all idle leases to find one that must be given up.
            strategy.connection(1).setLimit(1)
            #expect(pool.statistics.leasesIdle == 3)
            #expect(pool.health.sinceLastSuccess == .seconds(1))
        }
    }

    @Test("A health check validates a connection that callers use, and opens none beside it")
    func check() async throws {
        try await withSharedPool(limit: 2, maxSize: 4) { pool, strategy, clock, _ in
            let lease = try await pool.hold()
            clock.advance(by: .seconds(1))
            let health = await pool.checkHealth()
            #expect(health.isHealthy)
            #expect(health.sinceLastSuccess == .zero)
            #expect(strategy.books.validated == [1])
            #expect(strategy.books.opened == 1)
            #expect(pool.statistics.leasesInUse == 1)
            lease.release()
        }
    }

    @Test("A connection that fails a health check gets no more leases, and is closed when they have ended")
    func failedCheck() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, observer in
            let lease = try await pool.hold()
            strategy.change { $0.validate = { _ in false } }
            let check = Task { await pool.checkHealth() }
            try await eventually("the connection has no idle lease") {
                strategy.books.validated == [1] && pool.statistics.leasesIdle == 0
            }
            #expect(pool.tryHold() == nil)
            #expect(strategy.books.closed.isEmpty)
            check.cancel()
            _ = await check.value
            lease.release()
            try await eventually("it is closed") { strategy.books.closed == [1] }
            #expect(observer.closeReasons == [.validationFailed])
        }
    }

    @Test("A server whose answers are invalid is failing")
    func invalidAnswers() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, observer in
            try await pool.hold().release()
            strategy.change { $0.validate = { _ in false } }
            let health = await pool.checkHealth()
            #expect(health.status == .failing)
            #expect((health.lastFailure as? ConnectionPoolError)?.code == .validationFailed)
            // The check has opened another connection in place of the first.
            try await eventually("both are closed") { strategy.books.closed == [1, 2] }
            #expect(observer.closeReasons == [.validationFailed, .validationFailed])
        }
    }

    @Test("A validation that does not end is aborted after its time limit, and its lease ends")
    func hangingCheck() async throws {
        try await withSharedPool(limit: 2, maxSize: 1, configure: { $0.validationTimeout = .seconds(2) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.hold().release()
            let gate = Gate()
            let isAborted = Shared(false)
            strategy.change {
                $0.abort = { _ in isAborted.set(true) }
                $0.validate = { _ in
                    await gate.pass()
                    return true
                }
            }
            let check = Task { await pool.checkHealth(timeout: .seconds(1)) }
            try await eventually("the validation hangs") { gate.held == 1 }
            try await clock.waitForSleepers(2)
            clock.advance(by: .seconds(1))
            #expect(await check.value.status == .unresponsive)
            #expect(pool.statistics.leasesInUse == 1)
            clock.advance(by: .seconds(1))
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(isAborted.value)
            #expect(pool.statistics.leasesInUse == 0)
            gate.open()
        }
    }

    @Test("It waits until the server is back")
    func waits() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, clock, _ in
            strategy.change { $0.open = { attempt in if attempt < 3 { throw TestError("refused") } } }
            try await clock.advancing { try await pool.waitUntilHealthy(timeout: nil) }
            #expect(strategy.books.attempts == 3)
        }
    }

    @Test("The snapshot prints the health, the leases and the waiters")
    func snapshot() async throws {
        try await withSharedPool(
            limit: 1,
            maxSize: 1,
            configure: {
                $0.tracksLeases = true
                $0.name = "answers"
            }
        ) { pool, _, _, _ in
            let lease = try await pool.hold()
            let waiter = try await pool.startWaiting()
            let text = "\(pool)"
            #expect(text.hasPrefix("Pool \"answers\": healthy."))
            #expect(text.contains("\n  in use: ") && text.contains("\n  waits: "))
            lease.release()
            try await waiter.value.release()
        }
    }
}
