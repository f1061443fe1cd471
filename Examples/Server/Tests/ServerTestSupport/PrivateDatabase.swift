// SPDX-License-Identifier: Apache-2.0

/// A private database server for a test. Confirmed changes survive ``kill()`` and ``start()``.
public protocol PrivateDatabase: Sendable {
    /// The environment variables that make the service use the database.
    var settings: [String: String] { get }

    /// Starts the server and returns when it answers.
    func start() async throws

    /// Makes the server accept requests about links without answering them, until it is killed.
    func stall() async throws

    /// Ends the server as a crash would.
    func kill() async

    /// Returns the number of stored links.
    func linkCount() async throws -> Int

    /// Returns how often a link was followed.
    func count(of code: String) async throws -> Int
}

/// The databases that the service can use, for tests that run on each of them.
public enum TestDatabase: String, Sendable, CaseIterable, CustomStringConvertible {
    case redis = "REDIS"
    case postgres = "POSTGRES"

    public var description: String { self == .redis ? "Redis" : "PostgreSQL" }

    /// The environment variable with the time limit of commands.
    public var timeoutVariable: String { "\(rawValue)_TIMEOUT" }

    /// Runs a body with a server, and stops the server.
    public func with(_ body: (any PrivateDatabase) async throws -> Void) async throws {
        switch self {
        case .redis: try await PrivateRedis.with(body)
        case .postgres: try await PrivatePostgres.with(body)
        }
    }
}
