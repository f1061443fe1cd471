// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool
import CBenchmarkSupport
import Synchronization

/// W5 in the pool: 10,000 callers that stay, and 90,000 that are cancelled or time out, while 8 connections circulate.
enum Storm {
    static let doomed = 90_000
    private static let patient = 10_000
    private static let wave = 1_000
    private static let connections = 8

    /// The outcomes of the callers.
    private final class Tally: Sendable {
        let served = Atomic(0)
        let cancelled = Atomic(0)
        let timedOut = Atomic(0)
        let isOver = Atomic(false)
    }

    static func run(on core: String, doomed: Int) async throws -> [String: Double] {
        let strategy = CountingStrategy()
        let pool: any BenchmarkPool =
            switch core {
            case "lock-free Swift": try LockFreeSwiftPool(strategy: strategy, maxSize: connections)
            case "Mutex": try MutexPool(strategy: strategy, maxSize: connections)
            default: try ShippingPool(strategy: strategy, maxSize: connections)
            }
        return try await run(on: pool, doomed: doomed)
    }

    private static func run(on pool: some BenchmarkPool, doomed: Int) async throws -> [String: Double] {
        try await pool.open(connections)
        let tally = Tally()
        let before = Double(measure_resident_memory())
        let start = ContinuousClock.now
        var after = 0.0
        var stormTook = Duration.zero
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<patient {
                group.addTask {
                    repeat {
                        try await pool.withConnection(timeout: .unlimited, fileID: #fileID, line: #line) { _ in
                            // The connection is in use for some time.
                            try await Task.sleep(for: .milliseconds(1))
                        }
                    } while !tally.isOver.load(ordering: .relaxed)
                }
            }
            while pool.statistics.waiting < patient - connections { try await Task.sleep(for: .milliseconds(5)) }
            for index in 0..<(doomed / wave) { try await runWave(pool, index, tally) }
            if doomed == 0 { try await Task.sleep(for: .seconds(1)) }
            stormTook = ContinuousClock.now - start
            after = Double(measure_resident_memory())
            try expect(pool.statistics.waiting >= patient - 2 * connections, "those who stay are not all there")
            tally.isOver.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
        let gone =
            tally.served.load(ordering: .relaxed) + tally.cancelled.load(ordering: .relaxed)
            + tally.timedOut.load(ordering: .relaxed)
        try expect(gone == doomed, "\(gone) of \(doomed) callers came back")
        let statistics = pool.statistics
        try expect(statistics.idle == connections && statistics.waiting == 0, "lost: \(statistics)")
        return [
            "resident": after - before,
            "served": Double(tally.served.load(ordering: .relaxed)),
            "cancelled": Double(tally.cancelled.load(ordering: .relaxed)),
            "timedOut": Double(tally.timedOut.load(ordering: .relaxed)),
            "seconds": stormTook / .seconds(1),
        ]
    }

    /// Half of them are cancelled while they wait, and the others time out.
    private static func runWave(_ pool: some BenchmarkPool, _ index: Int, _ tally: Tally) async throws {
        let isCancelled = index.isMultiple(of: 2)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<wave {
                group.addTask {
                    do {
                        let timeout: AcquireTimeout = isCancelled ? .unlimited : .milliseconds(20)
                        try await pool.withConnection(timeout: timeout, fileID: #fileID, line: #line) { _ in }
                        tally.served.add(1, ordering: .relaxed)
                    } catch is CancellationError {
                        tally.cancelled.add(1, ordering: .relaxed)
                    } catch let error as ConnectionPoolError where error.code == .acquireTimedOut {
                        tally.timedOut.add(1, ordering: .relaxed)
                    } catch {
                        // Not counted, so that the check at the end fails.
                    }
                }
            }
            if isCancelled {
                while pool.statistics.waiting < patient + wave - 2 * connections { await Task.yield() }
                group.cancelAll()
            }
            await group.waitForAll()
        }
    }
}
