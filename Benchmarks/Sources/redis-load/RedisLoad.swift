// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import CBenchmarkSupport
import Foundation

/// Lets tasks `GET` one key for some seconds, and prints a line: requests per second, microseconds of this process's CPU time per
/// request, and the 99th percentile of the time of a request in milliseconds.
///
///     redis-load URL exclusive|shared TASKS CONNECTIONS SECONDS
///
/// `Scripts/bench-redis` runs it by turns with other clients. The key `key` must exist.
@main
enum RedisLoad {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, ["exclusive", "shared"].contains(arguments[2]), let tasks = Int(arguments[3]),
            let connections = Int(arguments[4]), let seconds = Double(arguments[5])
        else {
            FileHandle.standardError.write(
                Data("usage: redis-load URL exclusive|shared TASKS CONNECTIONS SECONDS\n".utf8)
            )
            exit(2)
        }
        if arguments[2] == "shared" {
            let strategy = try SharedRedisConnectionStrategy(url: arguments[1])
            let pool = try SharedConnectionPool(strategy: strategy, maxSize: connections)
            try await measure(tasks, seconds) {
                try await pool.withConnection { try await $0.send("GET", "key").string }
            }
            await pool.shutdown()
        } else {
            let strategy = try RedisConnectionStrategy(url: arguments[1])
            let pool = try ConnectionPool(strategy: strategy, maxSize: connections)
            try await measure(tasks, seconds) {
                try await pool.withConnection { try await $0.send("GET", "key").string }
            }
            await pool.shutdown()
        }
    }

    private static func measure(
        _ tasks: Int,
        _ seconds: Double,
        _ get: @escaping @concurrent @Sendable () async throws -> String?
    ) async throws {
        // Opens the connections.
        _ = try await run(tasks, for: 0.5, get)
        let cpuTime = measure_process_cpu_time()
        let start = ContinuousClock.now
        let times = try await run(tasks, for: seconds, get).sorted()
        let passed = (ContinuousClock.now - start) / .seconds(1)
        let cpuPerRequest = Double(measure_process_cpu_time() - cpuTime) / 1000 / Double(times.count)
        let p99 = Double(times[times.count * 99 / 100]) / 1e6
        print(String(format: "%.0f %.2f %.3f", Double(times.count) / passed, cpuPerRequest, p99))
    }

    /// Returns the time of each request, in nanoseconds.
    private static func run(
        _ tasks: Int,
        for seconds: Double,
        _ get: @escaping @concurrent @Sendable () async throws -> String?
    ) async throws -> [UInt32] {
        let end = ContinuousClock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: [UInt32].self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var times: [UInt32] = []
                    var began = ContinuousClock.now
                    while began < end {
                        let value = try await get()
                        precondition(value == "value")
                        let ended = ContinuousClock.now
                        times.append(UInt32(clamping: Int64((ended - began) / .nanoseconds(1))))
                        began = ended
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}
