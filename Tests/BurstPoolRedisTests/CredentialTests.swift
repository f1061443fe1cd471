// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Synchronization
import Testing

@Suite("Credentials from a closure", .timeLimit(.minutes(5)))
struct CredentialTests {
    @Test("Credentials without a validity are asked for at each connection, and those with one are cached")
    func caching() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "secret"])
        defer { server.stop() }
        for (validity, requests) in [(nil, 3), (.seconds(60), 1), (.zero, 3)] as [(Duration?, Int)] {
            let store = SecretStore("secret", validFor: validity)
            let strategy = try store.strategy(for: server)
            for _ in 0..<3 { try await strategy.makeConnection().close() }
            #expect(store.requests == requests, "The validity is \(String(describing: validity)).")
        }
    }

    @Test("The lifetime of a connection ends with its credentials")
    func lifetime() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "secret"])
        defer { server.stop() }
        let connection = try await SecretStore("secret", validFor: .seconds(60)).strategy(for: server).makeConnection()
        let strategy = try SecretStore("secret").strategy(for: server)
        let lifetime = try #require(strategy.connectionLifetime(connection))
        #expect(lifetime > .seconds(30) && lifetime <= .seconds(60))
        try await connection.close()

        let unlimited = try await strategy.makeConnection()
        #expect(strategy.connectionLifetime(unlimited) == nil)
        try await unlimited.close()
    }

    @Test("Refused credentials are replaced once before the error counts as permanent")
    func refresh() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "new"])
        defer { server.stop() }
        let store = SecretStore("old", then: "new", validFor: .seconds(60))
        try await store.strategy(for: server).makeConnection().close()
        #expect(store.requests == 2)

        let wrong = SecretStore("old", then: "other", validFor: .seconds(60))
        let strategy = try wrong.strategy(for: server)
        let error = await redisError { try await strategy.makeConnection().close() }
        #expect(error?.code == .authenticationFailed)
        #expect(strategy.connectErrorIsPermanent(try #require(error)))
        #expect(wrong.requests == 2)
    }

    @Test("The same credentials are not tried twice in a row")
    func sameAgain() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "right"])
        defer { server.stop() }
        let store = SecretStore("wrong")
        let error = await redisError { try await store.strategy(for: server).makeConnection().close() }
        #expect(error?.code == .authenticationFailed)
        #expect(store.requests == 2)
        var configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        configuration.password = "right"
        let observer = try await RedisConnectionStrategy(configuration: configuration).makeConnection()
        let statistics = try await observer.send("INFO", "commandstats").string ?? ""
        #expect(
            statistics.contains("cmdstat_auth:calls=2,"),
            "There is one failed attempt, and that of the observer: \(statistics)"
        )
        try await observer.close()
    }

    @Test("An error of the closure is the error of the attempt to connect, and a closure that hangs is bounded")
    func failingClosure() async throws {
        struct Unavailable: Error {}
        let configuration = RedisConfiguration(unixSocketPath: "/nonexistent")
        let failing = try RedisConnectionStrategy(configuration: configuration) { throw Unavailable() }
        await #expect(throws: Unavailable.self) { try await failing.makeConnection().close() }

        var limited = configuration
        limited.connectTimeout = .milliseconds(200)
        let gate = Gate()
        let hanging = try RedisConnectionStrategy(configuration: limited) {
            await gate.wait()
            return RedisCredentials(password: "x")
        }
        let error = await redisError { try await hanging.makeConnection().close() }
        #expect(error?.code == .connectTimedOut)
        #expect(error?.message.contains("credentials") == true)

        let task = Task { try await hanging.makeConnection().close() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
    }

    @Test("A configuration with a password and a closure is refused")
    func twoSources() {
        var configuration = RedisConfiguration(host: "localhost")
        configuration.password = "x"
        let error = #expect(throws: RedisError.self) {
            try RedisConnectionStrategy(configuration: configuration) { RedisCredentials(password: "y") }
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("No request fails while the password of the server is rotated under load")
    func rotation() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let admin = try await RedisConnectionStrategy(
            configuration: RedisConfiguration(unixSocketPath: server.socketPath)
        ).makeConnection()
        try await admin.send("ACL", "SETUSER", "app", "on", ">password-0", "~*", "+@all")

        let store = SecretStore("password-0", username: "app", validFor: .seconds(3600))
        let pool = try ConnectionPool(strategy: store.strategy(for: server), maxSize: 4)
        let finished = Counter()
        let served = Counter()

        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    while finished.value == 0 {
                        let lease = try await pool.acquire()
                        let reply = try await lease.connection.send("INCR", "requests")
                        served.add(1)
                        // Some connections end, so that new ones open all the time.
                        if reply.integer?.isMultiple(of: 20) == true { lease.discard() }
                    }
                }
            }
            #expect(try await eventually { served.value > 100 })
            for number in 1...5 {
                let before = store.requests
                // As recommended: the new password is valid before it is handed out, and the old one until nobody uses
                // it.
                try await admin.send("ACL", "SETUSER", "app", ">password-\(number)")
                store.set("password-\(number)")
                try await admin.send("ACL", "SETUSER", "app", "<password-\(number - 1)")
                let target = served.value + 200
                // Each rotation makes the client ask once more.
                #expect(try await eventually { served.value > target && store.requests > before })
            }
            finished.add(1)
            try await group.waitForAll()
        }
        #expect(store.requests < 100, "Valid credentials are cached.")
        await pool.shutdown()
        try await admin.close()
    }
}

/// A closure's source of passwords that counts the requests.
private final class SecretStore: Sendable {
    private struct State {
        var password: String
        var next: String?
        var requests = 0
    }

    private let state: Mutex<State>
    private let username: String?
    private let validity: Duration?

    /// - Parameter then: The password from the second request on.
    init(_ password: String, then: String? = nil, username: String? = nil, validFor validity: Duration? = nil) {
        state = Mutex(State(password: password, next: then))
        self.username = username
        self.validity = validity
    }

    var requests: Int { state.withLock { $0.requests } }

    func set(_ password: String) {
        state.withLock { $0.password = password }
    }

    func strategy(for server: RedisServer) throws -> RedisConnectionStrategy {
        var configuration = RedisConfiguration(unixSocketPath: server.socketPath)
        // The closure runs as a task, and tests that start servers block the threads of tasks for a while.
        configuration.connectTimeout = .seconds(60)
        return try RedisConnectionStrategy(configuration: configuration) { [self] in
            state.withLock { state in
                state.requests += 1
                defer { if let next = state.next { state.password = next } }
                return RedisCredentials(username: username, password: state.password, validFor: validity)
            }
        }
    }
}

/// Suspends tasks until it opens, and ignores their cancellation.
private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
