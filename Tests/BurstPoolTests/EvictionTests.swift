import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct EvictionTests {
    @Test(
        "At once: idle ones are closed now, those in use when they come back, and none is handed out again",
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
            try await eventually("all are told of") { observer.closeReasons.count == 4 }
            #expect(Set(observer.closeReasons) == [.evicted])
            let id = try await pool.withConnection { $0.id }
            #expect(id == 5)
            try await pool.withConnection { $0.use() }
            #expect(pool.statistics.idle == 1, "what was opened afterwards stays")
        }
    }

    @Test(
        "What is being opened then is closed, and its caller gets one that was opened later",
        arguments: CoreKind.allCases
    )
    func opening(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, _, observer in
            let gate = Gate()
            strategy.onOpen { attempt in if attempt == 1 { await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await eventually("it is being opened") { gate.held == 1 }
            pool.evictAll(over: nil)
            gate.open()
            let lease = try await waiter.value
            #expect(lease.id == 2)
            try await eventually("it is told of") { observer.closeReasons == [.evicted] }
            lease.release()
        }
    }

    @Test(
        "One that is returned at that very moment is closed, though nobody asks for it any more",
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
            try await eventually("it is closed") {
                clock.advance(by: .milliseconds(1))
                return observer.closeReasons == [.evicted]
            }
            try await eventually("nobody looks any more") {
                clock.advance(by: .seconds(1))
                return clock.sleepers == 0
            }
        }
    }

    @Test("Who waits for one in use gets another", arguments: CoreKind.allCases)
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

    @Test("Over a period: evenly, and all by its end", arguments: CoreKind.allCases, [4, 100])
    func overPeriod(kind: CoreKind, count: Int) async throws {
        try await withTimedPool(kind, maxSize: count) { pool, strategy, clock, observer in
            let chronicle = Chronicle(strategy, clock)
            try await pool.warmUp(count)
            // Such that neither the number of connections nor of looks divides it.
            let period = Duration.nanoseconds(100_000_000_007)
            pool.evictAll(over: period)
            for quarter in 1...4 {
                for _ in 0..<25 {
                    try await pool.finishMaintenance(on: clock)
                    clock.advance(by: period / 100)
                    try await pool.finishMaintenance(on: clock)
                    try await eventually("nothing is being closed") { pool.statistics.closing == 0 }
                }
                if quarter == 4 { clock.advance(by: .nanoseconds(100)) }
                try await eventually("\(quarter) quarters are closed") {
                    chronicle.closed.count >= count * quarter / 4 - (quarter == 4 ? 0 : 1 + count / 25)
                }
                #expect(chronicle.closed.count <= count * quarter / 4)
            }
            try await eventually("all are told of") { observer.closeReasons.count == count }
            #expect(Set(observer.closeReasons) == [.evicted])
        }
    }

    @Test("Over a period, one in use is closed when it comes back after its moment", arguments: CoreKind.allCases)
    func overPeriodInUse(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, strategy, clock, observer in
            let lease = try await pool.acquire()
            pool.evictAll(over: .seconds(10))
            try await pool.finishMaintenance(on: clock)
            clock.advance(by: .seconds(11))
            try await pool.finishMaintenance(on: clock)
            lease.release()
            try await eventually("it is closed") { observer.closeReasons == [.evicted] }
        }
    }

    @Test(
        "Over a period, one that is being opened goes too, also where connections have a lifetime",
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
            try await eventually("it is being opened") { gate.held == 1 }
            pool.evictAll(over: .seconds(10))
            gate.open()
            try await waiter.value.release()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(11))
            try await eventually("it is closed") { observer.closeReasons == [.evicted] }
        }
    }

    @Test(
        "A period of any length does no harm",
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
                    try await eventually("time passes") {
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

    @Test("As many as shall be idle are opened anew", arguments: CoreKind.allCases)
    func refilled(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 3, configure: { $0.minimumIdle = 2 }) { pool, strategy, clock, _ in
            try await eventually("two are idle") { pool.statistics.idle == 2 }
            pool.evictAll(over: nil)
            // One may not have been quite idle yet, and is looked for again.
            try await eventually("two others are idle") {
                clock.advance(by: .milliseconds(1))
                return strategy.books.closed == 2 && pool.statistics.idle == 2
            }
            #expect(strategy.books.opened == 4)
        }
    }

    @Test(
        "A caller that comes after it is not served with one that was looked at before it",
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
            #expect(observer.count("waitBegan") == 3, "that it has waited twice is nobody's business")
            #expect(observer.count("acquireFailed") == 1)
        }
    }

    @Test("A caller whose turn comes during it keeps its place", arguments: CoreKind.cores)
    func atItsTurn(kind: CoreKind) async throws {
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

    @Test("Under load no caller gets a connection that was open before", arguments: CoreKind.allCases)
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
