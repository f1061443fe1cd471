// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

/// Random operations of all kinds on all threads, with a check of the invariants during and after them.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SharedStressTests {
    private static let callers = 24
    private static let rounds = 400

    /// What the test does besides acquiring leases.
    struct Disturbances: Sendable, CustomTestStringConvertible {
        var changesLimits = false
        var breaksConnections = false
        var resizes = false
        /// Whether connections are returned and closed while nobody uses them.
        var rests = false
        var limit = 3
        var policy = SharedLeasePolicy.warmFirst

        var testDescription: String {
            var parts = ["\(policy), limit \(limit)"]
            if changesLimits { parts.append("limits change") }
            if breaksConnections { parts.append("connections break") }
            if resizes { parts.append("the pool is resized") }
            if rests { parts.append("connections rest") }
            return parts.joined(separator: ", ")
        }

        static let all = [
            Disturbances(),
            Disturbances(limit: 1),
            Disturbances(changesLimits: true),
            Disturbances(breaksConnections: true),
            Disturbances(resizes: true),
            Disturbances(rests: true),
            Disturbances(changesLimits: true, breaksConnections: true, resizes: true),
            Disturbances(changesLimits: true, breaksConnections: true, resizes: true, rests: true),
            Disturbances(limit: 8, policy: .fewestLeases),
            Disturbances(rests: true, limit: 8, policy: .fewestLeases),
            Disturbances(
                changesLimits: true,
                breaksConnections: true,
                resizes: true,
                rests: true,
                policy: .fewestLeases
            ),
        ]
    }

    @Test(
        "No connection has more leases than its limit, no more connections exist than the hard limit, and nothing is lost",
        arguments: Disturbances.all
    )
    func everythingAtOnce(disturbances: Disturbances) async throws {
        let seed = UInt64.random(in: 0 ..< .max)
        print("SharedStressTests: \(disturbances.testDescription), seed \(seed)")
        let mostConnections = 4
        let unexpected = Shared<[String]>([])
        try await withSharedPool(
            limit: disturbances.limit,
            maxSize: 2,
            burstLimit: mostConnections,
            policy: disturbances.policy,
            configure: {
                $0.clock = ContinuousClock()
                $0.observer = nil
                if disturbances.rests { $0.idleTimeout = .milliseconds(20) }
            }
        ) { pool, strategy, _, _ in
            strategy.change {
                $0.verdict = { ($0 as? TestError) == TestError("broken") ? .discard : .keep }
                guard disturbances.breaksConnections else { return }
                $0.open = { attempt in
                    var random = Random(seed: seed &+ UInt64(attempt))
                    if random.chance(1, in: 3) { await Task.yield() }
                    if random.chance(1, in: 5) { throw TestError("refused") }
                }
                $0.close = { connection in
                    if connection.id.isMultiple(of: 3) { await Task.yield() }
                    if connection.id.isMultiple(of: 7) { throw TestError("close") }
                }
            }
            let isOver = Shared(false)
            await withTaskGroup(of: Void.self) { group in
                for helper in 0..<2 {
                    group.addTask {
                        var random = Random(seed: ~seed &+ UInt64(helper))
                        while !isOver.value { await Self.disturb(pool, strategy, disturbances, &random) }
                    }
                }
                await withTaskGroup(of: Void.self) { callers in
                    for caller in 0..<Self.callers {
                        callers.addTask {
                            var random = Random(seed: seed &+ UInt64(caller) &* 0x1000)
                            for _ in 0..<Self.rounds {
                                if let error = await Self.oneRound(pool, disturbances, &random) {
                                    unexpected.change { $0.append("\(error)") }
                                }
                            }
                        }
                    }
                }
                isOver.set(true)
            }
            #expect(unexpected.value.isEmpty, "seed \(seed): \(unexpected.value.prefix(5))")
            try await Self.checkRest(pool, strategy, disturbances, seed)
        }
    }

    /// Every lease of every connection can be acquired, and none is left over.
    private static func checkRest(
        _ pool: SharedTestPool,
        _ strategy: SharedTestStrategy,
        _ disturbances: Disturbances,
        _ seed: UInt64
    ) async throws {
        let greatest = disturbances.changesLimits ? disturbances.limit + 2 : disturbances.limit
        for connection in strategy.books.connections {
            #expect(connection.peak <= greatest, "seed \(seed): connection \(connection.id)")
        }
        strategy.change { script in
            let limit = disturbances.limit
            script.open = { _ in }
            script.limit = { _ in limit }
        }
        try? pool.resize(maxSize: 2, burstLimit: 4)
        for connection in strategy.books.connections where !connection.isDisposedOf && !connection.isClosed {
            if connection.leaseLimit > 0 { connection.setLimit(disturbances.limit) }
        }
        try await eventually("everything is at rest, seed \(seed)") {
            let statistics = pool.statistics
            return statistics.total == statistics.idle && statistics.waiting == 0 && statistics.leasesInUse == 0
                && statistics.total <= 2 && strategy.books.slots == statistics.total
        }
        let count = 2 * disturbances.limit
        let leases = try await pool.hold(count)
        #expect(Set(leases.map(\.connection.id)).count == 2, "seed \(seed): a lease was lost")
        #expect(leases.allSatisfy { $0.connection.usersNow == disturbances.limit }, "seed \(seed)")
        leases.release()
    }

    private static func disturb(
        _ pool: SharedTestPool,
        _ strategy: SharedTestStrategy,
        _ disturbances: Disturbances,
        _ random: inout Random
    ) async {
        for _ in 0..<random.number(0...20) { await Task.yield() }
        let live = strategy.books.connections.filter { !$0.isDisposedOf }
        if let connection = live.isEmpty ? nil : live[random.number(0...live.count - 1)] {
            if disturbances.changesLimits {
                let lowest = random.chance(1, in: 10) ? 0 : 1
                // Only one of the connections of the whole pool is asked to close at a time, so that callers make progress.
                connection.setLimit(
                    random.number(lowest...disturbances.limit + 2),
                    isReported: random.chance(3, in: 4)
                )
            }
            if disturbances.breaksConnections, random.chance(1, in: 20) {
                connection.hangUp(isReported: random.chance(1, in: 2))
            }
        }
        if disturbances.breaksConnections, random.chance(1, in: 100) { pool.evictAll() }
        if disturbances.resizes {
            let maxSize = random.number(1...4)
            try? pool.resize(maxSize: maxSize, burstLimit: random.number(maxSize...4))
        }
        let statistics = pool.statistics
        #expect(statistics.waiting <= callers)
    }

    /// Returns an error that should not have occurred.
    private static func oneRound(
        _ pool: SharedTestPool,
        _ disturbances: Disturbances,
        _ random: inout Random
    ) async -> (any Error)? {
        let kind = random.number(0...9)
        let yields = random.number(0...3)
        let breaks = disturbances.breaksConnections && random.chance(1, in: 30)
        let timeout: AcquireTimeout =
            [.unlimited, .immediate, .microseconds(random.number(1...300)), .seconds(50)][random.number(0...3)]
        let task = Task {
            switch kind {
            case 0...6:
                try await pool.withConnection(timeout: kind < 4 ? .unlimited : timeout) { connection in
                    await connection.use { for _ in 0..<yields { await Task.yield() } }
                    if breaks { throw TestError("broken") }
                }
            case 7...8:
                let lease = try await pool.hold(timeout: timeout)
                for _ in 0..<yields { await Task.yield() }
                lease.release()
            default:
                guard let lease = pool.tryHold() else { return }
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
            return nil
        } catch is CancellationError {
            return nil
        } catch let error as ConnectionPoolError where error.code == .acquireTimedOut {
            return timeout == .unlimited && kind < 4 ? error : nil
        } catch let error as TestError where disturbances.breaksConnections {
            return ["refused", "close", "broken"].contains(error.name) ? nil : error
        } catch {
            return error
        }
    }
}
