// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Synchronization
import Testing

@Suite("Connecting", .timeLimit(.minutes(5)))
struct ConnectTests {
    @Test("TCP and the unix socket work")
    func transports() async throws {
        for url in [try sharedServer.url, try sharedServer.socketURL] {
            let connection = try await PostgresConnectionStrategy(url: url).makeConnection()
            #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
            await connection.close()
        }
    }

    @Test("TLS works with the right authority and host, and is refused with the wrong ones")
    func tls() async throws {
        let server = try sharedServer
        func connect(_ change: (inout PostgresConfiguration) -> Void) async throws -> sending PostgresConnection {
            try await sharedStrategy { configuration in
                configuration.parameters["sslmode"] = "verify-full"
                configuration.parameters["sslrootcert"] = server.authorityPath
                change(&configuration)
            }.makeConnection()
        }
        for host in ["127.0.0.1", "localhost"] {
            let connection = try await connect {
                $0.parameters["host"] = host
                $0.parameters["hostaddr"] = "127.0.0.1"
            }
            #expect(connection.isEncrypted)
            let rows = try await connection.query("SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n")
            #expect(rows.count == 5000)
            await connection.close()
        }
        let wrongAuthority = try #require(
            await postgresError { await (try connect { $0.parameters["sslrootcert"] = server.strangerPath }).close() }
        )
        #expect(wrongAuthority.code == .tlsFailed, "\(wrongAuthority)")
        #expect(wrongAuthority.description.contains("certificate verify failed"))
        let wrongHost = try #require(
            await postgresError {
                await
                    (try connect {
                        $0.parameters["host"] = "db.example"
                        $0.parameters["hostaddr"] = "127.0.0.1"
                    }).close()
            }
        )
        #expect(wrongHost.code == .tlsFailed, "\(wrongHost)")
        let noRoot = try #require(
            await postgresError { await (try connect { $0.parameters["sslrootcert"] = "/nowhere" }).close() }
        )
        #expect(noRoot.code == .tlsFailed, "\(noRoot)")
        let strategy = try sharedStrategy()
        for error in [wrongAuthority, wrongHost, noRoot] { #expect(strategy.connectErrorIsPermanent(error)) }
    }

    @Test("a wrong password and a missing database are permanent, and a server that is away is not")
    func permanentErrors() async throws {
        let strategy = try sharedStrategy()
        func failure(_ change: (inout PostgresConfiguration) -> Void) async throws -> PostgresError {
            try #require(await postgresError { await (try connect(change)).close() })
        }
        let password = try await failure { $0.parameters["password"] = "wrong" }
        #expect(password.code == .authenticationFailed)
        #expect(password.sqlState == "28P01")
        #expect(!password.description.contains("wrong"))
        let noPassword = try await failure {
            $0.parameters["password"] = nil; $0.parameters["passfile"] = "/nowhere"
        }
        #expect(noPassword.code == .authenticationFailed, "\(noPassword)")
        let database = try await failure { $0.parameters["dbname"] = "nowhere" }
        #expect(database.sqlState == "3D000", "\(database)")
        #expect(database.description.contains("nowhere"))
        let mode = try await failure { $0.parameters["sslmode"] = "perhaps" }
        #expect(mode.code == .invalidConfiguration, "\(mode)")
        for error in [password, noPassword, database, mode] {
            #expect(strategy.connectErrorIsPermanent(error), "\(error)")
        }

        let refused = try await failure { $0.parameters["port"] = "1" }
        #expect(refused.code == .connectFailed)
        #expect(refused.description.contains("127.0.0.1"))
        #expect(!strategy.connectErrorIsPermanent(refused))
        #expect(!strategy.connectErrorIsPermanent(CancellationError()))
    }

    @Test("too many connections is a reason to wait, not to give up")
    func tooManyConnections() async throws {
        let server = try sharedServer
        let (role, first) = (uniqueName(), try await connect())
        try await first.execute("CREATE ROLE \(role) LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
        let limited = try strategy(for: server) {
            $0.parameters["user"] = role
            $0.parameters["password"] = "x"
        }
        let only = try await limited.makeConnection()
        let full = try #require(await postgresError { await (try limited.makeConnection()).close() })
        #expect(full.sqlState == "53300")
        #expect(!limited.connectErrorIsPermanent(full))

        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.connectRetry = .init()
        let pool = try ConnectionPool(strategy: limited, configuration: configuration)
        async let answer = pool.withConnection { try await $0.query("SELECT 1").only()[0, as: Int.self] }
        try await Task.sleep(for: .milliseconds(50))
        await only.close()
        #expect(try await answer == 1)
        await pool.shutdown()
        try await first.execute("DROP ROLE \(role)")
        await first.close()
    }

    @Test("the hosts are tried in turn, and one that does not answer has its time")
    func severalHosts() async throws {
        let server = try sharedServer
        let silent = try SilentListener()
        let connection = try await connect {
            $0.parameters["host"] = "127.0.0.1,127.0.0.1,127.0.0.1"
            $0.parameters["port"] = "1,\(silent.port),\(server.port)"
            $0.parameters["target_session_attrs"] = "read-write"
            $0.connectTimeout = .seconds(5)
        }
        #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
        await connection.close()

        let start = ContinuousClock.now
        let timeout = try #require(
            await postgresError {
                await
                    (try connect {
                        $0.parameters["port"] = "\(silent.port)"
                        $0.connectTimeout = .milliseconds(200)
                    }).close()
            }
        )
        #expect(timeout.code == .connectTimedOut)
        #expect(ContinuousClock.now - start < .seconds(120))
        silent.close()
    }

    @Test("a connection attempt that is cancelled ends soon")
    func cancelledAttempt() async throws {
        let silent = try SilentListener()
        // Starting the server takes time of its own.
        _ = try sharedServer
        let start = ContinuousClock.now
        let task = Task {
            await
                (try connect {
                    $0.parameters["port"] = "\(silent.port)"
                    $0.connectTimeout = .seconds(600)
                }).close()
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(120))
        silent.close()
    }

    @Test("credentials are asked for per connection, kept while they are valid, and asked for again when refused")
    func credentials() async throws {
        let asked = Counter()
        let password = Mutex("wrong")
        func strategy(validFor: Duration?) throws -> PostgresConnectionStrategy {
            try sharedStrategy {
                $0.parameters["password"] = nil
                $0.credentials = {
                    asked.add()
                    return PostgresCredentials(password: password.withLock { $0 }, validFor: validFor)
                }
            }
        }
        let refused = await postgresError { await (try strategy(validFor: nil).makeConnection()).close() }
        #expect(refused?.code == .authenticationFailed)
        #expect(asked.value == 2)

        password.withLock { $0 = PostgresServer.password }
        let perConnection = try strategy(validFor: nil)
        for _ in 0..<2 { await (try perConnection.makeConnection()).close() }
        #expect(asked.value == 4)
        let kept = try strategy(validFor: .seconds(60))
        for _ in 0..<3 { await (try kept.makeConnection()).close() }
        #expect(asked.value == 5)

        struct Unavailable: Error {}
        let failing = try sharedStrategy { $0.credentials = { throw Unavailable() } }
        let unavailable = await postgresError { await (try failing.makeConnection()).close() }
        #expect(unavailable?.code == .credentialsUnavailable)
        #expect(unavailable?.underlyingError is Unavailable)
        #expect(!failing.connectErrorIsPermanent(try #require(unavailable)))
    }

    @Test("a password that changes under load is fetched once it is refused, and no caller notices")
    func rotation() async throws {
        let role = uniqueName()
        let administrator = try await connect()
        try await administrator.execute("CREATE ROLE \(role) LOGIN PASSWORD 'first'")
        let password = Mutex("first")
        let rotating = try sharedStrategy {
            $0.parameters["user"] = role
            $0.credentials = { PostgresCredentials(password: password.withLock { $0 }, validFor: .seconds(600)) }
        }
        let pool = try ConnectionPool(strategy: rotating, configuration: .init(maxSize: 4))
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<60 {
                        if number == 20 { pool.evictAll() }
                        let answer = try await pool.withConnection { try await $0.query("SELECT 1").count }
                        #expect(answer == 1)
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    return 60
                }
            }
            try await administrator.execute("ALTER ROLE \(role) PASSWORD 'second'")
            password.withLock { $0 = "second" }
            pool.evictAll()
            return try await group.reduce(0, +)
        }
        #expect(answers == 240)
        await pool.shutdown()
        try await administrator.execute("DROP ROLE \(role)")
        await administrator.close()
    }

    @Test("a URL gives libpq's parameters, and what is wrong with it is named without the password")
    func urls() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://ada:p%40ss@db.internal:5433,other/app?sslmode=verify-full&connect_timeout=7"
        )
        #expect(configuration.parameters["host"] == "db.internal,other")
        #expect(configuration.parameters["password"] == "p@ss")
        #expect(configuration.connectTimeout == .seconds(7))
        for text in ["\(configuration)", String(reflecting: configuration)] {
            #expect(!text.contains("p@ss"))
            #expect(text.contains("db.internal"))
        }
        #expect(try PostgresConfiguration(url: "host=/tmp dbname=x").parameters == ["host": "/tmp", "dbname": "x"])
        for url in [
            "postgresql://u:top%secret@h", "postgresql://h/?nonsense=1", "nonsense", "postgresql://[::1/x", "host=a\0b",
            // A typing error in the scheme, and a slash and a question sign in the password.
            "postgresq://u:secret@h/db?sslmode=require", "postgresql://u:1secret/2@h/db",
            "postgresql://u:1/?secret1=2@h/db",
            "postgresql://h:70000/db", "\u{301}secret=1",
        ] {
            do {
                _ = try PostgresConfiguration(url: url)
                Issue.record("\(url) was accepted")
            } catch let error as PostgresError {
                #expect(error.code == .invalidURL)
                #expect(!error.description.contains("secret"))
            }
        }
        #expect(throws: PostgresError.self) {
            try PostgresConnectionStrategy(configuration: PostgresConfiguration(parameters: ["hots": "x"]))
        }
        #expect(throws: PostgresError.self) { try sharedStrategy { $0.connectTimeout = .zero } }
        #expect(throws: PostgresError.self) { try sharedStrategy { $0.queryTimeout = .zero } }
        #expect(throws: PostgresError.self) { try sharedStrategy { $0.statementCacheCapacity = -1 } }
    }
}
