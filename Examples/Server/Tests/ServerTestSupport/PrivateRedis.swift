// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Foundation

/// A private `redis-server` that listens on a socket in a temporary folder.
///
/// It writes every change to the disk before it answers, so confirmed changes survive ``kill()`` and ``start()``.
public final class PrivateRedis: PrivateDatabase {
    private let server = PrivateServer("redis-server", in: PrivateServer.makePath("redis"))

    public var url: String { "unix://\(server.folder.path)/redis.sock" }

    public var settings: [String: String] { ["REDIS_URL": url] }

    /// Runs a body with a server, and stops the server.
    public static func with<Result: Sendable>(
        _ body: (PrivateRedis) async throws -> Result
    ) async throws -> Result {
        let redis = try PrivateRedis()
        do {
            try await redis.start()
            let result = try await body(redis)
            await redis.stop()
            return result
        } catch {
            await redis.stop()
            throw error
        }
    }

    private init() throws {
        try FileManager.default.createDirectory(at: server.folder, withIntermediateDirectories: true)
    }

    private func stop() async {
        await kill()
        server.removeFolder()
    }

    public func start() async throws {
        let folder = server.folder.path
        let arguments = [
            "redis-server", "--port", "0", "--unixsocket", "\(folder)/redis.sock", "--dir", folder,
            "--save", "", "--appendonly", "yes", "--appendfsync", "always",
        ]
        try await server.start("/usr/bin/env", arguments) { (try? await send("PING")) != nil }
    }

    public func kill() async {
        await server.takeProcess()?.kill()
    }

    /// Sends a command on a new connection.
    @discardableResult
    public func send(_ name: String, _ arguments: String...) async throws -> RedisReply {
        try await send(name, arguments: arguments)
    }

    private func send(_ name: String, arguments: [String]) async throws -> RedisReply {
        let strategy = try RedisConnectionStrategy(url: url)
        let connection = try await strategy.makeConnection()
        let reply = try await connection.send(RedisCommand(name, arguments: arguments))
        try await connection.close()
        return reply
    }

    public func stall() async throws {
        try await send("CLIENT", "PAUSE", "600000", "ALL")
    }

    public func linkCount() async throws -> Int {
        try await integer("DBSIZE")
    }

    public func count(of code: String) async throws -> Int {
        try await integer("HGET", "link:\(code)", "count")
    }

    private func integer(_ name: String, _ arguments: String...) async throws -> Int {
        let reply = try await send(name, arguments: arguments)
        guard let integer = reply.integer else { throw GuardedProcess.Failure("\(name) returned \(reply)") }
        return integer
    }
}
