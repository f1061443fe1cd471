// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite(.timeLimit(.minutes(5)))
struct PrewarmTests {
    @Test("The requested number of connections is open when it returns", arguments: CoreKind.allCases, [1, 3, 4])
    func opens(kind: CoreKind, count: Int) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            try await pool.prewarm(count)
            #expect(pool.statistics.idle == count)
            #expect(strategy.books.attempts == count)
        }
    }

    @Test("The default is minimumIdle, and a count of 0 returns immediately", arguments: CoreKind.allCases)
    func defaults(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.minimumIdle = 2 }) { pool, _, _, _ in
            try await pool.prewarm(nil)
            #expect(pool.statistics.idle == 2)
        }
        try await withPool(kind, maxSize: 4) { pool, strategy in
            try await pool.prewarm(nil)
            try await pool.prewarm(0)
            #expect(strategy.books.attempts == 0)
        }
    }

    @Test("Connections in use count", arguments: CoreKind.allCases)
    func countsLeases(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            let leases = try await pool.lease(2)
            try await pool.prewarm(3)
            #expect(pool.statistics.total == 3)
            #expect(strategy.books.attempts == 3)
            leases.release()
        }
    }

    @Test("A count above maxSize or below zero is rejected", arguments: CoreKind.allCases, [-1, 5])
    func refused(kind: CoreKind, count: Int) async throws {
        try await withPool(kind, maxSize: 4, burstLimit: 8) { pool, strategy in
            let error = try await poolError(.invalidConfiguration) { try await pool.prewarm(count) }
            #expect(error.message.contains("\(count)"))
            #expect(error.message.contains("maxSize is 4"))
            #expect(strategy.books.attempts == 0)
        }
    }

    @Test("A connect error is thrown, and the other connections stay", arguments: CoreKind.allCases)
    func failure(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 4) { pool, strategy in
            strategy.onOpen { attempt in if attempt == 2 { throw TestError("refused") } }
            await #expect(throws: TestError("refused")) { try await pool.prewarm(3) }
            try await eventually("the other two are idle") { pool.statistics.idle == 2 }
            await letOthersRun()
            #expect(strategy.books.attempts == 3)
            try await pool.prewarm(3)
            #expect(pool.statistics.idle == 3)
        }
    }

    @Test("With retries it continues until an error is permanent", arguments: CoreKind.allCases)
    func retries(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, configure: { $0.connectRetry = ConnectionBackoff() }) {
            pool,
            strategy,
            clock,
            _ in
            strategy.onOpen { attempt in
                if attempt <= 3 { throw TestError("not yet") }
                if attempt >= 5 { throw TestError("never") }
            }
            strategy.callPermanent { $0 as? TestError == TestError("never") }
            let warming = Task { try await pool.prewarm(1) }
            for failure in 1...3 {
                try await eventually("attempt \(failure) has failed") { strategy.books.failures >= failure }
                try await eventually("the pool waits for the next attempt, or makes it") {
                    clock.sleepers > 0 || strategy.books.attempts > failure
                }
                clock.advance(by: .seconds(5))
            }
            try await warming.value
            #expect(pool.statistics.idle == 1)
            await #expect(throws: TestError("never")) { try await pool.prewarm(2) }
            #expect(strategy.books.attempts == 5)
        }
    }

    @Test("Two calls at the same time open no more than the larger count", arguments: CoreKind.allCases)
    func two(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 6) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let small = Task { try await pool.prewarm(2) }
            let large = Task { try await pool.prewarm(4) }
            try await eventually("four are being opened") { gate.held == 4 }
            gate.open()
            try await small.value
            try await large.value
            #expect(strategy.books.attempts == 4)
            #expect(pool.statistics.idle == 4)
        }
    }

    @Test("Many calls at the same time all return, and open no more than the count", arguments: CoreKind.allCases)
    func many(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 8, burstLimit: 16) { pool, strategy in
            for round in 1...20 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for count in 1...8 { group.addTask { try await pool.prewarm(count) } }
                    try await group.waitForAll()
                }
                #expect(pool.statistics.idle == 8)
                #expect(strategy.books.attempts == 8 * round)
                for lease in try await pool.lease(8) { lease.discard() }
                try await eventually("all are closed") { pool.statistics.total == 0 }
            }
        }
    }

    @Test("A cancelled call stops waiting, and the connection that is being opened stays", arguments: CoreKind.allCases)
    func cancelled(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let warming = Task { try await pool.prewarm(1) }
            try await eventually("one connection is being opened") { gate.held == 1 }
            warming.cancel()
            await #expect(throws: CancellationError.self) { try await warming.value }
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
        }
    }

    @Test("A shutdown ends it, and it fails after a shutdown", arguments: CoreKind.allCases)
    func shutDown(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let warming = Task { try await pool.prewarm(2) }
            try await eventually("two connections are being opened") { gate.held == 2 }
            let end = Task { await pool.shutdown() }
            _ = try await poolError(.poolShutDown) { try await warming.value }
            gate.open()
            _ = await end.value
            _ = try await poolError(.poolShutDown) { try await pool.prewarm(1) }
        }
    }

    @Test("It waits while the pool is paused, and continues afterwards", arguments: CoreKind.allCases)
    func paused(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            pool.pause()
            let executor = ObservedExecutor()
            let warming = Task(executorPreference: executor) { try await pool.prewarm(2) }
            try await eventually("the call waits") { executor.isSuspended }
            #expect(strategy.books.attempts == 0)
            pool.resume()
            try await warming.value
            #expect(pool.statistics.idle == 2)
        }
    }

    @Test("When the pool becomes too small for it, it throws an error", arguments: CoreKind.allCases)
    func tooSmall(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 3) { pool, strategy in
            pool.pause()
            let executor = ObservedExecutor()
            let warming = Task(executorPreference: executor) { try await pool.prewarm(3) }
            try await eventually("the call waits") { executor.isSuspended }
            try pool.resize(maxSize: 2)
            let error = try await poolError(.invalidConfiguration) { try await warming.value }
            #expect(error.message.contains("3"))
            pool.resume()
        }
    }

    @Test(
        "A caller that comes while the pool has the permit to open for minimumIdle is not forgotten",
        arguments: CoreKind.cores
    )
    func permitHeldByThePool(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, hooked: true, configure: { $0.maxConcurrentConnects = 1 }) {
            pool,
            strategy in
            let caller = Shared<Task<Void, any Error>?>(nil)
            strategy.hooks.at(.beforeBeginOpenUnrequested) {
                caller.set(
                    Task(executorPreference: InlineExecutor()) { try await pool.acquire(timeout: .unlimited).release() }
                )
            }
            let warming = Task { try await pool.prewarm(1) }
            try await eventually("a caller has come") { caller.value != nil }
            try await eventually("the caller is served") { strategy.books.opened == 1 && pool.statistics.waiting == 0 }
            try await caller.value?.value
            try await warming.value
        }
    }

    @Test(
        "minimumIdle is not forgotten when a caller has the permit, and leaves before using it",
        arguments: CoreKind.cores
    )
    func permitHeldByACaller(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2, hooked: true, configure: { $0.maxConcurrentConnects = 1 }) {
            pool,
            strategy in
            let warming = Shared<Task<Void, any Error>?>(nil)
            let caller = Shared<Task<Void, any Error>?>(nil)
            strategy.hooks.at(.beforeBeginOpen) {
                caller.value?.cancel()
                warming.set(Task(executorPreference: InlineExecutor()) { try await pool.prewarm(1) })
            }
            // The task is started and known before it reaches the hook.
            let gate = Gate()
            caller.set(
                Task {
                    await gate.pass()
                    try await pool.acquire(timeout: .unlimited).release()
                }
            )
            gate.open()
            try await eventually("a task warms the pool") { warming.value != nil }
            try await eventually("one connection is idle") { pool.statistics.idle == 1 }
            try await warming.value?.value
            _ = await caller.value?.result
        }
    }
}
