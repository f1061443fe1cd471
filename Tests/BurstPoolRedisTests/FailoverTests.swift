// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Testing

/// Tests with a primary and a replica behind a proxy. A failover makes the proxy lead to the other server, but leaves
/// open connections alone, as a DNS name or a load balancer does.
@Suite("Failovers", .timeLimit(.minutes(5)))
struct FailoverTests {
    @Test("Writes succeed within a second after the proxy leads to the new primary")
    func failover() async throws {
        let pair = try await ReplicatedPair()
        defer { pair.stop() }
        let pool = try ConnectionPool(strategy: RedisConnectionStrategy(configuration: pair.configuration), maxSize: 8)
        // Idle connections to the old primary.
        try await pool.prewarm(4)
        #expect(pool.statistics.idle >= 4)

        let failures = Counter()
        let finished = Counter()
        try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
            for writer in 0..<4 {
                // Returns the time of the last failed write.
                group.addTask {
                    var lastFailure = ContinuousClock.now
                    while finished.value == 0 {
                        do {
                            _ = try await pool.withConnection { try await $0.send("SET", "writer-\(writer)", 1) }
                        } catch let error as RedisError where error.serverCode == "READONLY" {
                            failures.add(1)
                            lastFailure = .now
                        }
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    return lastFailure
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            #expect(failures.value == 0)
            try await pair.failOver()
            // The old primary refuses writes now, and the proxy still leads to it.
            #expect(try await eventually { failures.value >= 4 })
            pair.switchProxy()
            let switched = ContinuousClock.now
            try await Task.sleep(for: .seconds(2))
            finished.add(1)
            for try await lastFailure in group {
                #expect(lastFailure - switched < .seconds(1), "\(failures.value) writes failed in all.")
            }
        }
        let role = try await pool.withConnection { try await $0.send("ROLE").array?.first?.string }
        #expect(role == "master")
        await pool.shutdown()
    }

    @Test("One failed write is enough to replace all idle connections to the old primary")
    func oneFailure() async throws {
        let pair = try await ReplicatedPair()
        defer { pair.stop() }
        let strategy = try RedisConnectionStrategy(configuration: pair.configuration)
        let pool = try ConnectionPool(strategy: strategy, maxSize: 8)
        try await pool.prewarm(4)
        try await pair.failOver()
        pair.switchProxy()
        let error = await redisError { try await pool.withConnection { _ = try await $0.send("SET", "x", 1) } }
        #expect(error?.serverCode == "READONLY")
        for _ in 0..<8 {
            try await pool.withConnection { _ = try await $0.send("SET", "x", 1) }
        }
        await pool.shutdown()
    }

    @Test("A write that fails inside a pipeline or a transaction makes its connection unusable")
    func insidePipelines() async throws {
        let pair = try await ReplicatedPair()
        defer { pair.stop() }
        let strategy = try RedisConnectionStrategy(configuration: pair.configuration)
        let set = RedisCommand("SET", "x", 1)

        let pipelined = try await strategy.makeConnection()
        let queued = try await strategy.makeConnection()
        try await queued.send("MULTI")
        try await queued.send(set)
        let scripted = try await strategy.makeConnection()
        let reader = try await strategy.makeConnection()
        try await pair.failOver()

        let replies = try await pipelined.pipeline([RedisCommand("GET", "x"), set])
        #expect(replies[1].error?.serverCode == "READONLY")
        #expect(strategy.connectionIsClosed(pipelined))

        let aborted = await redisError { try await queued.send("EXEC") }
        #expect(try strategy.connectionVerdict(after: #require(aborted)) == .evictAll)
        #expect(strategy.connectionIsClosed(queued))

        let script = RedisScript("return redis.call('SET', KEYS[1], 1)")
        let failed = await redisError { try await scripted.evaluate(script, keys: ["x"]) }
        #expect(try strategy.connectionVerdict(after: #require(failed)) == .evictAll, "\(failed?.message ?? "")")
        let transaction = await redisError { _ = try await scripted.transaction([set]) }
        #expect(transaction?.serverCode == "READONLY")

        // Reading from a replica is nothing unusual.
        try await reader.send("GET", "x")
        #expect(!strategy.connectionIsClosed(reader))
        for connection in [pipelined, queued, scripted, reader] { try await connection.close() }
    }

    @Test("A replica that refuses reads without its primary is not used")
    func masterDown() async throws {
        let lonely = try RedisServer(arguments: [
            "--replicaof", "127.0.0.1 \(RedisServer.freePort())", "--replica-serve-stale-data", "no",
        ])
        defer { lonely.stop() }
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: lonely.socketPath))
        let error = await redisError { try await strategy.makeConnection().close() }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("is not ready") == true)
        #expect(error?.message.contains("MASTERDOWN") == true)
        #expect(try !strategy.connectErrorIsPermanent(#require(error)))
    }

    @Test(
        "The verdict about a server's error depends on what it says about the server",
        arguments: [
            ("READONLY You can't write against a read only replica.", ConnectionVerdict.evictAll),
            ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", .evictAll),
            ("LOADING Redis is loading the dataset in memory", .evictAll),
            ("NOREPLICAS Not enough good replicas to write.", .evictAll),
            ("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", .evictAll),
            (
                "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
                .evictAll
            ),
            (
                "ERR Error running script: @user_script: 1: -READONLY You can't write against a read only slave.",
                .evictAll
            ),
            ("NOAUTH Authentication required.", .discard),
            ("EXECABORT Transaction discarded because of previous errors.", .keep),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", .keep),
            ("ERR READONLY is my key", .keep), ("NOPERM no", .keep), ("BUSY Redis is busy running a script.", .keep),
            ("MISCONF Redis is configured to save RDB snapshots", .keep), ("OOM command not allowed", .keep),
        ]
    )
    func verdicts(answer: String, verdict: ConnectionVerdict) async throws {
        let server = try await FakeServer.answering("-\(answer)\r\n")
        let strategy = try RedisConnectionStrategy(configuration: server.configuration)
        let connection = try await strategy.makeConnection()
        let error = try #require(await redisError { try await connection.send("GET", "x") })
        #expect(strategy.connectionVerdict(after: error) == verdict)
        #expect(strategy.connectionIsClosed(connection) == (verdict != .keep))
        try await strategy.closeConnection(connection)
        try await server.stop()
    }

    @Test("Callers wait for room on a server with too many clients if connectRetry is set")
    func fullServer() async throws {
        let server = try RedisServer(arguments: ["--maxclients", "2"])
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: server.socketPath))
        var configuration = ConnectionPoolConfiguration(maxSize: 4)
        configuration.connectRetry = ConnectionBackoff(base: .milliseconds(5), cap: .milliseconds(20))
        let (first, second) = (
            try ConnectionPool(strategy: strategy, configuration: configuration),
            try ConnectionPool(strategy: strategy, configuration: configuration)
        )
        let lease = try await first.acquire()
        let other = try await first.acquire()
        let waiting = Task { try await second.withConnection { try await $0.send("PING").string } }
        try await Task.sleep(for: .milliseconds(200))
        other.discard()
        #expect(try await waiting.value == "PONG")
        lease.release()
        await first.shutdown()
        await second.shutdown()
    }
}

