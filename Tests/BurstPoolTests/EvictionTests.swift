// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct EvictionTests {
    @Test(
        "Without a period, idle connections are closed now, those in use on release, and none is leased again",
        arguments: CoreKind.allCases
    )
    func atOnce(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 6) { pool, strategy, _, observer in
            try await pool.warmUp(4)
            let leases = try await pool.lease(2)
            pool.evictAll(over: nil)
            #expect(pool.tryAcquire() == nil)
            try await eventually("the idle ones are closed") { strategy.books.closed == 2 }
            leases.release()
            try await eventually("all are closed") { pool.statistics.total == 0 }
            try await eventually("the observer has all events") { observer.closeReasons.count == 4 }
            #expect(Set(observer.closeReasons) == [.evicted])
            let id = try await pool.withConnection { $0.id }
            #expect(id == 5)
            try await pool.withConnection { $0.use() }
            #expect(pool.statistics.idle == 1, "the connection that was opened afterwards stays")
        }
    }

    @Test(
        "A connection that is being opened during the eviction is closed, and its caller gets a later one",
        arguments: CoreKind.allCases
    )
    func opening(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await eventually("the connection is being opened") { gate.held == 1 }
            pool.evictAll(over: nil)
            gate.open()
            let lease = try await waiter.value
            #expect(lease.id == 2)
            try await eventually("the observer has the event") { observer.closeReasons == [.evicted] }
            lease.release()
        }
    }

    @Test(
        "A connection that is released at that very moment is closed, though no caller asks for it",
        arguments: CoreKind.allCases.filter { $0 != .publicPool },
        [nil, Duration.milliseconds(1)]
    )
    func returnedMeanwhile(kind: CoreKind, period: Duration?) async throws {
        try await withTimedPool(kind, maxSize: 2, hooked: true) { pool, strategy, clock, observer in
            let lease = try await pool.acquire()
            strategy.hooks.at(.beforeRelease) { [weak pool] in
                pool?.evictAll(over: period)
                clock.advance(by: period ?? .zero)
            }
            lease.release()
            try await eventually("the connection is closed") {
                clock.advance(by: .milliseconds(1))
                return observer.closeReasons == [.evicted]
            }
            try await eventually("no task looks for it any more") {
                clock.advance(by: .seconds(1))
                return clock.sleepers == 0
            }
        }
    }

    @Test("A waiter for a connection that is evicted gets another one", arguments: CoreKind.allCases)
    func waiting(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, _, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            pool.evictAll(over: nil)
            lease.release()
            let other = try await waiter.value
            #expect(other.id == 2)
            other.release()
        }
    }

    @Test("Over a period, connections are closed evenly, and all by the end", arguments: CoreKind.allCases, [4, 100])
    func overPeriod(kind: CoreKind, count: Int) async throws {
        try await withTimedPool(kind, maxSize: count) { pool, strategy, clock, observer in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(count)
            // A prime number, so that neither the number of connections nor that of looks divides it.
            let period = Duration.nanoseconds(100_000_000_007)
            pool.evictAll(over: period)
            for quarter in 1...4 {
                for _ in 0..<25 {
                    try await pool.finishMaintenance(on: clock)
                    clock.advance(by: period / 100)
                    try await pool.finishMaintenance(on: clock)
                    try await eventually("no connection is closing") { pool.statistics.closing == 0 }
                }
                if quarter == 4 { clock.advance(by: .nanoseconds(100)) }
                try await eventually("\(quarter) quarters are closed") {
                    chronicle.closed.count >= count * quarter / 4 - (quarter == 4 ? 0 : 1 + count / 25)
                }
                #expect(chronicle.closed.count <= count * quarter / 4)
            }
            try await eventually("the observer has all events") { observer.closeReasons.count == count }
            #expect(Set(observer.closeReasons) == [.evicted])
        }
    }

    @Test("Over a period, a connection in use is closed on release after its moment", arguments: CoreKind.allCases)
    func overPeriodInUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, observer in
            let lease = try await pool.acquire()
            pool.evictAll(over: .seconds(10))
            try await pool.finishMaintenance(on: clock)
            clock.advance(by: .seconds(11))
            try await pool.finishMaintenance(on: clock)
            lease.release()
            try await eventually("the connection is closed") { observer.closeReasons == [.evicted] }
        }
    }

    @Test(
        "Over a period, a connection that is being opened is evicted too, with and without maxLifetime",
        arguments: CoreKind.allCases
    )
    func overPeriodOpening(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.maxLifetime = .seconds(128_000) }) {
            pool,
            strategy,
            clock,
            observer in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await eventually("the connection is being opened") { gate.held == 1 }
            pool.evictAll(over: .seconds(10))
            gate.open()
            try await waiter.value.release()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(11))
            try await eventually("the connection is closed") { observer.closeReasons == [.evicted] }
        }
    }

    @Test(
        "A period may have any length",
        arguments: CoreKind.allCases,
        [Duration.nanoseconds(1), .seconds(Int64.max), .zero, .seconds(-1)]
    )
    func extremes(kind: CoreKind, period: Duration) async throws {
        try await withTimedPool(kind, maxSize: 4) { pool, strategy, clock, _ in
            pool.evictAll(over: period)
            try await pool.warmUp(3)
            pool.evictAll(over: period)
            if period < .seconds(1) {
                if period > .zero {
                    try await eventually("the clock has passed the period") {
                        clock.advance(by: .nanoseconds(1))
                        return pool.statistics.total == 0
                    }
                }
                try await eventually("all are closed") { pool.statistics.total == 0 }
            } else {
                clock.advance(by: .seconds(1_000_000))
                await letOthersRun()
                #expect(pool.statistics.idle == 3)
            }
        }
    }

    @Test("Evicted connections are replaced up to minimumIdle", arguments: CoreKind.allCases)
    func refilled(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 3, configure: { $0.minimumIdle = 2 }) { pool, strategy, clock, _ in
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            pool.evictAll(over: nil)
            // A connection may not have been idle yet. The pool looks for it again.
            try await eventually("two others are idle") {
                clock.advance(by: .milliseconds(1))
                return strategy.books.closed == 2 && pool.statistics.idle == 2
            }
            #expect(strategy.books.opened == 4)
        }
    }

    @Test(
        "A caller that comes after an eviction does not get a connection that was checked before it",
        arguments: CoreKind.cores
    )
    func overtaken(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, hooked: true) { pool, strategy, _, observer in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            let second = Shared<Task<Int, any Error>?>(nil)
            strategy.hooks.at(.beforeHandOff) {
                first.cancel()
                pool.evictAll(over: nil)
                second.set(
                    Task(executorPreference: InlineExecutor()) {
                        try await pool.withConnection(timeout: .unlimited) { $0.id }
                    }
                )
            }
            lease.release()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(try await second.value?.value == 2)
            try await eventually("the first connection is closed") { strategy.books.closedIDs == [1] }
            #expect(strategy.books.opened == 2)
            #expect(pool.statistics.waiting == 0)
            #expect(observer.count("waitBegan") == 3, "its second wait is not reported")
            #expect(observer.count("acquireFailed") == 1)
        }
    }

    @Test("A caller that is served during an eviction keeps its position in the queue", arguments: CoreKind.cores)
    func whileServed(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, hooked: true) { pool, strategy, _, _ in
            let lease = try await pool.acquire()
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            strategy.hooks.at(.beforeHandOff) { pool.evictAll(over: nil) }
            let served = Shared<[Int]>([])
            let ends = [first, second].map { waiter in
                Task {
                    let lease = try await waiter.value
                    served.change { $0.append(lease.id) }
                    lease.release()
                    return lease.id
                }
            }
            lease.release()
            #expect(try await ends[0].value == 1)
            #expect(try await ends[1].value == 2)
            #expect(served.value == [1, 2])
        }
    }

    @Test("Under load, no caller gets a connection from before the eviction", arguments: CoreKind.allCases)
    func underLoad(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        for _ in 0..<200 { try await pool.withConnection { $0.use() } }
                    }
                }
                group.addTask {
                    for _ in 0..<20 {
                        await letOthersRun()
                        let last = strategy.books.opened
                        pool.evictAll(over: nil)
                        let id = try await pool.withConnection { $0.id }
                        #expect(id > last)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
