// SPDX-License-Identifier: Apache-2.0

/// A statement that the server has analysed.
final class PreparedStatement {
    /// `nil`: nothing is kept at the server, and the text is sent each time.
    let name: String?
    let sql: String
    /// The types that the server expects for the parameters.
    let parameterTypes: [PostgresType]
    /// Whether all columns of the result can be read in the binary format.
    let returnsBinary: Bool
    /// The columns of the result, as the server described them.
    let columns: ResultColumns
    /// The larger, the later the statement was used.
    var lastUse: UInt64 = 0

    init(name: String?, sql: String, parameterTypes: [PostgresType], returnsBinary: Bool, columns: ResultColumns) {
        self.name = name
        self.sql = sql
        self.parameterTypes = parameterTypes
        self.returnsBinary = returnsBinary
        self.columns = columns
    }
}
