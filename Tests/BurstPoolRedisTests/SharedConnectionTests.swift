// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Testing

@Suite(.timeLimit(.minutes(2)))
struct SharedConnectionTests {
    private static func withPool(
        maxSize: Int = 2,
        leaseLimit: Int = 16,
        change: (inout RedisConfiguration) -> Void = { _ in },
        _ test: (SharedConnectionPool<SharedRedisConnectionStrategy>, RedisServer) async throws -> Void
    ) async throws {
        let server = try RedisServer()
        defer { server.stop() }
        var configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        change(&configuration)
        let strategy = try SharedRedisConnectionStrategy(configuration: configuration, leaseLimit: leaseLimit)
        let pool = try SharedConnectionPool(strategy: strategy, maxSize: maxSize)
        try await test(pool, server)
        await pool.shutdown()
        #expect(pool.statistics.total == 0)
    }

    @Test("Each of many tasks gets the replies to its own commands, and they share few connections")
    func ownReplies() async throws {
        try await Self.withPool { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<64 {
                    group.addTask {
                        for number in 0..<100 {
                            let text = "\(caller)-\(number)"
                            let (echo, replies) = try await pool.withConnection { connection in
                                (
                                    try await connection.send("ECHO", text).string,
                                    try await connection.pipeline([
                                        RedisCommand("ECHO", text + "-a"), RedisCommand("ECHO", text + "-b"),
                                    ])
                                )
                            }
                            #expect(echo == text)
                            #expect(replies.map(\.string) == [text + "-a", text + "-b"])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(pool.statistics.total == 2)
        }
    }

    @Test(
        "Commands that change the session or block the connection are refused, and the message names the exclusive pool",
        arguments: [
            ["MULTI"], ["select", "1"], ["WATCH", "key"], ["AUTH", "secret"], ["SUBSCRIBE", "news"], ["MONITOR"],
            ["BLPOP", "list", "0"], ["brpop", "list", "0"], ["WAIT", "1", "0"], ["CLIENT", "SETNAME", "me"],
            ["CLIENT", "reply", "off"], ["XREAD", "block", "0", "STREAMS", "stream", "$"], ["SCRIPT", "DEBUG", "YES"],
        ]
    )
    func refusals(words: [String]) async throws {
        try await Self.withPool { pool, _ in
            try await pool.withConnection { connection in
                let command = RedisCommand(words[0], arguments: Array(words.dropFirst()))
                let error = await redisError { _ = try await connection.send(command) }
                #expect(error?.code == .invalidCommand)
                #expect(error?.message.contains("ConnectionPool with a RedisConnectionStrategy") == true)
                let second = await redisError { _ = try await connection.pipeline([RedisCommand("PING"), command]) }
                #expect(second?.code == .invalidCommand)
                let answer = try await connection.send("PING").string
                #expect(answer == "PONG")
            }
        }
    }

    @Test("A key that is called BLOCK, and harmless forms of commands, are not refused")
    func allowed() async throws {
        try await Self.withPool { pool, _ in
            try await pool.withConnection { connection in
                _ = try await connection.send("XREAD", "COUNT", 1, "STREAMS", "BLOCK", "0")
                _ = try await connection.send("CLIENT", "ID")
                _ = try await connection.send("SET", "MULTI", "SELECT")
                let seven = try await connection.send("EVAL", "return 7", 0).integer
                #expect(seven == 7)
            }
        }
    }

    @Test("A cancelled command throws at once, and the other commands on the connection get their replies")
    func cancellation() async throws {
        try await Self.withPool(maxSize: 1) { pool, server in
            try await pool.withConnection { _ = try await $0.send("SET", "key", "value") }
            let strategy = try RedisConnectionStrategy(
                configuration: RedisConfiguration(unixSocketPath: server.socketPath)
            )
            let other = try await strategy.makeConnection()
            _ = try await other.send("CLIENT", "PAUSE", 60_000, "WRITE")
            let cancelled = Task { try await pool.withConnection { try await $0.send("INCRBY", "cancelled", 100) } }
            let callers = (0..<5).map { number in
                Task {
                    try await pool.withConnection { try await $0.send("INCRBY", "counter \(number)", number).integer }
                }
            }
            #expect(try await eventually { pool.statistics.leasesInUse == 6 })
            try await Task.sleep(for: .milliseconds(20))
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
            _ = try await other.send("CLIENT", "UNPAUSE")
            for (number, caller) in callers.enumerated() {
                let reply = try await caller.value
                #expect(reply == number)
            }
            let value = try await pool.withConnection { try await $0.send("GET", "key").string }
            #expect(value == "value")
            #expect(pool.statistics.total == 1)
            try await other.close()
        }
    }

    @Test("When a connection breaks, the commands on it fail, and the pool opens another one")
    func broken() async throws {
        try await Self.withPool(maxSize: 1) { pool, server in
            let strategy = try RedisConnectionStrategy(
                configuration: RedisConfiguration(unixSocketPath: server.socketPath)
            )
            let other = try await strategy.makeConnection()
            let id = try await pool.withConnection { try await $0.send("CLIENT", "ID").integer }
            _ = try await other.send("CLIENT", "PAUSE", 60_000, "WRITE")
            let callers = (0..<5).map { number in
                Task { try await pool.withConnection { try await $0.send("SET", "key", number) } }
            }
            #expect(try await eventually { pool.statistics.leasesInUse == 5 })
            try await Task.sleep(for: .milliseconds(20))
            _ = try await other.send("CLIENT", "KILL", "ID", try #require(id))
            for caller in callers {
                let error = await redisError { _ = try await caller.value }
                #expect(error?.code == .connectionClosed)
            }
            _ = try await other.send("CLIENT", "UNPAUSE")
            let answer = try await pool.withConnection { try await $0.send("PING").string }
            #expect(answer == "PONG")
            #expect(try await eventually { pool.statistics.total == 1 })
            try await other.close()
        }
    }

    @Test("A server that does not answer in time makes the command fail, and the connection is replaced")
    func timeout() async throws {
        try await Self.withPool(maxSize: 1, change: { $0.commandTimeout = .milliseconds(100) }) { pool, server in
            let strategy = try RedisConnectionStrategy(
                configuration: RedisConfiguration(unixSocketPath: server.socketPath)
            )
            let other = try await strategy.makeConnection()
            try await pool.withConnection { _ = try await $0.send("PING") }
            _ = try await other.send("CLIENT", "PAUSE", 60_000, "WRITE")
            let error = await redisError { try await pool.withConnection { _ = try await $0.send("SET", "key", 1) } }
            #expect(error?.code == .commandTimedOut)
            _ = try await other.send("CLIENT", "UNPAUSE")
            let answer = try await pool.withConnection { try await $0.send("PING").string }
            #expect(answer == "PONG")
            try await other.close()
        }
    }
}
