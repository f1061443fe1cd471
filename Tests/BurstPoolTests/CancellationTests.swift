// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CancellationTests {
    @Test(
        "A caller that is cancelled while it waits leaves the queue, and nothing is left behind",
        arguments: CoreKind.allCases
    )
    func whileWaiting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let waiters = [
                try await pool.startWaiting(), try await pool.startWaiting(), try await pool.startWaiting(),
            ]
            waiters[1].cancel()
            await #expect(throws: CancellationError.self) { try await waiters[1].value }
            #expect(pool.statistics.waiting == 2)
            lease.release()
            try await waiters[0].value.release()
            try await waiters[2].value.release()
            #expect(pool.statistics.waiting == 0)
            #expect(pool.statistics.idle == 1)
            #expect(strategy.books.opened == 1)
        }
    }

    @Test(
        "A caller that is cancelled during its connect leaves immediately, and the connection serves the next caller",
        arguments: CoreKind.allCases
    )
    func whileConnecting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in
                await gate.pass()
                try Task.checkCancellation()
            }
            let first = try await pool.startWaiting()
            let second = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(pool.statistics.opening == 1, "the connect continues")
            gate.open()
            let lease = try await second.value
            #expect(lease.id == 1)
            #expect(strategy.books.attempts == 1)
            lease.release()
        }
    }

    @Test(
        "If the caller has left and no other caller waits, its new connection becomes idle",
        arguments: CoreKind.allCases
    )
    func survivesItsCaller(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let caller = try await pool.startWaiting()
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            gate.open()
            try await eventually("the connection is idle") { pool.statistics.idle == 1 }
            let lease = try #require(pool.tryAcquire())
            lease.release()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("A task that is already cancelled does not wait", arguments: CoreKind.allCases)
    func cancelledBefore(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            let task = Task {
                await gate.pass()
                return try await pool.acquire(timeout: .unlimited)
            }
            task.cancel()
            gate.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.statistics.waiting == 0)
            lease.release()
            #expect(strategy.books.attempts == 1)
        }
    }

    @Test("A task that is already cancelled still gets an idle connection", arguments: CoreKind.allCases)
    func cancelledBeforeTheFastPath(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            try await pool.warmUp(1)
            let gate = Gate()
            let task = Task {
                await gate.pass()
                return try await pool.withConnection { $0.id }
            }
            task.cancel()
            gate.open()
            #expect(try await task.value == 1)
        }
    }

    @Test(
        "A caller that is cancelled between getting its ticket and joining the queue does not join",
        arguments: CoreKind.cores
    )
    func beforeJoining(kind: CoreKind) async throws {
        for moment in [CoreMoment.afterPrepareWait, .beforeJoinWait, .afterJoinWait] {
            try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
                let lease = try await pool.acquire()
                let task = Shared<Task<TestLease<TestConnection>, any Error>?>(nil)
                strategy.hooks.at(moment) { task.value?.cancel() }
                let gate = Gate()
                task.set(
                    Task {
                        await gate.pass()
                        return try await pool.acquire(timeout: .unlimited)
                    }
                )
                gate.open()
                await #expect(throws: CancellationError.self) { try await task.value?.value }
                #expect(strategy.hooks.isEmpty)
                #expect(pool.statistics.waiting == 0)
                lease.release()
                #expect(pool.statistics.idle == 1)
            }
        }
    }

    @Test(
        "A connection on its way to a caller that leaves goes to the next waiter, or becomes idle",
        arguments: CoreKind.cores
    )
    func onItsWay(kind: CoreKind) async throws {
        let moments = [
            CoreMoment.beforeRelease, .afterRelease, .afterSomebodyWaits, .beforeTakeIdle, .afterTakeIdle,
            .beforeHandOff,
        ]
        for moment in moments {
            for hasNext in [false, true] {
                try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
                    let lease = try await pool.acquire()
                    let leaver = try await pool.startWaiting()
                    let next = hasNext ? try await pool.startWaiting() : nil
                    strategy.hooks.at(moment) { leaver.cancel() }
                    lease.release()
                    #expect(strategy.hooks.isEmpty, "\(moment) never came")
                    await #expect(throws: CancellationError.self) { try await leaver.value }
                    try await next?.value.release()
                    #expect(pool.statistics.idle == 1)
                    #expect(strategy.books.opened == 1)
                }
            }
        }
    }

    @Test("A caller that is cancelled just after the hand-off has its connection", arguments: CoreKind.cores)
    func afterHandOff(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            strategy.hooks.at(.afterHandOff) { waiter.cancel() }
            lease.release()
            try await waiter.value.release()
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("Many callers that leave behind one waiter leave nothing behind in the queue", arguments: CoreKind.allCases)
    func manyLeavers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let lease = try await pool.acquire()
            let stayer = try await pool.startWaiting()
            for _ in 0..<20 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<100 {
                        group.addTask { _ = try? await pool.acquire(timeout: .unlimited) }
                    }
                    group.cancelAll()
                }
            }
            #expect(pool.statistics.waiting == 1)
            lease.release()
            try await stayer.value.release()
        }
    }

    @Test("A body can see that its task is cancelled, and its connection is released", arguments: CoreKind.allCases)
    func inTheBody(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let gate = Gate()
            let task = Task {
                try await pool.withConnection { connection in
                    try await connection.use {
                        await gate.pass()
                        try Task.checkCancellation()
                    }
                }
            }
            try await eventually("the body runs") { gate.held == 1 }
            task.cancel()
            #expect(pool.statistics.inUse == 1, "the body decides when it returns")
            gate.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.statistics.idle == 1)
        }
    }
}
