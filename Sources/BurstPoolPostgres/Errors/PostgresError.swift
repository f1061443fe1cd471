// SPDX-License-Identifier: Apache-2.0

/// An error of a PostgreSQL server, of the connection to it, or of a value that does not fit.
///
/// ``code`` tells programs what kind of failure it is. For an error that the server reported, ``sqlState`` has
/// PostgreSQL's five-character code, such as `23505` for a unique violation, and ``detail`` and ``hint`` have the
/// server's further explanation. ``description`` is for people; it names the server and the database, and never
/// contains a password.
///
/// A call whose task is cancelled throws `CancellationError`, never this.
public struct PostgresError: Error, Sendable {
    /// The kind of a failure. More kinds can be added later.
    public struct Code: Hashable, Sendable {
        fileprivate enum Base: String, Hashable, Sendable {
            case invalidURL, invalidConfiguration
            case connectFailed, connectTimedOut, authenticationFailed, tlsFailed, credentialsUnavailable
            case serverError, queryTimedOut, connectionClosed, protocolError
            case connectionBusy, sequenceEnded, unexpectedStatement, transactionRolledBack
            case invalidParameter, invalidColumn, invalidValue
        }

        fileprivate let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// The URL or connection string is malformed.
        public static let invalidURL = Code(.invalidURL)
        /// A value in the configuration makes no sense, such as a timeout of zero.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// No connection could be opened, for example because the server refused it or does not exist.
        public static let connectFailed = Code(.connectFailed)
        /// No connection could be opened within the connect timeout.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The server refused the user, the password or the certificate.
        public static let authenticationFailed = Code(.authenticationFailed)
        /// No encrypted connection could be set up, for example because the server's certificate is not trusted.
        public static let tlsFailed = Code(.tlsFailed)
        /// The closure that provides the credentials threw an error, which is the ``underlyingError``.
        public static let credentialsUnavailable = Code(.credentialsUnavailable)
        /// The server rejected a statement. See ``PostgresError/sqlState``. The connection remains usable unless the
        /// server closed it.
        public static let serverError = Code(.serverError)
        /// A statement took longer than ``PostgresConfiguration/queryTimeout``.
        public static let queryTimedOut = Code(.queryTimedOut)
        /// The connection is closed. Whether the server executed the statement in progress is not known.
        public static let connectionClosed = Code(.connectionClosed)
        /// The server or libpq did something unexpected. The connection is closed.
        public static let protocolError = Code(.protocolError)
        /// Another statement is in progress on the same connection.
        public static let connectionBusy = Code(.connectionBusy)
        /// A sequence of rows, chunks or notifications was read after the closure that it was given to had returned.
        public static let sequenceEnded = Code(.sequenceEnded)
        /// The call does not suit the statement, such as `query` for `COPY … FROM STDIN`.
        public static let unexpectedStatement = Code(.unexpectedStatement)
        /// The server rolled a transaction back where it was asked to commit it.
        public static let transactionRolledBack = Code(.transactionRolledBack)
        /// A parameter cannot be sent, for example because its number does not fit the type that the server expects.
        public static let invalidParameter = Code(.invalidParameter)
        /// A row has no such column.
        public static let invalidColumn = Code(.invalidColumn)
        /// A value of a row cannot be read as the requested type.
        public static let invalidValue = Code(.invalidValue)
    }

    /// What a server reports about an error.
    struct Report: Sendable {
        var severity: String?
        var sqlState: String?
        var message: String?
        var detail: String?
        var hint: String?
        var position: Int?
        var schema: String?
        var table: String?
        var column: String?
        var constraint: String?
        /// The function in the server's source that reported the error. Unlike the message it is never translated.
        var function: String?
        /// Whether the caller asked for a read-only transaction, which refused the statement.
        var isInReadOnlyTransaction = false
    }

    /// Boxed, so that an error takes one word.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let report: Report
        let server: String?
        let underlyingError: (any Error)?

        init(_ code: Code, _ message: String, _ report: Report, server: String?, underlyingError: (any Error)?) {
            self.code = code
            self.message = message
            self.report = report
            self.server = server
            self.underlyingError = underlyingError
        }
    }

    private let storage: Storage

    init(
        _ code: Code,
        _ message: String,
        report: Report = Report(),
        server: String? = nil,
        underlyingError: (any Error)? = nil
    ) {
        storage = Storage(code, message, report, server: server, underlyingError: underlyingError)
    }

    /// The kind of the failure.
    public var code: Code { storage.code }
    /// What happened. For ``Code/serverError``, the server's message, unchanged.
    public var message: String { storage.message }
    /// PostgreSQL's code for an error that the server reported, such as `23505`; otherwise `nil`.
    public var sqlState: String? { storage.report.sqlState }
    /// The server's severity in English, such as `ERROR` or `FATAL`; `nil` for an error of the client.
    public var severity: String? { storage.report.severity }
    /// The server's further explanation, if it gave any.
    public var detail: String? { storage.report.detail }
    /// The server's advice, if it gave any.
    public var hint: String? { storage.report.hint }
    /// The position in the statement to which the error refers, in characters, starting with 1.
    public var position: Int? { storage.report.position }
    /// The schema to which the error refers, if any.
    public var schema: String? { storage.report.schema }
    /// The table to which the error refers, if any.
    public var table: String? { storage.report.table }
    /// The column to which the error refers, if any.
    public var column: String? { storage.report.column }
    /// The constraint that was violated, if any.
    public var constraint: String? { storage.report.constraint }
    /// The server and the database, such as `db.internal:5432, database "app"`; `nil` if no server is concerned.
    public var server: String? { storage.server }
    /// The error that led to this one, if there is one.
    public var underlyingError: (any Error)? { storage.underlyingError }

    var report: Report { storage.report }

    /// Whether the caller brought the error about by `withTransaction(readOnly: true)`.
    var isByChoice: Bool { storage.report.isInReadOnlyTransaction }

    /// The same error with the name of a server.
    func naming(server: String) -> PostgresError {
        PostgresError(code, message, report: report, server: server, underlyingError: underlyingError)
    }
}

extension PostgresError: CustomStringConvertible {
    /// The message with what the server added to it, and the name of the server.
    public var description: String {
        var text = message
        if let sqlState, code == .serverError { text = "\(severity ?? "ERROR") \(sqlState): \(text)" }
        if let detail { text += text.hasSuffix(".") ? " \(detail)" : ". \(detail)" }
        if let hint { text += text.hasSuffix(".") ? " Hint: \(hint)" : ". Hint: \(hint)" }
        if let position, code == .serverError { text += " (at character \(position) of the statement)" }
        if let server { text += " [\(server)]" }
        return text
    }
}

extension PostgresError: Equatable {
    /// Compares the codes, the SQLSTATEs and the messages.
    public static func == (left: PostgresError, right: PostgresError) -> Bool {
        left.code == right.code && left.sqlState == right.sqlState && left.message == right.message
    }
}

extension PostgresError.Code: CustomStringConvertible {
    public var description: String { base.rawValue }
}
