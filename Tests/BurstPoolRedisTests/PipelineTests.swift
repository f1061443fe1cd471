// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Testing

@Suite("Pipelines", .timeLimit(.minutes(5)))
struct PipelineTests {
    @Test("10,000 commands in one pipeline get 10,000 replies in order")
    func tenThousand() async throws {
        let connection = try await connect()
        let replies = try await connection.pipeline((0..<10_000).map { RedisCommand("ECHO", "reply \($0)") })
        #expect(replies.count == 10_000)
        #expect(replies.enumerated().allSatisfy { $1.string == "reply \($0)" })
        try await connection.close()
    }

    @Test("A pipeline of 10,000 commands of 4 KiB does not deadlock with its replies of 4 KiB")
    func longCommandsAndReplies() async throws {
        let connection = try await connect()
        let filler = String(repeating: "x", count: 4096)
        let replies = try await connection.pipeline((0..<10_000).map { RedisCommand("ECHO", "\($0) \(filler)") })
        #expect(replies.count == 10_000)
        #expect(replies.last?.bytes?.count == filler.utf8.count + 5)
        try await connection.close()
    }

    @Test("A failed command of a pipeline is a value, and the other commands are executed")
    func errorsAreValues() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        let replies = try await connection.pipeline([
            RedisCommand("SET", key, 1), RedisCommand("LPUSH", key, 2), RedisCommand("INCR", key),
        ])
        #expect(replies.count == 3)
        #expect(replies[0].string == "OK")
        #expect(replies[1].error?.serverCode == "WRONGTYPE")
        #expect(throws: RedisError.self) { try replies[1].get() }
        #expect(try replies[2].get().integer == 2)
        try await connection.close()
    }

    @Test("An empty pipeline has no replies and does nothing")
    func empty() async throws {
        let connection = try await connect()
        #expect(try await connection.pipeline([]).isEmpty)
        try await connection.close()
    }

    @Test("A pipeline with a refused command is not sent at all")
    func refusedAsAWhole() async throws {
        let connection = try await connect()
        let key = uniqueKey()
        let error = await redisError {
            _ = try await connection.pipeline([RedisCommand("SET", key, 1), RedisCommand("SUBSCRIBE", key)])
        }
        #expect(error?.code == .invalidCommand)
        #expect(try await connection.send("GET", key).isNull)
        try await connection.close()
    }

    @Test("64 tasks that share 8 connections each get their own replies")
    func manyTasks() async throws {
        let strategy = try sharedStrategy()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<8 {
                group.addTask {
                    // Eight tasks share each connection through an actor.
                    let shared = SharedConnection(try await strategy.makeConnection())
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for task in 0..<8 {
                            group.addTask {
                                for number in 0..<100 {
                                    let text = "\(lane).\(task).\(number)"
                                    let reply = try await shared.echo(text)
                                    #expect(reply == text)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await shared.close()
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("200 connections open at the same time, answer, and close")
    func manyConnections() async throws {
        let strategy = try sharedStrategy { $0.connectTimeout = .seconds(30) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let connection = try await strategy.makeConnection()
                    #expect(try await connection.send("ECHO", number).integer == number)
                    try await strategy.closeConnection(connection)
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Lets several tasks use one connection, which the compiler allows through an actor only.
private actor SharedConnection {
    private let connection: RedisConnection

    init(_ connection: sending RedisConnection) {
        self.connection = connection
    }

    func echo(_ text: String) async throws -> String? {
        try await connection.send("ECHO", text).string
    }

    func close() async throws {
        try await connection.close()
    }
}
