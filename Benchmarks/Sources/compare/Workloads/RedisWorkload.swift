// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool
import BurstPoolRedis
import Foundation

/// W6: a real Redis, 64 tasks on 8 connections of a pool, compared with 8 tasks that have their own connections.
enum RedisWorkload {
    private static let tasks = 64
    private static let connections = 8

    private static let pooled = "64 tasks on 8 connections of a pool"
    private static let dedicated = "8 tasks with a connection each"
    private static let bare = "64 tasks on 8 connections, with a lock and continuations"

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        settings.progress.say("W6: starting Redis")
        guard let server = try await RedisServer.start() else {
            report.notes.append("W6: redis-server is missing, not measured.")
            return
        }
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(configuration: RedisConfiguration(unixSocketPath: server.socket))
        let pool = try ConnectionPool(strategy: strategy, maxSize: connections)
        try await pool.withConnection { connection in
            _ = try await connection.send("SET", "key", "value")
        }
        let barePool = BarePool<RedisConnection>(callers: tasks)
        for line in try await openLines(strategy) { barePool.put(line.connection) }
        // The same total number of commands, in multiples of both numbers of tasks.
        let commands = settings.isQuick ? 6_400 : 25_600
        let contest = Contest(
            name: "W6",
            contenders: [
                .measuring(pooled) { commands in
                    try await inParallel(tasks, operationsEach: commands / tasks) { _, times in
                        for _ in 0..<times {
                            try await pool.withConnection { connection in
                                _ = try await connection.send("GET", "key")
                            }
                        }
                    }
                },
                .measuring(bare) { commands in
                    try await inParallel(tasks, operationsEach: commands / tasks) { _, times in
                        for _ in 0..<times {
                            try await barePool.withConnection { connection in
                                _ = try await connection.send("GET", "key")
                            }
                        }
                    }
                },
                .measuring(dedicated) { commands in
                    let lines = try await openLines(strategy)
                    let sample = try await inParallel(connections, operationsEach: commands / connections) {
                        task,
                        times in
                        let connection = lines[task].connection
                        for _ in 0..<times {
                            _ = try await connection.send("GET", "key")
                        }
                    }
                    for line in lines { try await line.connection.close() }
                    return sample
                },
            ],
            budget: settings.budget(seconds: 10),
            operations: commands,
            isOversubscribed: true
        )
        let result = try await contest.run(settings.progress)
        await pool.shutdown(drainFor: .seconds(5))
        for connection in barePool.takeAll() { try await connection.close() }
        report.add(result, workload: "W6", reference: dedicated, by: .wall)
        report.figures += [
            .init(
                workload: "W6",
                measure: "throughput / dedicated connections",
                value: result.ratio(dedicated, to: pooled, by: .wall),
                must: 0.97,
                aim: 1.0,
                better: .more
            ),
            .init(
                workload: "W6",
                measure: "the same, per time that the CPUs worked for the client",
                value: result.ratio(dedicated, to: pooled, by: .cpu),
                must: 0.97,
                aim: 1.0,
                better: .more
            ),
        ]
    }

    /// A connection that one task at a time uses.
    private struct Line: @unchecked Sendable {
        let connection: RedisConnection
    }

    private static func openLines(_ strategy: RedisConnectionStrategy) async throws -> [Line] {
        var lines: [Line] = []
        for _ in 0..<connections {
            lines.append(Line(connection: try await strategy.makeConnection()))
        }
        return lines
    }
}
