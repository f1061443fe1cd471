// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// A connection outside the pool, for commands about the pool's connections.
actor ControlConnection {
    private let connection: RedisConnection

    init(_ configuration: RedisConfiguration) async throws {
        connection = try await RedisConnectionStrategy(configuration: configuration).makeConnection()
    }

    /// Returns the version of the server, or `nil` if it does not report one.
    func serverVersion() async throws -> String? {
        let information = try await connection.send("INFO", "server").string ?? ""
        let line = information.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
        return line.map { String($0.dropFirst("redis_version:".count)) }
    }

    /// Returns the ids of the connections with a name.
    func connections(named name: String) async throws -> [Int] {
        ClientList.ids(named: name, in: try await connection.send("CLIENT", "LIST").string ?? "")
    }

    /// Kills a connection, and returns whether it existed.
    func kill(_ id: Int) async throws -> Bool {
        try await connection.send("CLIENT", "KILL", "ID", id).integer == 1
    }

    func values(of keys: [String]) async throws -> [RedisReply] {
        try await connection.send(RedisCommand("MGET", arguments: keys)).array ?? []
    }

    func delete(_ keys: [String]) async throws {
        try await connection.send(RedisCommand("DEL", arguments: keys))
    }

    func close() async {
        try? await connection.close()
    }
}
