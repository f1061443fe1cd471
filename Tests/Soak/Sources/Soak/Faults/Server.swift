// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Foundation
import NIOPosix

/// Controls and queries the server directly, without the proxy.
final class Server: Sendable {
    private let server: RedisServer
    private let direct: RedisConnectionStrategy

    init() throws {
        server = try RedisServer(arguments: ["--maxclients", "2000"])
        direct = try RedisConnectionStrategy(configuration: RedisConfiguration(unixSocketPath: server.socketPath))
    }

    var socketPath: String { server.socketPath }

    /// Returns the path of a socket beside the server's, for the proxy.
    func path(beside name: String) -> String { server.folder.appendingPathComponent(name).path }

    func stop() { server.stop() }

    /// Kills the server, and starts it again.
    func restart(after pause: Duration) async throws {
        let server = server
        try await NIOThreadPool.singleton.runIfActive { server.kill() }
        try await Task.sleep(for: pause)
        try await NIOThreadPool.singleton.runIfActive { try server.start() }
    }

    /// Returns the ids of all clients except this one.
    func clients() async throws -> [Int] {
        try await ask { connection in
            let own = try await connection.send("CLIENT", "ID").integer
            let list = try await connection.send("CLIENT", "LIST").string ?? ""
            return list.split(whereSeparator: \.isNewline).compactMap { line in
                line.split(separator: " ").first { $0.hasPrefix("id=") }.flatMap { Int($0.dropFirst(3)) }
            }.filter { $0 != own }
        }
    }

    /// - Returns: The number of clients that were killed.
    func kill(_ clients: [Int]) async throws -> Int {
        try await ask { connection in
            var killed = 0
            for client in clients {
                killed += try await connection.send("CLIENT", "KILL", "ID", client).integer ?? 0
            }
            return killed
        }
    }

    private func ask<Answer: Sendable>(_ question: (RedisConnection) async throws -> Answer) async throws -> Answer {
        let connection = try await direct.makeConnection()
        let answer = try await question(connection)
        try await connection.close()
        return answer
    }
}
