import BurstPoolRedis
import BurstPoolRedisServer
import NIOCore
import NIOPosix
import Testing

@Suite("Opening connections", .timeLimit(.minutes(5)))
struct ConnectTests {
    @Test("a wrong password is refused with the server's reason")
    func wrongPassword() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "right"])
        defer { server.stop() }
        var configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        configuration.password = "wrong"
        let error = await openingError(configuration)
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("WRONGPASS invalid username-password pair") == true)
        #expect((error?.underlyingError as? RedisError)?.serverCode == "WRONGPASS")

        configuration.password = nil
        let without = await openingError(configuration)
        #expect(without?.code == .authenticationFailed)
        #expect(without?.message.contains("NOAUTH Authentication required") == true)

        configuration.password = "right"
        configuration.database = 1
        let connection = try await RedisConnectionStrategy(configuration: configuration).makeConnection()
        #expect(try await connection.send("PING").string == "PONG")
        try await connection.close()
    }

    @Test("a password for a server that has none is refused with the server's reason")
    func needlessPassword() async throws {
        let error = await redisError { try await connect { $0.password = "x" }.close() }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("without any password configured") == true)
    }

    @Test("a user of the access control list is let in with the right password only, and is who it is")
    func accessControl() async throws {
        let admin = try await connect()
        let user = "user-\(UInt32.random(in: 0 ... .max))"
        try await admin.send("ACL", "SETUSER", user, "on", ">s3crét@/", "+acl|whoami", "+echo")
        let connection = try await connect {
            $0.username = user
            $0.password = "s3crét@/"
        }
        #expect(try await connection.send("ACL", "WHOAMI").string == user)
        let forbidden = await redisError { try await connection.send("GET", "x") }
        #expect(forbidden?.serverCode == "NOPERM")
        let refused = await redisError {
            try await connect {
                $0.username = user
                $0.password = "s3cret"
            }.close()
        }
        #expect(refused?.code == .authenticationFailed)
        try await connection.close()
        try await admin.send("ACL", "DELUSER", user)
        try await admin.close()
    }

    @Test("the database and the client name are those of the configuration")
    func databaseAndClientName() async throws {
        let connection = try await connect {
            $0.database = 5
            $0.clientName = "burst-test"
        }
        let info = try await connection.send("CLIENT", "INFO").string ?? ""
        #expect(info.contains(" db=5 "))
        #expect(info.contains(" name=burst-test "))
        try await connection.close()
    }

    @Test(
        "a database that the server does not have and a client name that it does not allow are refused with its reason"
    )
    func refusedSetUp() async throws {
        let database = await redisError { try await connect { $0.database = 4711 }.close() }
        #expect(database?.code == .connectFailed)
        #expect(database?.message.contains("database 4711: ERR DB index is out of range") == true)
        let name = await redisError { try await connect { $0.clientName = "two words" }.close() }
        #expect(name?.code == .connectFailed)
        #expect(name?.message.contains("ERR Client names cannot contain spaces") == true)
    }

    @Test("a server on a port is reached by address, by name and by URL")
    func overInternetProtocol() async throws {
        let server = try RedisServer(listensOnPort: true)
        defer { server.stop() }
        let port = try #require(server.port)
        let strategies = [
            try RedisConnectionStrategy(configuration: RedisConfiguration(host: "127.0.0.1", port: port)),
            try RedisConnectionStrategy(configuration: RedisConfiguration(host: "localhost", port: port)),
            try RedisConnectionStrategy(url: "redis://127.0.0.1:\(port)/3?client_name=by-url"),
        ]
        for strategy in strategies {
            let connection = try await strategy.makeConnection()
            let info = try await connection.send("CLIENT", "INFO").string ?? ""
            #expect(info.contains(" db=\(strategy.configuration.database) "))
            #expect(info.contains(" name=\(strategy.configuration.clientName ?? "") "))
            try await strategy.closeConnection(connection)
        }
    }

    @Test("a port that nobody listens on, and a socket that is not there, give the system's reason")
    func nobodyThere() async throws {
        let socket = try PlainSocket(isInternet: true)
        let port = try #require(socket.bindToLoopback())
        let refused = await openingError(RedisConfiguration(host: "127.0.0.1", port: port))
        #expect(refused?.code == .connectFailed)
        #expect(refused?.message.contains("127.0.0.1:\(port)") == true)
        #expect(refused?.message.contains("Connection refused") == true)
        #expect(refused?.underlyingError is NIOConnectionError)

        let missing = await openingError(RedisConfiguration(unixSocketPath: "/nonexistent/redis.sock"))
        #expect(missing?.code == .connectFailed)
        #expect(missing?.message.contains("/nonexistent/redis.sock") == true)
        #expect(missing?.message.contains("No such file or directory") == true)
    }

    @Test("a host name that cannot be resolved is named in the error")
    func unresolvableName() async throws {
        // No label of a name is longer than 63 characters, so the resolver need not ask anybody.
        let host = String(repeating: "x", count: 64) + ".invalid"
        var configuration = RedisConfiguration(host: host)
        configuration.connectTimeout = .seconds(30)
        let error = await openingError(configuration)
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains(host) == true)
        #expect(error?.message.contains("cannot be resolved") == true)
    }

    @Test("a server that accepts and never answers ends in the connect timeout", arguments: [false, true])
    func blackHole(withPassword: Bool) async throws {
        let server = try await FakeServer.start { _, _ in }
        var configuration = server.configuration
        configuration.connectTimeout = .seconds(2)
        configuration.password = withPassword ? "x" : nil
        let start = ContinuousClock.now
        let error = await openingError(configuration)
        #expect(error?.code == .connectTimedOut)
        #expect(error?.message.contains("did not answer") == true)
        #expect(ContinuousClock.now - start >= .seconds(2))
        try await server.stop()
    }

    @Test("a server that hangs up at once, or answers nonsense, is told from one that is not there")
    func rudeServers() async throws {
        let hangsUp = try await FakeServer.start { _, channel in channel.close(promise: nil) }
        let closed = await openingError(hangsUp.configuration)
        #expect(closed?.code == .connectFailed)
        #expect(closed?.message.contains("the server closed the connection") == true)
        try await hangsUp.stop()

        let web = try await FakeServer.start { _, channel in channel.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let nonsense = await openingError(web.configuration)
        #expect(nonsense?.code == .connectFailed)
        #expect(nonsense?.message.contains("not Redis's protocol") == true)
        try await web.stop()
    }

    @Test("a server with too many clients is quoted")
    func tooManyClients() async throws {
        let server = try RedisServer(arguments: ["--maxclients", "1"])
        defer { server.stop() }
        let configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        // The socket of the test that looked whether the server answers may be still closing.
        let first = try await firstSuccess { try await strategy.makeConnection() }
        let error = await openingError(configuration)
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("max number of clients reached") == true)
        try await first.close()
    }

    @Test("cancelling the opening of a connection ends it, and leaves no connection behind")
    func cancelledOpening() async throws {
        let opened = Counter()
        let server = try await FakeServer.start { _, channel in
            opened.add(1)
            channel.closeFuture.whenComplete { _ in opened.add(-1) }
        }
        let strategy = try RedisConnectionStrategy(configuration: server.configuration)
        let task = Task { try await strategy.makeConnection().close() }
        #expect(try await eventually { opened.value == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await eventually { opened.value == 0 })

        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            try await strategy.makeConnection().close()
        }
        early.cancel()
        await #expect(throws: CancellationError.self) { try await early.value }
        try await server.stop()
    }

    @Test("a configuration that makes no sense is refused before anything is connected")
    func invalidConfigurations() throws {
        func refusal(_ change: (inout RedisConfiguration) -> Void) -> RedisError? {
            var configuration = RedisConfiguration(host: "localhost")
            change(&configuration)
            return #expect(throws: RedisError.self) { try RedisConnectionStrategy(configuration: configuration) }
        }
        let refusals: [(RedisError?, String)] = [
            (refusal { $0.endpoint = .tcp(host: "", port: 1) }, "host is empty"),
            (refusal { $0.endpoint = .tcp(host: "a\0b", port: 1) }, "zero byte"),
            (refusal { $0.endpoint = .tcp(host: "a", port: 0) }, "port 0"),
            (refusal { $0.endpoint = .tcp(host: "a", port: 65_536) }, "port 65536"),
            (refusal { $0.endpoint = .unixSocket(path: "") }, "path of the unix socket is empty"),
            (refusal { $0.endpoint = .unixSocket(path: String(repeating: "/x", count: 100)) }, "too long"),
            (refusal { $0.database = -1 }, "database -1"),
            (refusal { $0.connectTimeout = .zero }, "connect timeout"),
            (refusal { $0.commandTimeout = .seconds(-1) }, "command timeout"),
            (refusal { $0.maximumReplyBytes = 0 }, "maximumReplyBytes is 0"),
            (refusal { $0.maximumReplyBytes = .max }, "maximumReplyBytes"),
        ]
        for (error, words) in refusals {
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
        }
    }

    @Test("timeouts of any length are taken")
    func extremeTimeouts() async throws {
        let connection = try await connect {
            $0.connectTimeout = .seconds(Int64.max)
            $0.commandTimeout = .seconds(Int64.max)
        }
        #expect(try await connection.send("PING").string == "PONG")
        #expect(try await connection.send(RedisCommand("PING"), timeout: nil).string == "PONG")
        let negative = await redisError { try await connection.send(RedisCommand("PING"), timeout: .seconds(-1)) }
        #expect(negative?.code == .invalidConfiguration)
        try await connection.close()
    }

    @Test("connections live on the event loops that one gives")
    func ownEventLoops() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let configuration = try sharedStrategy().configuration
        let strategy = try RedisConnectionStrategy(configuration: configuration, eventLoopGroup: group)
        let connection = try await strategy.makeConnection()
        #expect(try await connection.send("PING").string == "PONG")
        // The loops end, and the connection with them: no call hangs.
        try await group.shutdownGracefully()
        #expect(strategy.connectionIsClosed(connection))
        #expect(await redisError { try await connection.send("PING") }?.code == .connectionClosed)
        try await strategy.closeConnection(connection)
    }

    private func openingError(_ configuration: RedisConfiguration) async -> RedisError? {
        await redisError {
            try await RedisConnectionStrategy(configuration: configuration).makeConnection().close()
        }
    }

    private func firstSuccess(_ body: () async throws -> sending RedisConnection) async throws -> RedisConnection {
        for _ in 0..<500 {
            if let connection = try? await body() { return connection }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await body()
    }
}
