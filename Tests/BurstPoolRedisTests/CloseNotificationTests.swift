// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import Testing

@Suite("Connections that the server closes", .timeLimit(.minutes(5)))
struct CloseNotificationTests {
    @Test("The strategy reports the end of a connection exactly once, whichever side closes it")
    func notification() async throws {
        let strategy = try sharedStrategy()
        let killer = try await strategy.makeConnection()
        for isKilled in [true, false] {
            let connection = try await strategy.makeConnection()
            let notifications = Counter()
            strategy.notifyWhenClosed(connection) { notifications.add(1) }
            #expect(notifications.value == 0)
            if isKilled {
                let identity = try #require(try await connection.send("CLIENT", "ID").integer)
                try await killer.send("CLIENT", "KILL", "ID", identity)
            }
            if !isKilled { try await connection.close() }
            #expect(try await eventually { notifications.value == 1 })
            try await connection.close()
            #expect(notifications.value == 1)
            strategy.notifyWhenClosed(connection) { notifications.add(1) }
            #expect(try await eventually { notifications.value == 2 }, "A closed connection reports at once.")
        }
        try await strategy.closeConnection(killer)
    }

    @Test(
        "None of 80 requests fails that are sent 1 ms after the server has closed all idle connections",
        arguments: [false, true]
    )
    func killedIdleConnections(overTCP: Bool) async throws {
        let server = try RedisServer(listensOnPort: true)
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(
            configuration: overTCP
                ? .init(host: "127.0.0.1", port: #require(server.port)) : .init(unixSocketPath: server.socketPath)
        )
        let pool = try ConnectionPool(strategy: strategy, maxSize: 16)
        let killer = try await strategy.makeConnection()
        for _ in 0..<10 {
            try await pool.prewarm(16)
            #expect(pool.statistics.idle == 16)
            try await killer.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await Task.sleep(for: .milliseconds(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<80 {
                    group.addTask {
                        let reply = try await pool.withConnection { try await $0.send("ECHO", number).integer }
                        #expect(reply == number)
                    }
                }
                try await group.waitForAll()
            }
        }
        try await killer.close()
        await pool.shutdown()
    }

    @Test("An idle connection that the server closes leaves the pool without being acquired")
    func idleConnectionLeaves() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let strategy = try RedisConnectionStrategy(configuration: .init(unixSocketPath: server.socketPath))
        let pool = try ConnectionPool(strategy: strategy, maxSize: 4)
        let killer = try await strategy.makeConnection()
        try await pool.prewarm(4)
        try await killer.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        #expect(try await eventually { pool.statistics.total == 0 })
        try await killer.close()
        await pool.shutdown()
    }
}
