// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DeadlineTests {
    @Test(
        "A caller that waits longer than its timeout gets acquireTimedOut, and not earlier",
        arguments: CoreKind.allCases
    )
    func timesOut(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: .seconds(5))
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5) - .nanoseconds(1))
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            clock.advance(by: .nanoseconds(1))
            let error = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            #expect(error.timeout == .seconds(5))
            #expect(pool.statistics.waiting == 0)
            lease.release()
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test(
        "Without its own timeout, a caller has the configured one, which is 30 seconds by default",
        arguments: CoreKind.allCases
    )
    func defaults(kind: CoreKind) async throws {
        for (configured, seconds) in [(nil, 30), (Duration.seconds(7), 7)] as [(Duration?, Int)] {
            let clock = ManualClock()
            try await withPool(
                kind,
                maxSize: 1,
                configure: {
                    $0.clock = clock
                    if let configured { $0.acquireTimeout = configured }
                }
            ) { pool, _ in
                let lease = try await pool.acquire()
                let acquirer = Task { try await pool.acquire() }
                try await eventually("the caller waits") { pool.statistics.waiting == 1 }
                let user = Task { try await pool.withConnection { $0.use() } }
                try await eventually("both wait") { pool.statistics.waiting == 2 }
                try await clock.waitForSleepers(1)
                clock.advance(by: .seconds(seconds) - .milliseconds(1))
                await letOthersRun()
                #expect(pool.statistics.waiting == 2)
                clock.advance(by: .milliseconds(1))
                let error = try await poolError(.acquireTimedOut) { _ = try await acquirer.value }
                #expect(error.timeout == .seconds(seconds))
                _ = try await poolError(.acquireTimedOut) { try await user.value }
                lease.release()
            }
        }
    }

    @Test(
        "nil waits without a limit, and so does a timeout too long to represent",
        arguments: CoreKind.allCases,
        [.unlimited, .seconds(Int64.max), .seconds(10_000_000_000)] as [AcquireTimeout]
    )
    func waitsWithoutLimit(kind: CoreKind, timeout: AcquireTimeout) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting(timeout: timeout)
            clock.advance(by: .seconds(9_000_000_000))
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            lease.release()
            try await waiter.value.release()
        }
    }

    @Test("The configured timeout can be nil as well", arguments: CoreKind.allCases)
    func configuredWithoutLimit(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(
            kind,
            maxSize: 1,
            configure: {
                $0.clock = clock
                $0.acquireTimeout = nil
            }
        ) { pool, _ in
            let lease = try await pool.acquire()
            let waiter = Task { try await pool.acquire() }
            try await eventually("the caller waits") { pool.statistics.waiting == 1 }
            await letOthersRun()
            #expect(clock.sleepers == 0)
            lease.release()
            try await waiter.value.release()
        }
    }

    @Test(
        "With a timeout of zero or less, a caller gets an idle connection or fails immediately",
        arguments: CoreKind.allCases,
        [.zero, .nanoseconds(-1), .seconds(-5), .seconds(Int64.min)] as [Duration]
    )
    func doesNotWait(kind: CoreKind, timeout: Duration) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            try await pool.warmUp(1)
            let lease = try await pool.acquire(timeout: .after(timeout))
            let error = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: .after(timeout)) }
            #expect(error.timeout == .zero)
            #expect(error.statistics?.inUse == 1)
            lease.release()
            try await pool.withConnection(timeout: .after(timeout)) { $0.use() }
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("The shortest possible timeout is respected", arguments: CoreKind.allCases)
    func shortest(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            for timeout in [Duration.nanoseconds(1), Duration(secondsComponent: 0, attosecondsComponent: 1)] {
                let waiter = try await pool.startWaiting(timeout: .after(timeout))
                clock.advance(by: .nanoseconds(2))
                _ = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
            }
            lease.release()
        }
    }

    @Test("Deadlines pass in order of time, whatever the order of the callers", arguments: CoreKind.allCases)
    func outOfOrder(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            var waiters: [(seconds: Int, task: Task<TestLease<TestConnection>, any Error>)] = []
            for seconds in [5, 1, 4, 2, 8, 3, 7, 6] {
                waiters.append((seconds, try await pool.startWaiting(timeout: .seconds(seconds))))
            }
            for seconds in 1...8 {
                try await eventually("the timer is set for the next one") { clock.nextDeadline == .seconds(seconds) }
                clock.advance(by: .seconds(1))
                let index = try #require(waiters.firstIndex { $0.seconds == seconds })
                let error = try await poolError(.acquireTimedOut) { _ = try await waiters[index].task.value }
                #expect(error.timeout == .seconds(seconds))
                #expect(pool.statistics.waiting == 8 - seconds)
            }
            lease.release()
        }
    }

    @Test("The pool has a single timer, however many callers wait", arguments: CoreKind.allCases)
    func oneTimer(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for number in 0..<600 {
                // Earlier deadlines, later ones, and some at the same moment.
                waiters.append(try await pool.startWaiting(timeout: .seconds(1 + (number * 37) % 50)))
            }
            try await clock.waitForSleepers(1)
            for second in 1...50 {
                clock.advance(by: .seconds(1))
                try await eventually("the callers of second \(second) have left") {
                    pool.statistics.waiting == 600 - 12 * second
                }
            }
            for waiter in waiters { _ = try await poolError(.acquireTimedOut) { _ = try await waiter.value } }
            try await clock.waitForSleepers(0)
            lease.release()
        }
    }

    @Test(
        "When many deadlines pass at the same time, those callers leave, and the others stay",
        arguments: CoreKind.allCases
    )
    func manyAtOnce(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for number in 0..<700 {
                waiters.append(
                    try await pool.startWaiting(timeout: number.isMultiple(of: 7) ? .unlimited : .seconds(1))
                )
            }
            clock.advance(by: .seconds(2))
            try await eventually("600 callers have left") { pool.statistics.waiting == 100 }
            lease.release()
            for (number, waiter) in waiters.enumerated() {
                if number.isMultiple(of: 7) {
                    try await waiter.value.release()
                } else {
                    _ = try await poolError(.acquireTimedOut) { _ = try await waiter.value }
                }
            }
        }
    }

    @Test("The timer works again after a time without deadlines", arguments: CoreKind.allCases)
    func rearms(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(kind, maxSize: 1, configure: { $0.clock = clock }) { pool, _ in
            for _ in 0..<20 {
                let lease = try await pool.acquire()
                let leaver = try await pool.startWaiting(timeout: .seconds(1))
                leaver.cancel()
                _ = try? await leaver.value
                let served = try await pool.startWaiting(timeout: .seconds(3))
                lease.release()
                let second = try await served.value
                let expired = try await pool.startWaiting(timeout: .seconds(2))
                clock.advance(by: .seconds(2))
                _ = try await poolError(.acquireTimedOut) { _ = try await expired.value }
                second.release()
            }
        }
    }

    @Test(
        "Durations with more seconds than 64 bits can count mean no limit, or no wait if negative",
        arguments: CoreKind.allCases
    )
    func longest(kind: CoreKind) async throws {
        let ages: Duration = .seconds(Int64.max) * 10
        try await withTimedPool(kind, maxSize: 1, configure: { $0.idleTimeout = ages }) { pool, _, _, _ in
            let lease = try await pool.acquire(timeout: .after(ages))
            let waiter = try await pool.startWaiting(timeout: .after(ages))
            _ = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: .after(.zero - ages)) }
            lease.release()
            try await waiter.value.release()
            await pool.shutdown(drainFor: .zero - ages)
        }
    }

    @Test("With a real clock, a timeout takes about as long as it says")
    func realClock() async throws {
        try await withPool(.publicPool, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let start = ContinuousClock.now
            _ = try await poolError(.acquireTimedOut) { _ = try await pool.acquire(timeout: .milliseconds(20)) }
            #expect(ContinuousClock.now - start >= .milliseconds(20))
            lease.release()
        }
    }

    @Test("The timer sees a deadline that was set while it ran", arguments: CoreKind.cores)
    func setWhileAtWork(kind: CoreKind) async throws {
        for moment in [CoreMoment.beforeExpire, .afterExpire] {
            let clock = ManualClock()
            try await withPool(kind, maxSize: 1, hooked: true, configure: { $0.clock = clock }) { pool, strategy in
                let lease = try await pool.acquire()
                let first = try await pool.startWaiting(timeout: .seconds(1))
                let late = try await pool.startWaiting(timeout: .seconds(9))
                let added = Shared<Task<TestLease<TestConnection>, any Error>?>(nil)
                strategy.hooks.at(moment) { [weak pool] in
                    added.set(
                        Task(executorPreference: InlineExecutor()) {
                            guard let pool else { throw CancellationError() }
                            return try await pool.acquire(timeout: .seconds(2))
                        }
                    )
                }
                clock.advance(by: .seconds(1))
                _ = try await poolError(.acquireTimedOut) { _ = try await first.value }
                try await eventually("the timer is set for the caller that came in between") {
                    strategy.hooks.isEmpty && clock.nextDeadline == .seconds(3)
                }
                clock.advance(by: .seconds(2))
                _ = try await poolError(.acquireTimedOut) { _ = try await added.value?.value }
                try await eventually("the timer is set for the last caller") { clock.nextDeadline == .seconds(9) }
                clock.advance(by: .seconds(6))
                _ = try await poolError(.acquireTimedOut) { _ = try await late.value }
                lease.release()
            }
        }
    }

    @Test(
        "A caller's timeout begins with its call, even if the pool first finds that idle connections are closed",
        arguments: CoreKind.allCases
    )
    func runsFromTheCall(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2) { pool, strategy, clock, _ in
            try await pool.warmUp(2)
            let gate = Gate()
            defer { gate.open() }
            strategy.onOpen { _ in await gate.pass() }
            // The check of the first connection does not count, because the clock is not read before it.
            strategy.onCheck { _ in
                clock.advance(by: .seconds(4))
                return true
            }
            let caller = try await pool.startWaiting(timeout: .seconds(10))
            clock.advance(by: .milliseconds(5_999))
            await letOthersRun()
            #expect(pool.statistics.waiting == 1)
            clock.advance(by: .milliseconds(1))
            try await eventually("the timeout has passed") { pool.statistics.waiting == 0 }
            _ = try await poolError(.acquireTimedOut) { _ = try await caller.value }
        }
    }
}
