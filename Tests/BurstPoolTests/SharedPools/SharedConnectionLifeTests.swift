// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SharedConnectionLifeTests {
    // MARK: Limits

    @Test("A limit that is raised and reported serves waiters at once")
    func raisedLimit() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            strategy.connection(1).setLimit(3)
            let served = [try await first.value, try await second.value]
            #expect(strategy.connection(1).usersNow == 3)
            served.release()
            lease.release()
        }
    }

    @Test("A limit that is raised and not reported is noticed by the next caller that would wait")
    func unreportedRaise() async throws {
        try await withSharedPool(limit: 1, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            strategy.connection(1).setLimit(2, isReported: false)
            try await pool.hold().release()
            lease.release()
        }
    }

    @Test("When a limit is lowered, leases continue, and no new one begins above the limit", arguments: [true, false])
    func loweredLimit(isReported: Bool) async throws {
        try await withSharedPool(limit: 4, maxSize: 1) { pool, strategy, _, _ in
            let leases = try await pool.hold(3)
            strategy.connection(1).setLimit(2, isReported: isReported)
            let waiter = try await pool.startWaiting()
            leases[0].release()
            await letOthersRun()
            #expect(pool.statistics.waiting == 1, "two leases are as many as there may be")
            leases[1].release()
            let served = try await waiter.value
            #expect(strategy.connection(1).usersNow == 2)
            #expect(pool.tryHold() == nil)
            served.release()
            leases[2].release()
            let both = try await pool.hold(2)
            #expect(pool.tryHold() == nil)
            both.release()
        }
    }

    @Test(
        "A limit of 0 lets leases finish, then closes the connection, and callers get another one",
        arguments: [true, false]
    )
    func goAway(isReported: Bool) async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, observer in
            let lease = try await pool.hold()
            strategy.connection(1).setLimit(0, isReported: isReported)
            let next = try await pool.hold()
            #expect(next.connection.id == 2)
            await letOthersRun()
            #expect(strategy.books.closed.isEmpty)
            lease.release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(observer.closeReasons == [.foundClosed])
            next.release()
        }
    }

    @Test("A limit of 0 closes an idle connection at once")
    func goAwayWhenIdle() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, _ in
            try await pool.prewarm(2)
            try await pool.hold().release()
            for number in 1...2 { strategy.connection(number).setLimit(0) }
            try await eventually("both connections are closed") { strategy.books.closed.count == 2 }
        }
    }

    @Test("A connection whose limit was 0 once is closed, even if the limit rises again")
    func goAwayIsForGood() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            strategy.connection(1).setLimit(0)
            strategy.connection(1).setLimit(2)
            lease.release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
        }
    }

    @Test("A connection that opens with a limit of 0 is closed, and its caller gets noLeases")
    func noLeases() async throws {
        try await withSharedPool(limit: 0, maxSize: 1) { pool, strategy, _, _ in
            _ = try await poolError(.noLeases) { _ = try await pool.hold() }
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
        }
    }

    @Test("A connection has at most 1,024 leases, whatever its limit is")
    func enormousLimit() async throws {
        try await withSharedPool(limit: .max, maxSize: 1) { pool, _, _, _ in
            let lease = try await pool.hold()
            try await eventually("all leases are made") { pool.statistics.leasesIdle >= 1_023 }
            await letOthersRun()
            #expect(pool.statistics.leasesIdle == 1_023)
            lease.release()
        }
    }

    // MARK: Burst and shrink

    @Test("A connection above maxSize drains as soon as the leases in use fit into the others, and is closed")
    func shrink() async throws {
        try await withSharedPool(limit: 2, maxSize: 1, burstLimit: 2) { pool, strategy, _, observer in
            let leases = try await pool.hold(4)
            #expect(pool.statistics.isBursting)
            leases[0].release()
            await letOthersRun()
            #expect(pool.statistics.leasesIdle == 1, "three leases do not fit into one connection")
            leases[2].release()
            #expect(pool.statistics.leasesIdle == 1, "the idle lease of one connection was given up")
            leases[1].release()
            leases[3].release()
            try await eventually("one connection is closed") { strategy.books.closed.count == 1 }
            try await pool.settle()
            #expect(pool.statistics.total == 1 && pool.statistics.leasesIdle == 2)
            #expect(observer.closeReasons == [.excess])
            #expect(observer.kinds.contains("burstBegan") && observer.kinds.contains("burstEnded"))
        }
    }

    @Test("A caller that would wait gets a lease of a connection that is draining")
    func revival() async throws {
        try await withSharedPool(limit: 2, maxSize: 1, burstLimit: 2) { pool, strategy, _, _ in
            let leases = try await pool.hold(4)
            leases[0].release()
            leases[2].release()
            #expect(pool.statistics.leasesIdle == 1)
            let more = try await pool.hold(2)
            #expect(strategy.books.opened == 2)
            leases[1].release()
            leases[3].release()
            more.release()
            try await eventually("one connection is closed") { strategy.books.closed.count == 1 }
        }
    }

    @Test("A connection that opened for a caller that was served otherwise is closed if it is above maxSize")
    func overtakenConnect() async throws {
        try await withSharedPool(limit: 1, maxSize: 1, burstLimit: 2) { pool, strategy, _, _ in
            let lease = try await pool.hold()
            let gate = Gate()
            strategy.change { $0.open = { _ in await gate.pass() } }
            let waiter = try await pool.startWaiting()
            try await eventually("the attempt has begun") { gate.held == 1 }
            lease.release()
            let served = try await waiter.value
            #expect(served.connection.id == 1)
            gate.open()
            try await eventually("the connection above maxSize is closed") { strategy.books.closed.count == 1 }
            served.release()
            try await pool.settle()
            #expect(pool.statistics.total == 1)
        }
    }

    @Test("The error of a close reaches the caller whose release led to it")
    func closeError() async throws {
        try await withSharedPool(limit: 1, maxSize: 1, burstLimit: 2) { pool, strategy, _, observer in
            strategy.change { $0.close = { _ in throw TestError("close") } }
            let outer = try await pool.hold()
            do {
                await #expect(throws: TestError("close")) {
                    let id = try await pool.withConnection { connection in connection.id }
                    #expect(id == 2)
                }
                await #expect(throws: TestError("body")) {
                    try await pool.withConnection { _ in throw TestError("body") }
                }
                #expect(
                    observer.closeErrors == [TestError("close")],
                    "the body's error wins, and the observer gets the other"
                )
            }
            outer.release()
            strategy.change { $0.close = { _ in } }
        }
    }

    @Test("With burstLinger, a connection above maxSize is closed after it was unused for that long")
    func linger() async throws {
        try await withSharedPool(limit: 1, maxSize: 1, burstLimit: 2, configure: { $0.burstLinger = .seconds(8) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.hold(2).release()
            let start = clock.now.sinceStart
            try await pool.pass(.seconds(20), on: clock, until: { strategy.books.closed.count == 1 })
            #expect(clock.now.sinceStart - start >= .seconds(8))
            #expect(clock.now.sinceStart - start <= .seconds(11))
        }
    }

    @Test("Lowering maxSize drains connections, and raising it serves waiters")
    func resize() async throws {
        try await withSharedPool(limit: 2, maxSize: 2, mostEver: 3) { pool, strategy, _, _ in
            let leases = try await pool.hold(4)
            let waiter = try await pool.startWaiting()
            try pool.resize(maxSize: 3)
            try await waiter.value.release()
            leases.release()
            try pool.resize(maxSize: 1)
            try await eventually("two connections are closed") { strategy.books.closed.count == 2 }
        }
    }

    // MARK: Broken connections

    @Test("A closed connection is not handed out; its leases continue, and it is closed after the last one")
    func foundClosed() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, observer in
            let lease = try await pool.hold()
            strategy.connection(1).hangUp()
            let next = try await pool.hold()
            #expect(next.connection.id == 2)
            #expect(strategy.books.closed.isEmpty)
            lease.release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(observer.closeReasons == [.foundClosed])
            next.release()
        }
    }

    @Test("A connection that reports its own close is closed at once if nobody uses it")
    func reportedClose() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, _ in
            try await pool.hold().release()
            strategy.connection(1).hangUp(isReported: true)
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(pool.statistics.total == 0 && pool.statistics.leasesIdle == 0)
        }
    }

    @Test("A CancellationError of the check is the caller's, and the connection is closed")
    func cancelledCheck() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            try await pool.hold().release()
            strategy.change { $0.check = { _ in throw CancellationError() } }
            await #expect(throws: CancellationError.self) { _ = try await pool.hold() }
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
        }
    }

    @Test("A discarded connection is closed when its other leases have ended")
    func discard() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, observer in
            let leases = try await pool.hold(2)
            leases[0].discard()
            let next = try await pool.hold()
            #expect(next.connection.id == 2 && strategy.books.closed.isEmpty)
            leases[1].release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(observer.closeReasons == [.discarded])
            next.release()
        }
    }

    @Test("The verdict about an error of a body discards the connection, or evicts all")
    func verdicts() async throws {
        try await withSharedPool(limit: 1, maxSize: 2) { pool, strategy, _, _ in
            strategy.change {
                $0.verdict = { ($0 as? TestError) == TestError("failover") ? .evictAll : .discard }
            }
            await #expect(throws: TestError("broken")) {
                try await pool.withConnection { _ in throw TestError("broken") }
            }
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            let other = try await pool.hold()
            await #expect(throws: TestError("failover")) {
                try await pool.withConnection { _ in throw TestError("failover") }
            }
            try await eventually("the connection is closed") { strategy.books.closed == [1, 3] }
            other.release()
            try await eventually("the other one is closed") { strategy.books.closed == [1, 3, 2] }
        }
    }

    @Test("After an eviction no caller gets an old connection")
    func eviction() async throws {
        try await withSharedPool(limit: 2, maxSize: 3) { pool, strategy, _, observer in
            let leases = try await pool.hold(3)
            pool.evictAll()
            let next = try await pool.hold()
            #expect(next.connection.id == 3)
            leases.release()
            try await eventually("both connections are closed") { Set(strategy.books.closed) == [1, 2] }
            #expect(observer.closeReasons == [.evicted, .evicted])
            next.release()
        }
    }

    // MARK: Time

    @Test("A connection that reaches maxLifetime while in use gets no new leases, and is closed after the last one")
    func maxLifetime() async throws {
        try await withSharedPool(
            limit: 2,
            maxSize: 2,
            configure: {
                $0.maxLifetime = .seconds(160)
                $0.lifetimeJitter = 0
            }
        ) { pool, strategy, clock, observer in
            let lease = try await pool.hold()
            try await pool.pass(.seconds(160), on: clock)
            #expect(pool.statistics.leasesIdle == 0, "the idle lease was given up")
            let next = try await pool.hold()
            #expect(next.connection.id == 2)
            lease.release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
            #expect(observer.closeReasons == [.maxLifetime])
            next.release()
        }
    }

    @Test("An unused connection is closed after idleTimeout")
    func idleTimeout() async throws {
        try await withSharedPool(limit: 2, maxSize: 2, configure: { $0.idleTimeout = .seconds(16) }) {
            pool,
            strategy,
            clock,
            observer in
            try await pool.hold(3).release()
            let start = clock.now.sinceStart
            try await pool.pass(.seconds(40), on: clock, until: { strategy.books.closed.count == 2 })
            #expect(clock.now.sinceStart - start >= .seconds(16))
            #expect(clock.now.sinceStart - start <= .seconds(20))
            #expect(observer.closeReasons == [.idleTimeout, .idleTimeout])
        }
    }

    @Test("A connection that was unused for a while is validated once, not once for each lease")
    func validation() async throws {
        try await withSharedPool(limit: 3, maxSize: 1, configure: { $0.validateAfterIdle = .seconds(16) }) {
            pool,
            strategy,
            clock,
            _ in
            try await pool.hold(3).release()
            try await pool.pass(.seconds(40), on: clock)
            try await pool.hold(3).release()
            #expect(strategy.books.validated == [1])
            #expect(strategy.books.opened == 1)
        }
    }

    @Test("When the load falls, connections that are not needed become idle, although leases of them were in use")
    func consolidation() async throws {
        try await withSharedPool(limit: 4, maxSize: 4, configure: { $0.idleTimeout = .seconds(160) }) {
            pool,
            strategy,
            clock,
            _ in
            let leases = try await pool.hold(16)
            // One lease of each connection continues.
            for (index, lease) in leases.enumerated() where index % 4 != 0 { lease.release() }
            try await pool.pass(.seconds(60), on: clock, until: { pool.statistics.leasesIdle <= 6 })
            #expect(pool.statistics.leasesIdle <= 6, "connections drain")
            for index in [0, 4, 8, 12] { leases[index].release() }
            #expect(strategy.books.closed.isEmpty)
            #expect(pool.statistics.total == 4)
        }
    }

    @Test("A lease that lasts longer than leakThreshold is reported with its place, and its end, too")
    func leaks() async throws {
        try await withSharedPool(limit: 2, maxSize: 1, configure: { $0.leakThreshold = .seconds(16) }) {
            pool,
            _,
            clock,
            observer in
            let lease = try await pool.hold()
            #expect(pool.leases.count == 1)
            try await pool.pass(.seconds(40), on: clock, until: { observer.count("leaseOverdue") == 1 })
            #expect(observer.count("leaseOverdue") == 1)
            #expect(pool.leases.first?.location?.fileID.hasSuffix("WithSharedPool.swift") == true)
            #expect(pool.leases.first.map { $0.age >= .seconds(16) && $0.age <= .seconds(18) } == true)
            lease.release()
            #expect(observer.count("overdueLeaseReturned") == 1)
        }
    }

    // MARK: The end

    @Test("A shutdown fails waiters, closes connections without leases, and waits for the others")
    func shutdown() async throws {
        try await withSharedPool(limit: 2, maxSize: 2) { pool, strategy, _, _ in
            let leases = try await pool.hold(4)
            let waiter = try await pool.startWaiting()
            leases[3].release()
            try await waiter.value.release()
            leases[2].release()
            let last = try await pool.startFillingUp()
            let end = Task { await pool.shutdown() }
            _ = try await poolError(.poolShutDown) { _ = try await last.waiter.value }
            last.leases.release()
            try await eventually("one connection is closed") { strategy.books.closed == [2] }
            _ = try await poolError(.poolShutDown) { _ = try await pool.hold() }
            leases[0].release()
            leases[1].release()
            #expect(await end.value.isComplete)
        }
    }

    @Test("A shutdown with a deadline returns although leases are left, which still end")
    func drainDeadline() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, clock, _ in
            let lease = try await pool.hold()
            let end = Task { await pool.shutdown(drainFor: .seconds(1)) }
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            let result = await end.value
            #expect(!result.isComplete && result.remaining.leasesInUse == 1)
            lease.release()
            try await eventually("the connection is closed") { strategy.books.closed == [1] }
        }
    }

    @Test("An abort aborts the connections in use")
    func abort() async throws {
        try await withSharedPool(limit: 2, maxSize: 1) { pool, strategy, _, _ in
            let aborted = Shared(0)
            strategy.change { $0.abort = { _ in aborted.countUp() } }
            let lease = try await pool.hold()
            let end = Task { await pool.abort(timeout: nil) }
            try await eventually("the connection is aborted") { aborted.value == 1 }
            lease.release()
            #expect(await end.value.isComplete)
        }
    }

    @Test("A pool that is dropped closes its connections when their leases have ended")
    func dropped() async throws {
        let strategy = SharedTestStrategy(limit: 1)
        let lease: HeldLease
        do {
            let pool = try SharedConnectionPool(strategy: strategy, maxSize: 2)
            lease = try await pool.hold()
            try await pool.hold().release()
        }
        try await eventually("the idle connection is closed") { strategy.books.closed == [2] }
        lease.release()
        try await eventually("the other one is closed") { strategy.books.slots == 0 }
    }

    // MARK: Events

    @Test("Observers learn of each wait of a caller once, and not of waits of the pool itself")
    func events() async throws {
        try await withSharedPool(limit: 1, maxSize: 2) { pool, _, _, observer in
            let leases = try await pool.hold(2)
            #expect(observer.kinds.filter { $0 == "waitBegan" || $0 == "acquired" || $0 == "opened" }.count == 6)
            let waiter = try await pool.startWaiting()
            #expect(observer.count("limitReached") == 1)
            leases[0].release()
            try await waiter.value.release()
            leases[1].release()
            #expect(observer.count("waitBegan") == 3 && observer.count("acquired") == 3)
        }
    }
}

extension SharedConnectionPool where Strategy == SharedTestStrategy {
    /// Acquires all leases that are left, and then starts to wait.
    fileprivate func startFillingUp() async throws -> (leases: [HeldLease], waiter: Task<HeldLease, any Error>) {
        var leases: [HeldLease] = []
        while let lease = tryHold() { leases.append(lease) }
        return (leases, try await startWaiting())
    }
}
