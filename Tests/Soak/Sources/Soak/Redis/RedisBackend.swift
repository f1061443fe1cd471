// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Foundation
import NIOPosix

/// Redis, and the client of `BurstPoolRedis`. Controls and queries the server directly, without the proxy.
final class RedisBackend: Backend {
    static let name = "Redis"
    static var wire: any WireFormat.Type { RedisWire.self }
    static let pace = 1
    static let simplestUse = RedisVisit.Use.echo

    private let server: RedisServer
    private let direct: RedisConnectionStrategy

    init(sabotage: Sabotage?) throws {
        server = try RedisServer(arguments: ["--maxclients", "2000"])
        direct = try RedisConnectionStrategy(configuration: RedisConfiguration(unixSocketPath: server.socketPath))
    }

    var socketPath: String { server.socketPath }

    var proxySocketPath: String { server.folder.appendingPathComponent("proxy.sock").path }

    func stop() { server.stop() }

    func restart(after pause: Duration) async throws {
        let server = server
        try await NIOThreadPool.singleton.runIfActive { server.kill() }
        try await Task.sleep(for: pause)
        try await NIOThreadPool.singleton.runIfActive { try server.start() }
    }

    func clients() async throws -> [Int] {
        try await ask { connection in
            let own = try await connection.send("CLIENT", "ID").integer
            let list = try await connection.send("CLIENT", "LIST").string ?? ""
            return list.split(whereSeparator: \.isNewline).compactMap { line in
                line.split(separator: " ").first { $0.hasPrefix("id=") }.flatMap { Int($0.dropFirst(3)) }
            }.filter { $0 != own }
        }
    }

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

    func strategy(_ plan: LifePlan, _ endpoint: Endpoint) throws -> RedisConnectionStrategy {
        var redis = RedisConfiguration(host: "127.0.0.1")
        switch endpoint {
        case .socket(let path): redis.endpoint = .unixSocket(path: path)
        case .port(let port): redis.endpoint = .tcp(host: "127.0.0.1", port: port)
        }
        redis.clientName = "soak-\(plan.number)"
        redis.connectTimeout = plan.connectTimeout
        redis.commandTimeout = plan.commandTimeout
        return try RedisConnectionStrategy(configuration: redis)
    }

    func perform(_ use: RedisVisit.Use, _ visit: Visit, on connection: RedisConnection) async throws -> Int {
        try await RedisVisit(visit: visit, use: use).perform(on: connection)
    }

    static func outcome(of error: any Error) -> String? {
        guard let error = error as? RedisError else { return nil }
        switch error.code {
        case .connectionClosed, .commandTimedOut, .connectTimedOut, .closeTimedOut: return "error: \(error.code)"
        case .protocolError: return Outcome.protocolErrors
        case .connectFailed:
            // The proxy may also spoil the set-up of a connection.
            switch (error.underlyingError as? RedisError)?.code {
            case .protocolError?: return Outcome.protocolErrors
            case .serverError?: return Outcome.refusedCommands
            default: return "error: \(error.code)"
            }
        case .serverError: return error.message.hasPrefix("ERR Protocol error") ? Outcome.refusedCommands : nil
        default: return nil
        }
    }
}