/// A primary and its replica, and a proxy that leads to the primary.
private final class ReplicatedPair: Sendable {
    private let primary: RedisServer
    private let replica: RedisServer
    private let proxy: SwitchingProxy

    init() async throws {
        primary = try RedisServer(listensOnPort: true, arguments: ["--repl-diskless-sync-delay", "0"])
        replica = try RedisServer(listensOnPort: true, arguments: ["--repl-diskless-sync-delay", "0"])
        proxy = try await SwitchingProxy.start(target: primary.port ?? 0)
        try await Self.run(["REPLICAOF", "127.0.0.1", "\(primary.port ?? 0)"], on: replica)
        let replica = replica
        let isLinked = try await eventually {
            try await Self.run(["INFO", "replication"], on: replica).string?.contains("master_link_status:up") == true
        }
        guard isLinked else { throw RedisServer.Failure(description: "The replica does not reach its primary.") }
    }

    var configuration: RedisConfiguration { RedisConfiguration(host: "127.0.0.1", port: proxy.port) }

    /// Makes the replica the primary, and the primary its replica. The proxy still leads to the old primary.
    func failOver() async throws {
        try await Self.run(["REPLICAOF", "NO", "ONE"], on: replica)
        try await Self.run(["REPLICAOF", "127.0.0.1", "\(replica.port ?? 0)"], on: primary)
    }

    /// Makes the proxy lead new connections to the new primary.
    func switchProxy() {
        proxy.switchTarget(to: replica.port ?? 0)
    }

    func stop() {
        primary.stop()
        replica.stop()
    }

    @discardableResult
    private static func run(_ words: [String], on server: RedisServer) async throws -> RedisReply {
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: server.socketPath))
        let connection = try await strategy.makeConnection()
        let reply = try await connection.send(RedisCommand(words[0], arguments: Array(words[1...])))
        try await connection.close()
        return reply
    }
}
