// SPDX-License-Identifier: Apache-2.0

/// What is known of a statement after its execution, for metrics and spans.
///
/// See ``PostgresConfiguration/onExecution``.
public struct PostgresExecution: Sendable {
    /// The text of the statement, with `$1`, `$2`, … in place of the parameters. The texts of a pipeline are separated by
    /// `"; "`; a text that all its statements share is given once.
    public let sql: String
    /// The number of statements: 1, unless it is a pipeline.
    public let statementCount: Int
    /// How long the execution took, from before the statement was sent until its last row had been received.
    public let duration: Duration
    /// The number of rows that were returned, if they were returned all at once.
    public let returnedRows: Int?
    /// The error that the caller gets: a ``PostgresError``, a `CancellationError`, or what a closure of the caller threw.
    public let error: (any Error)?
    /// The host or the folder of the unix socket, as libpq knows it.
    public let host: String?
    /// The port.
    public let port: Int?
    /// The database.
    public let database: String?

    package init(
        sql: String,
        statementCount: Int,
        duration: Duration,
        returnedRows: Int?,
        error: (any Error)?,
        host: String?,
        port: Int?,
        database: String?
    ) {
        self.sql = sql
        self.statementCount = statementCount
        self.duration = duration
        self.returnedRows = returnedRows
        self.error = error
        self.host = host
        self.port = port
        self.database = database
    }
}
