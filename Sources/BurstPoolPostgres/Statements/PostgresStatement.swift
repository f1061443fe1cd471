// SPDX-License-Identifier: Apache-2.0

/// A statement with its parameters, for a pipeline.
public struct PostgresStatement: Sendable {
    /// The text, with `$1`, `$2`, … for the parameters.
    public var sql: String
    /// The parameters. `nil` is NULL.
    public var parameters: [(any PostgresEncodable)?]

    public init(_ sql: String, _ parameters: (any PostgresEncodable)?...) {
        self.init(sql, parameters: parameters)
    }

    public init(_ sql: String, parameters: [(any PostgresEncodable)?]) {
        self.sql = sql
        self.parameters = parameters
    }
}
