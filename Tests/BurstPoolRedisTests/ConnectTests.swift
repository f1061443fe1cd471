// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import NIOCore
import NIOPosix
import Testing

@Suite("Opening connections", .timeLimit(.minutes(5)))
struct ConnectTests {
    @Test("A wrong password is an authentication error with the server's reason")
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

    @Test("A password for a server without one is an authentication error with the server's reason")
    func needlessPassword() async throws {
        let error = await redisError { try await connect { $0.password = "x" }.close() }
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("without any password configured") == true)
    }

    @Test("A user of the access control list needs the right password")
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

    @Test("The connection has the configured database and client name")
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

    @Test("A database that the server does not have is refused with the server's reason")
    func unknownDatabase() async throws {
        let database = await redisError { try await connect { $0.database = 4711 }.close() }
        #expect(database?.code == .connectFailed)
        #expect(database?.message.contains("refused database 4711") == true)
        #expect(database?.message.contains("ERR DB index is out of range") == true)
    }

    @Test("A connection whose name the server refuses is used without a name")
    func refusedName() async throws {
        let connection = try await connect { $0.clientName = "two words" }
        #expect(try await connection.send("CLIENT", "GETNAME").string?.isEmpty != false)
        try await connection.close()
    }

    @Test("A server on a port is reached by address, by name and by URL")
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

    @Test("The error for a closed port and for a missing socket gives the system's reason")
    func nothingListens() async throws {
        let socket = try PlainSocket(isInternet: true)
        let port = try #require(socket.bindToLoopback())
        let refused = await openingError(RedisConfiguration(host: "127.0.0.1", port: port))
        #expect(refused?.code == .connectFailed)
        #expect(refused?.message.contains("127.0.0.1:\(port)") == true)
        #expect(refused?.message.contains("Connection refused") == true)
        #expect(refused?.underlyingError is NIOConnectionError)
        #expect(
            refused?.message
                == "Cannot connect to 127.0.0.1:\(port): Connection refused. Nothing listens at this address. "
                + "Check that the server runs, and the host and the port."
        )

        let missing = await openingError(RedisConfiguration(unixSocketPath: "/nonexistent/redis.sock"))
        #expect(missing?.code == .connectFailed)
        #expect(missing?.message.contains("/nonexistent/redis.sock") == true)
        #expect(missing?.message.contains("No such file or directory") == true)
    }

    @Test("The error names a host that cannot be resolved")
    func unresolvableName() async throws {
        // A label has at most 63 characters, so the resolver refuses the name without asking a server.
        let host = String(repeating: "x", count: 64) + ".invalid"
        var configuration = RedisConfiguration(host: host)
        configuration.connectTimeout = .seconds(30)
        let error = await openingError(configuration)
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains(host) == true)
        #expect(error?.message.contains("cannot be resolved") == true)
    }

    @Test("A server that accepts connections and never answers causes a connect timeout", arguments: [false, true])
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

    @Test("The errors for servers that close the connection, or are not Redis servers, say so")
    func otherServers() async throws {
        let hangsUp = try await FakeServer.start { _, channel in channel.close(promise: nil) }
        let closed = await openingError(hangsUp.configuration)
        #expect(closed?.code == .connectFailed)
        #expect(closed?.message.contains("the server closed the connection") == true)
        try await hangsUp.stop()

        let answers = [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "'HTTP/1.1 400 Bad Request' is not Redis's protocol"),
            ("SSH-2.0-OpenSSH_9.2p1\r\n", "'SSH-2.0-OpenSSH_9.2p1' is not Redis's protocol"),
            ("+OK POP3 ready\r\n", "answered PING with 'OK POP3 ready'"),
            ("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}", "expects TLS. Use rediss://"),
        ]
        for (answer, words) in answers {
            let server = try await FakeServer.start { _, channel in channel.send(answer) }
            let error = await openingError(server.configuration)
            #expect(error?.code == .connectFailed)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("127.0.0.1") == true)
            try await server.stop()
        }
    }

    @Test("The error for a server with too many clients quotes the server")
    func tooManyClients() async throws {
        let server = try RedisServer(arguments: ["--maxclients", "1"])
        defer { server.stop() }
        let configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        let strategy = try RedisConnectionStrategy(configuration: configuration)
        // The socket that tested whether the server answers may still be closing.
        let first = try await firstSuccess { try await strategy.makeConnection() }
        let error = await openingError(configuration)
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("max number of clients reached") == true)
        try await first.close()
    }

    @Test("Cancelling an attempt to connect ends it and leaves no connection open")
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

    @Test("An invalid configuration is refused before the first connection")
    func invalidConfigurations() throws {
        func tls(_ change: (inout RedisTLSConfiguration) -> Void) -> RedisTLSConfiguration {
            var configuration = RedisTLSConfiguration()
            change(&configuration)
            return configuration
        }
        func refusal(_ change: (inout RedisConfiguration) -> Void) -> RedisError? {
            var configuration = RedisConfiguration(host: "localhost")
            change(&configuration)
            return #expect(throws: RedisError.self) { try RedisConnectionStrategy(configuration: configuration) }
        }
        let refusals: [(RedisError?, String)] = [
            (refusal { $0.endpoint = .tcp(host: "", port: 1) }, "The host is empty"),
            (refusal { $0.endpoint = .tcp(host: "a\0b", port: 1) }, "zero byte"),
            (refusal { $0.endpoint = .tcp(host: "a", port: 0) }, "The port is 0"),
            (refusal { $0.endpoint = .tcp(host: "a", port: 65_536) }, "The port is 65536"),
            (refusal { $0.endpoint = .unixSocket(path: "") }, "path of the unix socket is empty"),
            (refusal { $0.endpoint = .unixSocket(path: String(repeating: "/x", count: 100)) }, "too long"),
            (refusal { $0.database = -1 }, "The database is -1"),
            (refusal { $0.connectTimeout = .zero }, "The connect timeout"),
            (refusal { $0.commandTimeout = .seconds(-1) }, "The command timeout"),
            (refusal { $0.maximumReplyBytes = 0 }, "maximumReplyBytes is 0"),
            (refusal { $0.maximumReplyBytes = .max }, "maximumReplyBytes"),
            (refusal { $0.tls = tls { $0.serverName = "" } }, "server name is empty"),
            (refusal { $0.tls = tls { $0.serverName = "127.0.0.1" } }, "is an IP address"),
            (
                refusal {
                    $0.endpoint = .unixSocket(path: "/x")
                    $0.tls = RedisTLSConfiguration()
                }, "TLS on TCP ports only"
            ),
        ]
        for (error, words) in refusals {
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
        }
    }

    @Test("Timeouts may have any length")
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

    @Test("Connections use the given event loops")
    func ownEventLoops() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let configuration = try sharedStrategy().configuration
        let strategy = try RedisConnectionStrategy(configuration: configuration, eventLoopGroup: group)
        let connection = try await strategy.makeConnection()
        #expect(try await connection.send("PING").string == "PONG")
        // The connection closes with its event loop, and no call hangs.
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
