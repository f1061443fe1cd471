// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer

/// A Redis server under load: a private one, or one that the user named.
struct RedisBackend: Backend {
    /// The private server; `nil` if the user named a server.
    private let privateServer: RedisServer?
    private let configuration: RedisConfiguration
    private let name = RunName()
    /// The expiry time of the keys, which cleans up a shared server if this process is killed.
    private let secondsToLive: Int
    private(set) var serverName: String

    /// - Parameter configuration: The server to use; `nil` starts a private one.
    /// - Throws: ``DemoFailure`` if the server does not answer, or an error of the private server.
    init(_ configuration: RedisConfiguration?, _ settings: DemoSettings) async throws {
        secondsToLive = 3_600 + Int(settings.seconds)
        if let configuration {
            privateServer = nil
            self.configuration = configuration
            serverName = "Redis at \(configuration.endpoint)"
        } else {
            let server = try RedisServer()
            privateServer = server
            self.configuration = RedisConfiguration(unixSocketPath: server.socketPath)
            serverName = "private Redis"
        }
        do {
            let control = try await openControlConnection()
            if let version = try await control.serverVersion() {
                serverName =
                    privateServer == nil
                    ? "Redis \(version) at \(self.configuration.endpoint)" : "private Redis \(version)"
            }
            await control.close()
        } catch {
            stop()
            throw DemoFailure("The Redis server cannot be used: \(describe(error))")
        }
    }

    func makeStrategy() throws -> RedisConnectionStrategy {
        try RedisConnectionStrategy(configuration: configuration(clientName: "\(name)"))
    }

    func makeExerciser(of task: Int, _ random: SplitMix64) -> RedisExerciser {
        RedisExerciser(
            task: task,
            keys: RedisKeys(of: task, in: name),
            values: UniqueValues(task: task, random: random),
            secondsToLive: secondsToLive
        )
    }

    func openControlConnection() async throws -> RedisControlConnection {
        try await RedisControlConnection(configuration(clientName: nil), name)
    }

    func echo(_ text: String, on connection: RedisConnection) async throws -> String? {
        try await connection.send("ECHO", text).string
    }

    /// A killed connection causes an error during a command or while the connection is being set up.
    func isCausedByKill(_ error: any Error) -> Bool {
        guard let error = error as? RedisError else { return false }
        return switch error.code {
        case .connectionClosed: true
        case .connectFailed: (error.underlyingError as? RedisError)?.code == .connectionClosed
        default: false
        }
    }

    func stop() {
        privateServer?.stop()
    }

    private func configuration(clientName: String?) -> RedisConfiguration {
        var configuration = configuration
        configuration.clientName = clientName
        // Shorter than the default, so that the run notices a server that does not respond.
        configuration.commandTimeout = .seconds(10)
        return configuration
    }
}
