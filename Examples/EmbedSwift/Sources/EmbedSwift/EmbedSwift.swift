// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A connection to nothing: it counts.
final class Counter {
    var count = 0
}

final class CounterStrategy: ConnectionStrategy {
    func makeConnection() async throws -> sending Counter { Counter() }
    func connectionIsClosed(_ connection: Counter) -> Bool { false }
    func closeConnection(_ connection: sending Counter) async throws {}
}

@main
struct EmbedSwift {
    static func main() async throws {
        let pool = try ConnectionPool(strategy: CounterStrategy(), maxSize: 2, burstLimit: 4)
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    try await pool.withConnection { counter in
                        counter.count += 1
                        await Task.yield()
                        return 1
                    }
                }
            }
            var sum = 0
            for try await one in group { sum += one }
            return sum
        }
        let open = pool.statistics
        await pool.shutdown()
        guard counts == 100, open.total <= 2, open.inUse == 0, pool.statistics.total == 0 else {
            fatalError("not so: \(counts) of 100 served, \(open), then \(pool.statistics)")
        }
        print("100 callers served by \(open.total) connections, and none is left")
    }
}
