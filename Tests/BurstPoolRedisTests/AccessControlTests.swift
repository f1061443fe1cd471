// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Testing

/// Tests with users that may do very little.
@Suite("Users with few rights", .timeLimit(.minutes(5)))
struct AccessControlTests {
    @Test("A user who may use neither CLIENT nor PING connects, is validated, and is used by a pool")
    func minimalRights() async throws {
        let strategy = try await strategy(rights: ["~*", "+get", "+set"]) { $0.clientName = "not-allowed" }
        var connection = try await strategy.makeConnection()
        #expect(await redisError { try await connection.send("PING") }?.serverCode == "NOPERM")
        #expect(await redisError { try await connection.send("CLIENT", "GETNAME") }?.serverCode == "NOPERM")
        let isValid = try await strategy.validateConnection(&connection)
        #expect(isValid)
        let key = uniqueKey()
        try await connection.send("SET", key, 1)
        #expect(try await connection.send("GET", key).integer == 1)
        try await strategy.closeConnection(connection)

        let pool = try ConnectionPool(strategy: strategy, maxSize: 2)
        try await pool.waitUntilHealthy()
        #expect(try await pool.withConnection { try await $0.send("GET", key).integer } == 1)
        await pool.shutdown()
    }

    @Test("A user who may not use SELECT cannot open a connection to another database")
    func withoutSelect() async throws {
        let strategy = try await strategy(rights: ["~*", "+get"]) { $0.database = 1 }
        let error = await redisError { try await strategy.makeConnection().close() }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("refused database 1") == true)
        #expect(error?.message.contains("NOPERM") == true)
    }

    @Test(
        "A connection whose transaction cannot be ended for lack of a right is not reused",
        arguments: [["MULTI", "DISCARD"], ["WATCH x", "UNWATCH"]]
    )
    func refusedEnd(commands: [String]) async throws {
        let strategy = try await strategy(rights: ["~*", "+multi", "+watch", "+get"]) { _ in }
        let connection = try await strategy.makeConnection()
        try await connection.send(RedisCommand(commands[0].split(separator: " ").map(String.init)))
        let error = await redisError { try await connection.send(commands[1]) }
        #expect(error?.serverCode == "NOPERM")
        #expect(!connection.isClosed)
        #expect(strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    @Test("A transaction that the server aborts is over, and its connection is reused")
    func abortedTransaction() async throws {
        // The server discards a transaction whose EXEC it refuses, unlike one whose DISCARD it refuses.
        let limited = try await self.strategy(rights: ["~*", "+multi"]) { _ in }
        let refused = try await limited.makeConnection()
        try await refused.send("MULTI")
        #expect(await redisError { try await refused.send("EXEC") }?.serverCode == "EXECABORT")
        #expect(!limited.connectionIsClosed(refused))
        try await limited.closeConnection(refused)

        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        try await connection.send("MULTI")
        #expect(await redisError { try await connection.send("NONSENSE") }?.serverCode == "ERR")
        #expect(await redisError { try await connection.send("EXEC") }?.serverCode == "EXECABORT")
        #expect(!strategy.connectionIsClosed(connection))
        try await strategy.closeConnection(connection)
    }

    @Test("Refusals of AUTH that are not about the password are not authentication errors")
    func otherRefusals() async throws {
        let answers: [(String, RedisError.Code)] = [
            ("-LOADING Redis is loading the dataset in memory", .connectFailed),
            ("-ERR max number of clients reached", .connectFailed),
            ("-ERR upstream failure", .connectFailed),
            ("-DENIED Redis is running in protected mode", .connectFailed),
            ("-MASTERDOWN Link with MASTER is down", .connectFailed),
            ("-WRONGPASS invalid username-password pair or user is disabled.", .authenticationFailed),
            ("-ERR invalid password", .authenticationFailed),
            ("-ERR wrong number of arguments for 'auth' command", .authenticationFailed),
            ("-NOAUTH Authentication required.", .authenticationFailed),
        ]
        for (answer, code) in answers {
            let server = try await FakeServer.start { _, channel in
                channel.send(answer + "\r\n-NOAUTH Authentication required.\r\n")
            }
            var configuration = server.configuration
            configuration.password = "x"
            let strategy = try RedisConnectionStrategy(configuration: configuration)
            let error = await redisError { try await strategy.makeConnection().close() }
            #expect(error?.code == code, "\(error?.message ?? "")")
            #expect(error?.message.contains(answer.dropFirst()) == true)
            #expect(strategy.connectErrorIsPermanent(try #require(error)) == (code == .authenticationFailed))
            try await server.stop()
        }
    }

    /// A strategy for a new user of the shared server, with these rights only.
    private func strategy(
        rights: [String],
        _ change: (inout RedisConfiguration) -> Void
    ) async throws -> RedisConnectionStrategy {
        let user = "user-\(UInt32.random(in: 0 ... .max))"
        let admin = try await connect()
        try await admin.send(RedisCommand("ACL", arguments: ["SETUSER", user, "on", ">secret"] + rights))
        try await admin.close()
        return try sharedStrategy {
            $0.username = user
            $0.password = "secret"
            change(&$0)
        }
    }
}

extension RedisCommand {
    fileprivate init(_ words: [String]) {
        self.init(words[0], arguments: Array(words[1...]))
    }
}
