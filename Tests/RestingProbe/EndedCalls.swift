// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A workload of calls of the strategy that all end long before their time limits, which are 10 minutes.
struct EndedCalls {
    let name: String
    /// Makes so many calls, or a few more.
    let run: (_ calls: Int) async throws -> Void

    /// Returns how much memory each call leaves, in bytes.
    ///
    /// The allocator may need another page at any time. So a figure above the limit is measured again, twice at most: what
    /// calls leave behind grows each time.
    func bytesLeftByEach(calls: Int) async throws -> Double {
        // First as many as bring the allocator and the pool to the size that they need.
        try await run(calls / 10)
        var least = Double.infinity
        for _ in 0..<3 where least > Probe.mostBytesForEach {
            let before = ProcessUsage.residentBytes
            try await run(calls)
            least = min(least, Double(ProcessUsage.residentBytes - before) / Double(calls))
        }
        return least
    }

    static func all() throws -> [EndedCalls] {
        [try opensAndCloses(), try resets(), try validations()]
    }

    private static func pool(
        maxSize: Int,
        burstLimit: Int? = nil,
        configure: (inout ConnectionPoolConfiguration) -> Void = { _ in }
    ) throws -> (ConnectionPool<QuickStrategy>, QuickStrategy) {
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        configuration.connectTimeout = .seconds(600)
        configuration.closeTimeout = .seconds(600)
        configuration.validationTimeout = .seconds(600)
        configure(&configuration)
        let strategy = QuickStrategy()
        return (try ConnectionPool(strategy: strategy, configuration: configuration), strategy)
    }

    /// Each round opens a second connection above `maxSize`, and closes it.
    private static func opensAndCloses() throws -> EndedCalls {
        let (pool, _) = try pool(maxSize: 1, burstLimit: 2)
        return EndedCalls(name: "opens and closes") { calls in
            for _ in 0..<calls {
                let first = try await pool.acquire()
                let second = try await pool.acquire()
                first.release()
                second.release()
                while pool.statistics.closing > 0 { await Task.yield() }
            }
        }
    }

    private static func resets() throws -> EndedCalls {
        let (pool, _) = try pool(maxSize: 1) { $0.resetsConnections = true }
        return EndedCalls(name: "resets") { calls in
            for _ in 0..<calls { try await pool.withConnection { _ in } }
        }
    }

    private static func validations() throws -> EndedCalls {
        let (pool, strategy) = try pool(maxSize: 256) { $0.validateAfterIdle = .milliseconds(1) }
        return EndedCalls(name: "validations") { calls in
            let end = strategy.validations.load(ordering: .relaxed) + calls
            while strategy.validations.load(ordering: .relaxed) < end {
                try await withConnections(256, of: pool)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Holds so many connections at the same time.
    private static func withConnections(_ count: Int, of pool: ConnectionPool<QuickStrategy>) async throws {
        guard count > 0 else { return }
        let lease = try await pool.acquire()
        try await withConnections(count - 1, of: pool)
        lease.release()
    }

    /// A sleep that is cancelled keeps its memory until its moment has come.
    static func controlThatLeavesMemory() throws -> EndedCalls {
        EndedCalls(name: "cancelled sleeps") { calls in
            for _ in 0..<calls {
                let sleeper = Task { try await Task.sleep(for: .seconds(600)) }
                await Task.yield()
                sleeper.cancel()
                _ = await sleeper.result
            }
        }
    }
}
