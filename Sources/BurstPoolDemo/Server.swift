import BurstPoolRedis
import BurstPoolRedisServer

/// The Redis server of a run: one that was started for it, or somebody else's.
struct Server: Sendable {
    /// `nil` if it is somebody else's.
    private let own: RedisServer?
    private let configuration: RedisConfiguration
    /// For people: what it is and where.
    private(set) var name: String

    /// - Throws: What keeps a server from starting or from answering.
    init(_ configuration: RedisConfiguration?) async throws {
        if let configuration {
            own = nil
            self.configuration = configuration
            name = "Redis at \(configuration.endpoint)"
        } else {
            let server = try RedisServer()
            own = server
            self.configuration = RedisConfiguration(unixSocketPath: server.socketPath)
            name = "private Redis"
        }
        do {
            let control = try await controlConnection()
            if let version = try await control.serverVersion() {
                name = own == nil ? "Redis \(version) at \(self.configuration.endpoint)" : "private Redis \(version)"
            }
            await control.close()
        } catch {
            stop()
            throw DemoFailure("the Redis server cannot be used: \(describe(error))")
        }
    }

    /// How a run connects, under a name of its own.
    func configuration(clientName: String?) -> RedisConfiguration {
        var configuration = configuration
        configuration.clientName = clientName
        // Shorter than the library's: a server that hangs should be noticed within the run.
        configuration.commandTimeout = .seconds(10)
        return configuration
    }

    func controlConnection() async throws -> ControlConnection {
        try await ControlConnection(configuration(clientName: nil))
    }

    /// Ends the server and removes its folder, if it was started for the run.
    func stop() {
        own?.stop()
    }
}
