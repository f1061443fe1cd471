// SPDX-License-Identifier: Apache-2.0

/// The rows that a query returned.
///
/// A collection that can be iterated, indexed from 0, and kept for any time: it is independent of the connection. A row
/// keeps all rows of its query in memory.
public struct PostgresRows: RandomAccessCollection, Sendable {
    @usableFromInline let result: QueryResult
    @usableFromInline let resultColumns: ResultColumns

    init(result: QueryResult, of statement: PreparedStatement) {
        self.result = result
        resultColumns = statement.columns.adapted(to: result)
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { result.rowCount }
    @inlinable public subscript(index: Int) -> PostgresRow {
        precondition(indices.contains(index), "There are \(count) rows, and the index is \(index).")
        return PostgresRow(result: result, columns: resultColumns, index: index)
    }

    /// The columns, also if there are no rows. Empty for a statement that returns no rows, such as `UPDATE`.
    public var columns: [PostgresColumn] {
        resultColumns.all.map { PostgresColumn(name: $0.name, type: $0.type) }
    }

    /// The number of rows that the statement returned, inserted, updated, deleted, merged or copied.
    public var affectedRows: Int { result.affectedRows }

    /// What the server says it has done, such as `SELECT 2` or `CREATE TABLE`.
    public var commandTag: String { String(cString: result.commandTag) }

    /// Returns the only row.
    ///
    /// - Throws: ``PostgresError/Code/invalidValue`` if there is no row, or more than one.
    public func only() throws -> PostgresRow {
        guard count == 1 else {
            throw PostgresError(.invalidValue, "Exactly one row was expected, and the query returned \(count).")
        }
        return self[0]
    }
}

/// A column of a query's rows.
public struct PostgresColumn: Sendable, Hashable {
    /// The name, as the server gives it.
    public let name: String
    /// The type.
    public let type: PostgresType
}
