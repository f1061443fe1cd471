// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// A connection to Redis outside the pool.
actor RedisControlConnection: ControlConnection {
    private let connection: RedisConnection
    private let run: RunName

    init(_ configuration: RedisConfiguration, _ run: RunName) async throws {
        self.run = run
        connection = try await RedisConnectionStrategy(configuration: configuration).makeConnection()
    }

    /// Returns the version of the server, or `nil` if it does not report one.
    func serverVersion() async throws -> String? {
        let information = try await connection.send("INFO", "server").string ?? ""
        let line = information.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
        return line.map { String($0.dropFirst("redis_version:".count)) }
    }

    /// Does nothing, because Redis creates keys when they are written.
    func prepare() async throws {}

    func poolConnections() async throws -> [Int] {
        ClientList.ids(named: "\(run)", in: try await connection.send("CLIENT", "LIST").string ?? "")
    }

    func kill(_ id: Int) async throws -> Bool {
        try await connection.send("CLIENT", "KILL", "ID", id).integer == 1
    }

    func values(ofTask task: Int) async throws -> StoredValues {
        let reply = try await connection.send(RedisCommand("MGET", arguments: RedisKeys(of: task, in: run).all))
        guard let replies = reply.array, replies.count == 3, replies[2].isNull || replies[2].integer != nil else {
            throw DemoFailure("MGET of the values of task \(task) returned \(reply).")
        }
        return StoredValues(text: replies[0].bytes, blob: replies[1].bytes, counter: replies[2].integer)
    }

    func removeValues(ofTasks tasks: Int) async throws {
        for task in 0..<tasks {
            try await connection.send(RedisCommand("DEL", arguments: RedisKeys(of: task, in: run).all))
        }
    }

    func close() async {
        try? await connection.close()
    }
}
