// SPDX-License-Identifier: Apache-2.0

/// A notice or a warning of the server.
public struct PostgresNotice: Sendable, CustomStringConvertible {
    /// The severity in English: `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`.
    public let severity: String
    /// PostgreSQL's code, such as `01000`.
    public let sqlState: String
    /// The server's text.
    public let message: String
    /// The server's further explanation, if it gave any.
    public let detail: String?
    /// The server's advice, if it gave any.
    public let hint: String?

    init(_ report: PostgresError.Report) {
        severity = report.severity ?? "NOTICE"
        sqlState = report.sqlState ?? "00000"
        message = report.message ?? ""
        detail = report.detail
        hint = report.hint
    }

    public var description: String { "\(severity) \(sqlState): \(message)" }
}
