// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import CBenchmarkSupport
import Foundation

/// Executes one kind of statement for some seconds and prints a line: queries per second, and microseconds of this
/// process's CPU time per query.
///
///     postgres-load URL WORKLOAD TASKS CONNECTIONS SECONDS
///
/// `Scripts/bench postgres` runs it by turns with pgbench. The table `items` must exist.
@main
enum PostgresLoad {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let workload = Workload(rawValue: arguments[2]), let tasks = Int(arguments[3]),
            let connections = Int(arguments[4]), let seconds = Double(arguments[5])
        else {
            FileHandle.standardError.write(
                Data("usage: postgres-load URL select|rows|pipeline TASKS CONNECTIONS SECONDS\n".utf8)
            )
            exit(2)
        }
        let strategy = try PostgresConnectionStrategy(url: arguments[1])
        let pool = try ConnectionPool(strategy: strategy, maxSize: connections)
        // Opens the connections and prepares the statements.
        _ = try await run(workload, tasks: tasks, pool, for: 0.5)
        let cpuTime = measure_process_cpu_time()
        let (queries, time) = try await run(workload, tasks: tasks, pool, for: seconds)
        let cpuPerQuery = Double(measure_process_cpu_time() - cpuTime) / 1000 / Double(queries)
        print(String(format: "%.0f %.2f", Double(queries) / time, cpuPerQuery))
        await pool.shutdown()
    }

    /// Returns the number of queries and the seconds that they took.
    private static func run(
        _ workload: Workload,
        tasks: Int,
        _ pool: ConnectionPool<PostgresConnectionStrategy>,
        for seconds: Double
    ) async throws -> (queries: Int, seconds: Double) {
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let queries = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var queries = 0
                    while ContinuousClock.now < end { queries += try await workload.perform(pool) }
                    return queries
                }
            }
            return try await group.reduce(0, +)
        }
        return (queries, (ContinuousClock.now - start) / .seconds(1))
    }
}
