// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CLibPQ

/// Opens, checks and closes a pool's connections to PostgreSQL.
///
/// ```swift
/// let postgres = try PostgresConnectionStrategy(url: "postgresql://app:secret@127.0.0.1:5432/app")
/// let pool = try ConnectionPool(strategy: postgres, configuration: .recommended(maxSize: 8, burstLimit: 32))
/// let rows = try await pool.withConnection { connection in
///     try await connection.query("SELECT id, name FROM users WHERE id = $1", 42)
/// }
/// for row in rows { print(try row["name", as: String.self]) }
/// ```
public final class PostgresConnectionStrategy: ConnectionStrategy {
    public typealias Connection = PostgresConnection

    /// Which server to connect to, as whom, and with which limits.
    public let configuration: PostgresConfiguration

    private let credentials: CredentialCache?

    /// Creates a strategy for the server that a configuration describes. It does not connect yet.
    ///
    /// - Throws: ``PostgresError/Code/invalidConfiguration``, naming the value that makes no sense.
    public init(configuration: PostgresConfiguration) throws {
        try configuration.validate()
        self.configuration = configuration
        credentials = configuration.credentials.map { CredentialCache($0) }
    }

    /// Creates a strategy for the server that a URL names. See ``PostgresConfiguration/init(url:)``.
    ///
    /// - Parameters:
    ///   - url: A URL such as `postgresql://app:secret@127.0.0.1:5432/app`.
    ///   - applicationName: The name of the connections in `pg_stat_activity`, unless the URL has one. A good choice is the
    ///     name of the pool.
    /// - Throws: ``PostgresError/Code/invalidURL`` or ``PostgresError/Code/invalidConfiguration``.
    public convenience init(url: String, applicationName: String? = nil) throws {
        var configuration = try PostgresConfiguration(url: url)
        configuration.applicationName = applicationName
        try self.init(configuration: configuration)
    }

    // MARK: - Opening

    /// Opens a connection.
    ///
    /// If the server refuses credentials that came from ``PostgresConfiguration/credentials``, they are asked for once more
    /// and tried again.
    ///
    /// - Throws: ``PostgresError``; `CancellationError`.
    public func makeConnection() async throws -> sending PostgresConnection {
        guard let credentials else { return try await connect(with: nil) }
        let entry = try await credentials.entry()
        do {
            return try await connect(with: entry)
        } catch let error as PostgresError where error.code == .authenticationFailed {
            return try await connect(with: try await credentials.entry(otherThan: entry))
        }
    }

    private func connect(with entry: CredentialCache.Entry?) async throws -> sending PostgresConnection {
        let parameters = configuration.connectionParameters(credentials: entry?.credentials)
        do {
            let opened = try await ConnectAttempt(
                parameters: parameters,
                timeout: configuration.connectTimeout,
                onNotice: configuration.onNotice
            ).run()
            let expiry = entry.flatMap { $0.credentials.endConnections ? $0.expiry : nil }
            let connection = try PostgresConnection(opened, configuration: configuration, expiry: expiry)
            try await connection.setUp()
            return connection
        } catch let error as PostgresError where error.server == nil {
            throw error.naming(server: configuration.serverDescription)
        }
    }

    /// Tells whether another attempt to connect with the same configuration would fail, too.
    ///
    /// That is so if the server refuses the user, the password or the database, if the server's certificate is not trusted,
    /// and if the configuration makes no sense. It is not so for a server that cannot be reached, is starting, or has too
    /// many connections.
    public func connectErrorIsPermanent(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        switch error.code {
        case .authenticationFailed, .tlsFailed, .invalidURL, .invalidConfiguration: return true
        case .connectFailed:
            // No such database; no right to connect to it.
            return ["3D000", "42501"].contains(error.sqlState)
        default: return false
        }
    }

    // MARK: - Between leases

    /// Tells whether the connection is closed, or has been left with an open transaction. Does not talk to the server.
    public func connectionIsClosed(_ connection: PostgresConnection) -> Bool {
        !connection.isReusable
    }

    /// Closes the connection and waits, for up to a second, until the server process has ended.
    public func closeConnection(_ connection: sending PostgresConnection) async {
        await connection.close()
    }

    /// Rolls back an open transaction and undoes what ``PostgresConfiguration/reset`` says.
    public func resetConnection(_ connection: inout PostgresConnection) async throws {
        try await connection.reset()
    }

    /// Sends an empty statement and waits for the answer.
    public func validateConnection(_ connection: inout PostgresConnection) async throws -> Bool {
        try await connection.ping()
        return true
    }

    /// Returns what an error says about the connection, and about all others.
    ///
    /// All connections are replaced when the server shuts down (`57P01`, `57P02`, `57P03`), and when it refuses a write
    /// because it is read-only (`25006`), as an old primary does after a failover. A write that the caller's own
    /// `withTransaction(readOnly: true)` refuses does not count, and neither does any if `target_session_attrs` asks for a
    /// standby. A connection that is lost is closed. All other errors, such as a unique violation, leave the connection in
    /// the pool.
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        ConnectionVerdict(after: error, configuration)
    }

    /// Returns how long the connection's credentials are valid, if they end connections; see
    /// ``PostgresCredentials/endConnections``.
    public func connectionLifetime(_ connection: PostgresConnection) -> Duration? {
        connection.expiry.map { max(.zero, $0 - .now) }
    }

    /// Reports when the server has closed the connection, or the connection is lost, also while it is idle.
    public func notifyWhenClosed(
        _ connection: PostgresConnection,
        _ connectionDidClose: @escaping @Sendable () -> Void
    ) {
        connection.wire.watch.whenClosed(connectionDidClose)
    }

    /// Returns a closure that shuts the connection's socket down, so that its user gets an error at once.
    public func abortHandle(for connection: PostgresConnection) -> (@Sendable () -> Void)? {
        { [watch = connection.wire.watch] in watch.sever() }
    }
}
