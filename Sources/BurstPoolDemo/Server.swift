// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer

/// The Redis server of a run: a private one, or one that the user named.
struct Server: Sendable {
    /// The private server; `nil` if the user named a server.
    private let privateServer: RedisServer?
    private let configuration: RedisConfiguration
    /// A description of the server for the user.
    private(set) var name: String

    /// - Throws: ``DemoFailure`` if the server does not start or does not answer.
    init(_ configuration: RedisConfiguration?) async throws {
        if let configuration {
            privateServer = nil
            self.configuration = configuration
            name = "Redis at \(configuration.endpoint)"
        } else {
            let server = try RedisServer()
            privateServer = server
            self.configuration = RedisConfiguration(unixSocketPath: server.socketPath)
            name = "private Redis"
        }
        do {
            let control = try await controlConnection()
            if let version = try await control.serverVersion() {
                name =
                    privateServer == nil
                    ? "Redis \(version) at \(self.configuration.endpoint)" : "private Redis \(version)"
            }
            await control.close()
        } catch {
            stop()
            throw DemoFailure("The Redis server cannot be used: \(describe(error))")
        }
    }

    /// Returns the configuration of connections with a client name.
    func configuration(clientName: String?) -> RedisConfiguration {
        var configuration = configuration
        configuration.clientName = clientName
        // Shorter than the default, so that the run notices a server that does not respond.
        configuration.commandTimeout = .seconds(10)
        return configuration
    }

    func controlConnection() async throws -> ControlConnection {
        try await ControlConnection(configuration(clientName: nil))
    }

    /// Stops a private server and removes its folder.
    func stop() {
        privateServer?.stop()
    }
}
