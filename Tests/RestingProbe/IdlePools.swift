// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Pools that are not used any more.
struct IdlePools {
    let name: String
    let pools: [ConnectionPool<QuickStrategy>]
    /// How long it takes until nothing is due any more.
    let settlingTime: Duration
    private var wakers: [Task<Void, any Error>] = []

    struct Usage {
        /// The part of one CPU.
        let cpuTime: Double
        let wakeups: Int
    }

    func usage(over time: Duration) async throws -> Usage {
        try await Task.sleep(for: settlingTime)
        let (cpuTime, sleeps) = (ProcessUsage.cpuTime, ProcessUsage.sleeps)
        try await Task.sleep(for: time)
        for waker in wakers { waker.cancel() }
        return Usage(
            cpuTime: (ProcessUsage.cpuTime - cpuTime) / Double(time.components.seconds),
            wakeups: ProcessUsage.sleeps - sleeps
        )
    }

    /// A thousand pools with an idle connection each, and a thousand whose connection has been closed for its idle timeout.
    static func twoThousand() async throws -> IdlePools {
        let recommended = ConnectionPoolConfiguration.recommended(maxSize: 8, burstLimit: 32)
        var closing = recommended
        closing.idleTimeout = .milliseconds(100)
        let pools = try [recommended, closing].flatMap { configuration in
            try (0..<1000).map { _ in try ConnectionPool(strategy: QuickStrategy(), configuration: configuration) }
        }
        for pool in pools { try await pool.withConnection { _ in } }
        // The time limit of the connection attempts, after which their alarm has rung once more.
        let settlingTime = recommended.connectTimeout.map { $0 + .seconds(1) } ?? .seconds(1)
        return IdlePools(
            name: "1,000 idle pools with the recommended settings, and 1,000 empty ones with a short idle timeout",
            pools: pools,
            settlingTime: settlingTime
        )
    }

    static func controlThatWakes() async throws -> IdlePools {
        var idle = IdlePools(name: "tasks that wake", pools: [], settlingTime: .zero)
        idle.wakers = (0..<100).map { _ in
            Task { while true { try await Task.sleep(for: .milliseconds(100)) } }
        }
        return idle
    }
}
