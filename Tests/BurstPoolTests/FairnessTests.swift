// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(5)))
struct FairnessTests {
    @Test("Waiters are served first come, first served", arguments: CoreKind.allCases)
    func firstComeFirstServed(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let served = Shared<[Int]>([])
            let lease = try await pool.acquire()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    let executor = ObservedExecutor()
                    group.addTask(executorPreference: executor) {
                        try await pool.withConnection { connection in
                            await connection.use { served.change { $0.append(number) } }
                        }
                    }
                    try await eventually("number \(number) waits") {
                        executor.isSuspended && pool.statistics.waiting == number + 1
                    }
                }
                lease.release()
                try await group.waitForAll()
            }
            #expect(served.value == Array(0..<300))
        }
    }

    @Test("Under load, later callers are served later, even if others leave the queue", arguments: CoreKind.allCases)
    func orderSurvivesLeavers(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 1) { pool, _ in
            let served = Shared<[Int]>([])
            let lease = try await pool.acquire()
            var tasks: [Task<Void, any Error>] = []
            for number in 0..<300 {
                let executor = ObservedExecutor()
                tasks.append(
                    Task(executorPreference: executor) {
                        try await pool.withConnection { connection in
                            await connection.use { served.change { $0.append(number) } }
                        }
                    }
                )
                try await eventually("number \(number) waits") {
                    executor.isSuspended && pool.statistics.waiting == number + 1
                }
            }
            for number in stride(from: 0, to: 300, by: 3) { tasks[number].cancel() }
            lease.release()
            for (number, task) in tasks.enumerated() {
                if number.isMultiple(of: 3) {
                    // This caller was cancelled before the connection was released, so it was never served.
                    await #expect(throws: CancellationError.self) { try await task.value }
                } else {
                    try await task.value
                }
            }
            #expect(served.value == (0..<300).filter { !$0.isMultiple(of: 3) })
        }
    }

    @Test(
        "While a caller waits, tryAcquire gets nothing, even if a connection is idle at that moment",
        arguments: CoreKind.cores
    )
    func tryAcquireDoesNotOvertake(kind: CoreKind) async throws {
        for moment in [CoreMoment.afterRelease, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff] {
            try await withPool(kind, maxSize: 2, hooked: true) { pool, strategy in
                let leases = try await pool.lease(2)
                let waiter = try await pool.startWaiting()
                let overtook = Shared(false)
                strategy.hooks.at(moment) { [weak pool] in
                    guard let lease = pool?.tryAcquire() else { return }
                    overtook.set(true)
                    lease.release()
                }
                leases[0].release()
                #expect(strategy.hooks.isEmpty, "\(moment) was never reached")
                #expect(!overtook.value, "overtaken at \(moment)")
                try await waiter.value.release()
                leases[1].release()
            }
        }
    }

    @Test(
        "A new caller does not overtake a waiter, even if a connection is idle at that moment",
        arguments: CoreKind.cores
    )
    func newCallersDoNotOvertake(kind: CoreKind) async throws {
        for moment in [CoreMoment.afterRelease, .beforeTakeIdle, .afterTakeIdle, .beforeHandOff] {
            try await withPool(kind, maxSize: 1, hooked: true) { pool, strategy in
                let lease = try await pool.acquire()
                let waiter = try await pool.startWaiting()
                let newCaller = Shared<Task<TestLease<TestConnection>, any Error>?>(nil)
                strategy.hooks.at(moment) { [weak pool] in
                    let task = Task(executorPreference: InlineExecutor()) {
                        guard let pool else { throw CancellationError() }
                        return try await pool.acquire()
                    }
                    newCaller.set(task)
                }
                lease.release()
                let first = try await waiter.value
                await letOthersRun()
                #expect(pool.statistics.waiting == 1, "overtaken at \(moment)")
                first.release()
                try await newCaller.value?.value.release()
            }
        }
    }

    @Test("A caller for which a connection is being opened is not overtaken either", arguments: CoreKind.allCases)
    func openingCountsAsWaiting(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            let lease = try await pool.acquire()
            let gate = Gate()
            strategy.onOpen { _ in await gate.pass() }
            let waiter = try await pool.startWaiting()
            try await eventually("a connection is being opened") { gate.held == 1 }
            #expect(pool.tryAcquire() == nil)
            lease.release()
            let served = try await waiter.value
            #expect(served.id == 1)
            gate.open()
            served.release()
        }
    }

    @Test("tryAcquire takes an idle connection, and never opens one", arguments: CoreKind.allCases)
    func tryAcquireTakesIdle(kind: CoreKind) async throws {
        try await withPool(kind, maxSize: 2) { pool, strategy in
            #expect(pool.tryAcquire() == nil)
            try await pool.warmUp(1)
            let lease = try #require(pool.tryAcquire())
            #expect(lease.id == 1)
            #expect(pool.tryAcquire() == nil)
            lease.release()
            #expect(strategy.books.attempts == 1)
        }
    }
}
