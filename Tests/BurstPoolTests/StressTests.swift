// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

/// Random operations of all kinds on all threads, with a check of the totals afterwards.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct StressTests {
    private static let limit = 6
    private static let callers = 24
    private static let rounds = 1000

    @Test(
        "After random leases, cancels, timeouts, failing connects, dead connections and resizes, the totals are right",
        arguments: CoreKind.allCases
    )
    func everythingAtOnce(kind: CoreKind) async throws {
        let seed = UInt64.random(in: 0 ..< .max)
        print("StressTests: \(kind), seed \(seed)")
        let outcomes = Shared(Outcomes())
        try await withPool(
            kind,
            maxSize: 2,
            burstLimit: Self.limit,
            configure: { $0.acquireTimeout = .seconds(60) }
        ) { pool, strategy in
            strategy.onOpen { attempt in
                var random = Random(seed: seed &+ UInt64(attempt))
                if random.chance(1, in: 3) { await Task.yield() }
                if random.chance(1, in: 5) { throw TestError("refused") }
            }
            strategy.onCheck { remote in
                if remote.isClosed { throw TestError("broken") }
                return false
            }
            strategy.onClose { remote in
                if remote.id.isMultiple(of: 3) { await Task.yield() }
                if remote.id.isMultiple(of: 7) { throw TestError("close") }
            }
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<Self.callers {
                    group.addTask {
                        var random = Random(seed: seed &+ UInt64(caller) &* 0x1000)
                        for _ in 0..<Self.rounds { await Self.oneRound(pool, &random, outcomes) }
                    }
                }
                group.addTask {
                    var random = Random(seed: ~seed)
                    for _ in 0..<Self.rounds {
                        let maxSize = random.number(1...Self.limit)
                        try? pool.resize(maxSize: maxSize, burstLimit: random.number(maxSize...Self.limit))
                        for _ in 0..<random.number(0...30) { await Task.yield() }
                    }
                }
                group.addTask {
                    for _ in 0..<Self.rounds {
                        let statistics = pool.statistics
                        #expect(statistics.waiting <= Self.callers)
                        for _ in 0..<10 { await Task.yield() }
                    }
                }
            }
            let result = outcomes.value
            #expect(result.unexpected.isEmpty, "seed \(seed): \(result.unexpected.prefix(5))")
            #expect(result.total == Self.callers * Self.rounds, "seed \(seed)")
            #expect(result.served > 0 && result.cancelled > 0 && result.refused > 0, "seed \(seed): \(result)")
            try await eventually("everything is at rest, seed \(seed)") {
                let statistics = pool.statistics
                return statistics.total == statistics.idle && statistics.waiting == 0
                    && statistics.total <= statistics.maxSize
            }
            #expect(strategy.books.slots == pool.statistics.total, "seed \(seed)")
            #expect(strategy.books.attempts == strategy.books.opened + strategy.books.failures, "seed \(seed)")
        }
    }

    private struct Outcomes: Sendable {
        var served = 0
        var cancelled = 0
        var refused = 0
        var timedOut = 0
        var unexpected: [String] = []
        var total: Int { served + cancelled + refused + timedOut + unexpected.count }
    }

    private static func oneRound(_ pool: TestPool, _ random: inout Random, _ outcomes: Shared<Outcomes>) async {
        let kind = random.number(0...9)
        let yields = random.number(0...3)
        let hangsUp = random.chance(1, in: 20)
        let timeout: AcquireTimeout =
            [.unlimited, .immediate, .microseconds(random.number(1...300)), .seconds(50)][random.number(0...3)]
        let task = Task {
            switch kind {
            case 0...6:
                try await pool.withConnection(timeout: kind < 4 ? .unlimited : timeout) { connection in
                    await connection.use { for _ in 0..<yields { await Task.yield() } }
                    if hangsUp { connection.remote.hangUp() }
                    if kind == 6 { throw TestError("body") }
                }
            case 7...8:
                let lease = try await pool.acquire(timeout: timeout)
                for _ in 0..<yields { await Task.yield() }
                lease.release()
            default:
                guard let lease = pool.tryAcquire() else { return }
                for _ in 0..<yields { await Task.yield() }
                lease.release()
            }
        }
        if random.chance(1, in: 4) {
            for _ in 0..<random.number(0...4) { await Task.yield() }
            task.cancel()
        }
        do {
            try await task.value
            outcomes.change { $0.served += 1 }
        } catch is CancellationError {
            outcomes.change { $0.cancelled += 1 }
        } catch let error as ConnectionPoolError where error.code == .acquireTimedOut {
            outcomes.change { $0.timedOut += 1 }
        } catch is TestError {
            outcomes.change { $0.refused += 1 }
        } catch {
            outcomes.change { $0.unexpected.append("\(error)") }
        }
    }
}
