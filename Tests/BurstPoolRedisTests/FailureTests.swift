import BurstPoolRedis
import BurstPoolRedisServer
import NIOCore
import Testing

@Suite("Connections that fail", .timeLimit(.minutes(5)))
struct FailureTests {
    @Test("a connection that the server kills is noticed without a command being sent")
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

    @Test("a server that is killed fails the commands under way, and is used again once it is back")
    func serverKilled() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        let idle = try await strategy.makeConnection()
        let busy = try await strategy.makeConnection()
        let lent = Lent(connection: busy)
        let command = Task { try await lent.connection.send("BLPOP", "nothing", 0) }
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

    @Test("a command that is not answered in time fails, and closes the connection")
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

    @Test("a command may have a longer timeout than the configured one, and its successor has the configured one again")
    func ownTimeout() async throws {
        let connection = try await connect { $0.commandTimeout = .milliseconds(250) }
        let blocking = RedisCommand("BLPOP", uniqueKey(), 0.6)
        #expect(try await connection.send(blocking, timeout: .seconds(30)).isNull)
        #expect(try await connection.send(blocking, timeout: nil).isNull)
        #expect(await redisError { try await connection.send(blocking) }?.code == .commandTimedOut)
    }

    @Test("many commands in time, one after another, outlive the timeout of each")
    func timeoutIsPerCommand() async throws {
        // Long enough for a busy machine to answer in.
        let connection = try await connect { $0.commandTimeout = .seconds(5) }
        let end = ContinuousClock.now + .seconds(6)
        while ContinuousClock.now < end {
            #expect(try await connection.send("PING").string == "PONG")
            try await Task.sleep(for: .milliseconds(20))
        }
        try await connection.close()
    }

    @Test("a pipeline that the server cuts off tells how many replies had come")
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

    @Test("closing twice, and closing what the server has closed, succeeds at once")
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

    @Test("closing succeeds for a task that is cancelled")
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

    @Test("closing ends the command under way")
    func closeUnderWay() async throws {
        let connection = try await connect()
        let lent = Lent(connection: connection)
        let command = Task { try await lent.connection.send("BLPOP", uniqueKey(), 0) }
        try await Task.sleep(for: .milliseconds(20))
        try await connection.close()
        let error = await redisError { _ = try await command.value }
        #expect(error?.code == .connectionClosed)
        #expect(error?.message.contains("this client closed it") == true)
    }

    @Test("a connection that is dropped without being closed is closed")
    func dropped() async throws {
        let name = "dropped-\(UInt32.random(in: 0 ... .max))"
        let observer = try await connect()
        func isThere() async throws -> Bool {
            try await observer.send("CLIENT", "LIST").string?.contains(name) == true
        }
        func openAndDrop() async throws {
            let connection = try await connect { $0.clientName = name }
            #expect(try await isThere())
            #expect(!connection.isClosed)
        }
        try await openAndDrop()
        #expect(try await eventually { try await !isThere() })
        try await observer.close()
    }
}
