// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import NIOCore
import Testing

@Suite("Connections that fail", .timeLimit(.minutes(5)))
struct FailureTests {
    @Test("A connection that the server closes is noticed without sending a command")
    func clientKill() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        let identity = try #require(try await connection.send("CLIENT", "ID").integer)
        #expect(!strategy.connectionIsClosed(connection))
        let killer = try await strategy.makeConnection()
        #expect(try await killer.send("CLIENT", "KILL", "ID", identity).integer == 1)
        #expect(try await eventually { strategy.connectionIsClosed(connection) })
        let error = await redisError { try await connection.send("PING") }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("the server closed the connection") == true)
        try await strategy.closeConnection(connection)
        try await strategy.closeConnection(killer)
    }

    @Test("Commands in progress fail when the server is killed, and new connections open when it is back")
    func serverKilled() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        let idle = try await strategy.makeConnection()
        let busy = try await strategy.makeConnection()
        let shared = UncheckedConnection(connection: busy)
        let command = Task { try await shared.connection.send("BLPOP", "nothing", 0) }
        #expect(try await eventually { try await idle.send("INFO").string?.contains("blocked_clients:1") == true })

        server.kill()
        let error = await redisError { _ = try await command.value }
        #expect(error?.code == .connectionClosed)
        #expect(strategy.connectionIsClosed(busy))
        #expect(try await eventually { strategy.connectionIsClosed(idle) })
        #expect(await redisError { try await strategy.makeConnection().close() }?.code == .connectFailed)

        try server.start()
        let again = try await strategy.makeConnection()
        #expect(try await again.send("PING").string == "PONG")
        try await strategy.closeConnection(idle)
        try await strategy.closeConnection(busy)
        try await strategy.closeConnection(again)
    }

    @Test("A command that is not answered in time fails and closes the connection")
    func commandTimeout() async throws {
        let strategy = try sharedStrategy { $0.commandTimeout = .milliseconds(100) }
        let connection = try await strategy.makeConnection()
        let start = ContinuousClock.now
        let error = await redisError { try await connection.send("BLPOP", uniqueKey(), 0) }
        #expect(error?.code == .commandTimedOut)
        #expect(error?.message.contains("within 0.1 s") == true)
        #expect(ContinuousClock.now - start >= .milliseconds(100))
        #expect(strategy.connectionIsClosed(connection))
        #expect(await redisError { try await connection.send("PING") }?.code == .connectionClosed)
        try await strategy.closeConnection(connection)
    }

    @Test("A command can have a longer timeout than the configured one, which then applies to the next command again")
    func ownTimeout() async throws {
        let connection = try await connect { $0.commandTimeout = .milliseconds(250) }
        let blocking = RedisCommand("BLPOP", uniqueKey(), 0.6)
        #expect(try await connection.send(blocking, timeout: .seconds(30)).isNull)
        #expect(try await connection.send(blocking, timeout: nil).isNull)
        #expect(await redisError { try await connection.send(blocking) }?.code == .commandTimedOut)
    }

    @Test("The timeout applies to each command, not to the connection")
    func timeoutIsPerCommand() async throws {
        // Even a busy machine answers within this time.
        let connection = try await connect { $0.commandTimeout = .seconds(5) }
        let end = ContinuousClock.now + .seconds(6)
        while ContinuousClock.now < end {
            #expect(try await connection.send("PING").string == "PONG")
            try await Task.sleep(for: .milliseconds(20))
        }
        try await connection.close()
    }

    @Test("The error of an interrupted pipeline tells how many replies had arrived")
    func cutOffPipeline() async throws {
        let server = try await FakeServer.start { number, channel in
            channel.send(number == 0 ? "+PONG\r\n" : "+one\r\n+two\r\n$10\r\nhal")
            if number > 0 { channel.close(promise: nil) }
        }
        let connection = try await RedisConnectionStrategy(configuration: server.configuration).makeConnection()
        let error = await redisError {
            _ = try await connection.pipeline(Array(repeating: RedisCommand("PING"), count: 3))
        }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("2 of 3 replies") == true)
        try await server.stop()
    }

    @Test("Closing a connection twice, or after the server has closed it, succeeds at once")
    func closeIsIdempotent() async throws {
        let strategy = try sharedStrategy()
        let connection = try await strategy.makeConnection()
        try await connection.close()
        #expect(connection.isClosed)
        try await connection.close()
        try await strategy.closeConnection(connection)

        let quit = try await strategy.makeConnection()
        try await quit.send("QUIT")
        #expect(strategy.connectionIsClosed(quit))
        try await strategy.closeConnection(quit)
    }

    @Test("A cancelled task can close a connection")
    func closeWhenCancelled() async throws {
        let strategy = try sharedStrategy()
        let task = Task {
            let connection = try await strategy.makeConnection()
            withUnsafeCurrentTask { $0?.cancel() }
            try await connection.close()
            return connection.isClosed
        }
        #expect(try await task.value)
    }

    @Test("Closing a connection ends the command in progress")
    func closeInProgress() async throws {
        let connection = try await connect()
        let shared = UncheckedConnection(connection: connection)
        let command = Task { try await shared.connection.send("BLPOP", uniqueKey(), 0) }
        try await Task.sleep(for: .milliseconds(20))
        try await connection.close()
        let error = await redisError { _ = try await command.value }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("this client closed it") == true)
    }

    @Test("A connection that is released without being closed closes itself")
    func released() async throws {
        let name = "released-\(UInt32.random(in: 0 ... .max))"
        let observer = try await connect()
        func isThere() async throws -> Bool {
            try await observer.send("CLIENT", "LIST").string?.contains(name) == true
        }
        func openAndRelease() async throws {
            let connection = try await connect { $0.clientName = name }
            #expect(try await isThere())
            #expect(!connection.isClosed)
        }
        try await openAndRelease()
        #expect(try await eventually { try await !isThere() })
        try await observer.close()
    }
}
