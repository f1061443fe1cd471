// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolRedis

/// The server of a run: a private one, or one that the user named.
enum ServerChoice: Sendable {
    case privateRedis
    case privatePostgres
    case redis(RedisConfiguration)
    case postgres(PostgresConfiguration)

    /// Reads the options `--server` and `--postgres`.
    ///
    /// - Throws: ``DemoFailure``, or an error of the client's URL parser. No message contains a password.
    init(url: String?, postgres: Bool) throws {
        guard let url else {
            self = postgres ? .privatePostgres : .privateRedis
            return
        }
        guard !postgres else {
            throw DemoFailure("--postgres starts a private server, so it cannot be combined with --server.")
        }
        // What is not a scheme may be a password, so no message quotes it.
        guard let match = url.prefixMatch(of: #/([A-Za-z][A-Za-z0-9+.-]*):\/\//#) else {
            throw DemoFailure("--server must be a URL that starts with \(Self.schemes).")
        }
        let scheme = match.1.lowercased()
        let normalized = scheme + url.dropFirst(scheme.count)
        switch scheme {
        case "postgresql", "postgres":
            let configuration = try PostgresConfiguration(url: normalized)
            // Validates the parameters of the URL.
            _ = try PostgresConnectionStrategy(configuration: configuration)
            self = .postgres(configuration)
        case _ where ["redis", "valkey", "unix"].contains(where: { scheme.hasPrefix($0) }):
            self = .redis(try RedisConfiguration(url: normalized))
        default:
            throw DemoFailure(
                "--server has the scheme '\(scheme)', but must be a URL that starts with \(Self.schemes)."
            )
        }
    }

    private static let schemes = "redis://, rediss://, valkey://, unix:// or postgresql://"

    /// Starts the private server, or tries the server that the user named.
    ///
    /// - Throws: ``DemoFailure``, or an error of the private server, if the server does not start, or cannot be used.
    func makeBackend(for settings: DemoSettings) async throws -> any Backend {
        switch self {
        case .privateRedis: try await RedisBackend(nil, settings)
        case .redis(let configuration): try await RedisBackend(configuration, settings)
        case .privatePostgres: try await PostgresBackend(nil, settings)
        case .postgres(let configuration): try await PostgresBackend(configuration, settings)
        }
    }
}
