// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import NIOCore
import Testing

/// Tests what a pool asks the strategy beyond opening and closing.
@Suite("Connections in a pool", .timeLimit(.minutes(5)))
struct PooledConnectionTests {
    @Test("A working connection is valid before and after use")
    func valid() async throws {
        let strategy = try sharedStrategy()
        var connection = try await strategy.makeConnection()
        let isValidWhenNew = try await strategy.validateConnection(&connection)
        #expect(isValidWhenNew)
        try await connection.send("SET", uniqueKey(), 1)
        let isValidAfterUse = try await strategy.validateConnection(&connection)
        #expect(isValidAfterUse)
        try await strategy.closeConnection(connection)
    }

    @Test("A connection that is closed, gets invalid replies, or gets none, is not valid")
    func invalid() async throws {
        let strategy = try sharedStrategy()
        var killed = try await strategy.makeConnection()
        let identity = try #require(try await killed.send("CLIENT", "ID").integer)
        let killer = try await strategy.makeConnection()
        try await killer.send("CLIENT", "KILL", "ID", identity)
        do {
            let isValid = try await strategy.validateConnection(&killed)
            #expect(!isValid)
        } catch let error as RedisError {
            #expect(error.code == .connectionClosed)
        }
        try await strategy.closeConnection(killed)
        try await strategy.closeConnection(killer)

        #expect(try await outcome(ofAnswer: "+PANG\r\n") == nil)
        #expect(try await outcome(ofAnswer: "!\r\n") == .protocolError)
        #expect(try await outcome(ofAnswer: "") == .commandTimedOut)
    }

    /// The error code of validating a connection that gets this answer; `nil` if validation returns `false`.
    private func outcome(ofAnswer answer: String) async throws -> RedisError.Code? {
        let server = try await FakeServer.answering(answer)
        var configuration = server.configuration
        configuration.commandTimeout = .seconds(2)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        var connection = try await strategy.makeConnection()
        var code: RedisError.Code?
        do {
            let isValid = try await strategy.validateConnection(&connection)
            #expect(!isValid)
        } catch let error as RedisError {
            code = error.code
        }
        try await strategy.closeConnection(connection)
        try await server.stop()
        return code
    }

    @Test("A wrong password is a permanent error; a server that is down or full is not")
    func permanent() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "right", "--maxclients", "1"])
        defer { server.stop() }
        var configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        configuration.password = "wrong"
        let wrong = try RedisConnectionStrategy(configuration: configuration)
        let refused = try #require(await redisError { try await wrong.makeConnection().close() })
        #expect(wrong.connectErrorIsPermanent(refused))

        configuration.password = "right"
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        // The server may need a moment to notice that the previous connection has closed.
        let pool = try ConnectionPool(strategy: strategy, maxSize: 1)
        try await pool.waitUntilHealthy()
        let full = try #require(await redisError { try await strategy.makeConnection().close() })
        #expect(full.message.contains("max number of clients"))
        #expect(!strategy.connectErrorIsPermanent(full))
        await pool.shutdown()

        server.kill()
        let away = try #require(await redisError { try await strategy.makeConnection().close() })
        #expect(!strategy.connectErrorIsPermanent(away))
        #expect(!strategy.connectErrorIsPermanent(CancellationError()))
    }

    @Test("With retries a caller waits for a server that is down, and fails at once if the password is wrong")
    func retries() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "right"])
        defer { server.stop() }
        var redis = RedisConfiguration(unixSocketPath: server.socketPath)
        redis.password = "right"
        var configuration = ConnectionPoolConfiguration(maxSize: 2)
        configuration.connectRetry = ConnectionBackoff(base: .milliseconds(10), cap: .milliseconds(50))
        let pool = try ConnectionPool(
            strategy: RedisConnectionStrategy(configuration: redis),
            configuration: configuration
        )
        server.kill()
        let caller = Task { try await pool.withConnection { try await $0.send("PING").string } }
        try await Task.sleep(for: .milliseconds(100))
        try server.start()
        #expect(try await caller.value == "PONG")
        await pool.shutdown()

        redis.password = "wrong"
        let wrong = try ConnectionPool(
            strategy: RedisConnectionStrategy(configuration: redis),
            configuration: configuration
        )
        let error = await redisError { try await wrong.withConnection { _ = try await $0.send("PING") } }
        #expect(error?.code == .authenticationFailed)
        await wrong.shutdown()
    }

    @Test("The pool closes a connection after an error that breaks it, and keeps it after other errors")
    func broken() async throws {
        let strategy = try sharedStrategy { $0.commandTimeout = .seconds(2) }
        let pool = try ConnectionPool(strategy: strategy, maxSize: 1)
        func identity() async throws -> Int? {
            try await pool.withConnection { try await $0.send("CLIENT", "ID").integer }
        }
        let first = try await identity()
        let refused = await redisError { try await pool.withConnection { _ = try await $0.send("NONSENSE") } }
        #expect(refused?.code == .serverError)
        #expect(try await identity() == first)
        let late = await redisError {
            try await pool.withConnection { _ = try await $0.send("BLPOP", uniqueKey(), 0) }
        }
        #expect(late?.code == .commandTimedOut)
        #expect(
            try await eventually { pool.statistics.total == 0 },
            "The pool closes the connection although nobody acquires it."
        )
        #expect(try await identity() != first)
        await pool.shutdown()

        for code in [RedisError.Code.commandTimedOut, .serverError] {
            let error = code == .serverError ? refused : late
            #expect(try strategy.connectionVerdict(after: #require(error)) == (code == .serverError ? .keep : .discard))
        }
        #expect(strategy.connectionVerdict(after: CancellationError()) == .keep)
    }

    @Test("Aborting a pool ends the commands in progress")
    func abort() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), maxSize: 2)
        let key = uniqueKey()
        let blocked = Task { try await pool.withConnection { _ = try await $0.send("BLPOP", key, 0) } }
        #expect(
            try await eventually {
                try await pool.withConnection { try await $0.send("CLIENT", "LIST").string }?.contains("cmd=blpop")
                    == true
            }
        )
        await pool.abort()
        let error = await redisError { try await blocked.value }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("this client closed it") == true)
        #expect(pool.statistics.total == 0)
    }
}
