// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// A connection to a PostgreSQL server.
///
/// ```swift
/// let rows = try await connection.query("SELECT id, name FROM users WHERE id = $1", 42)
/// for row in rows { print(try row["name", as: String.self]) }
/// let changed = try await connection.execute("DELETE FROM users WHERE id = $1", 42)
/// ```
///
/// The server prepares each statement the first time it is used on the connection. Parameters travel apart from the text.
///
/// **Not `Sendable`.** One task uses a connection at a time, which the compiler checks. A connection executes one
/// statement at a time; to save round trips, send a ``pipeline(_:)``.
///
/// **Cancellation.** When the task is cancelled, the statement is cancelled at the server, and the call throws
/// `CancellationError`. The connection remains usable, or is closed if the server does not answer within
/// ``PostgresConfiguration/cancellationTimeout``. If the server has finished the statement before the request reached it,
/// the call returns the result.
///
/// **Leave it as you found it.** A pool does not hand out a connection with an open transaction; it closes it.
/// Settings, temporary tables and advisory locks remain unless the pool resets its connections.
public final class PostgresConnection {
    let wire: Wire
    let configuration: PostgresConfiguration
    var statements: StatementCache
    var parameterBuffer = ParameterBuffer()
    /// Whether the session listens to notifications that nobody will read.
    var isListening = false
    /// The number of savepoints that are nested now.
    var savepointDepth = 0
    /// When the credentials expire with which the connection was opened, if it must be replaced then.
    let expiry: ContinuousClock.Instant?

    init(
        _ opened: OpenedConnection,
        configuration: PostgresConfiguration,
        expiry: ContinuousClock.Instant? = nil
    ) throws {
        wire = try Wire(opened, configuration: configuration)
        self.configuration = configuration
        self.expiry = expiry
        statements = StatementCache(capacity: configuration.statementCacheCapacity)
    }

    /// Whether the connection is closed, by either side. Becomes `true` soon after the server has closed it.
    public var isClosed: Bool { !wire.isOpen }

    /// Whether another caller can use the connection next: it is open, and no transaction is.
    var isReusable: Bool {
        wire.isOpen && !wire.isBusy && !isListening && wire.transactionStatus == PQTRANS_IDLE
    }

    /// The process id of the server process, as `pg_stat_activity` shows it.
    public var processID: Int32 { isClosed ? 0 : PQbackendPID(wire.connection) }

    /// The version of the server as a number, such as 150018 for 15.18.
    public var serverVersion: Int { isClosed ? 0 : Int(PQserverVersion(wire.connection)) }

    /// Whether the connection is encrypted with TLS.
    public var isEncrypted: Bool { !isClosed && PQsslInUse(wire.connection) != 0 }

    // MARK: - Statements

    /// Executes a statement and returns its rows.
    ///
    /// - Parameters:
    ///   - sql: One statement, with `$1`, `$2`, … for the parameters.
    ///   - parameters: The parameters. `nil` is NULL.
    /// - Throws: ``PostgresError``; `CancellationError`.
    @discardableResult
    public func query(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await query(sql, parameters: parameters)
    }

    /// Executes a statement and returns its rows, as ``query(_:_:)`` does, with the parameters in an array.
    @discardableResult
    public func query(_ sql: String, parameters: [(any PostgresEncodable)?]) async throws -> PostgresRows {
        try await observe(sql, rowCount: \.count) {
            try await use { try await run(sql, parameters) { PostgresRows(result: $0, of: $1) } }
        }
    }

    /// Executes a statement and returns the number of rows that it inserted, updated, deleted, merged or returned.
    ///
    /// - Throws: As ``query(_:_:)``.
    @discardableResult
    public func execute(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> Int {
        try await execute(sql, parameters: parameters)
    }

    /// Executes a statement, as ``execute(_:_:)`` does, with the parameters in an array.
    @discardableResult
    public func execute(_ sql: String, parameters: [(any PostgresEncodable)?]) async throws -> Int {
        try await observe(sql) {
            try await use { try await run(sql, parameters) { result, _ in result.affectedRows } }
        }
    }

    /// Executes several statements that are separated by semicolons, without parameters, such as a schema.
    ///
    /// Unless the text contains `BEGIN` or `COMMIT`, the statements are one transaction.
    ///
    /// - Throws: As ``query(_:_:)``.
    public func executeScript(_ sql: String) async throws {
        try await observe(sql) { try await use { try await runScript(sql) } }
    }

    // MARK: - Closing

    /// Closes the connection and waits, for up to a second, until the server process has ended.
    ///
    /// Only then does the server have room for another connection. Idempotent.
    public func close() async {
        await wire.close()
    }
}

@available(*, unavailable)
extension PostgresConnection: Sendable {}
