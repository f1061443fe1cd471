// SPDX-License-Identifier: Apache-2.0

/// One row of a query.
///
/// ```swift
/// let name = try row["name", as: String.self]
/// let age = try row["age", as: Int?.self]          // NULL is nil
/// let (id, email) = try row.decode(Int.self, String.self)
/// ```
///
/// A row is independent of the connection and can be kept for any time.
public struct PostgresRow: Sendable {
    @usableFromInline let result: QueryResult
    @usableFromInline let columns: ResultColumns
    @usableFromInline let index: Int

    @inlinable
    init(result: QueryResult, columns: ResultColumns, index: Int) {
        self.result = result
        self.columns = columns
        self.index = index
    }

    /// The number of columns.
    @inlinable
    public var count: Int { columns.all.count }

    /// Returns the value of the first column of a name.
    ///
    /// - Throws: ``PostgresError/Code/invalidColumn`` if there is no such column; ``PostgresError/Code/invalidValue`` if
    ///   the value cannot be read as the type, for example because it is NULL and the type is not optional.
    @inlinable
    public subscript<Value: PostgresDecodable>(name: String, as type: Value.Type) -> Value {
        get throws {
            guard let column = columns.index(of: name) else { throw missingColumn(name) }
            return try decode(column, as: type)
        }
    }

    /// Returns the value of a column by its number, starting with 0.
    ///
    /// - Throws: As the subscript by name.
    @inlinable
    public subscript<Value: PostgresDecodable>(column: Int, as type: Value.Type) -> Value {
        get throws {
            guard (0..<count).contains(column) else { throw missingColumn(column) }
            return try decode(column, as: type)
        }
    }

    /// Returns the values of the first columns, in their order.
    ///
    /// - Throws: As the subscript by name.
    @inlinable
    public func decode<each Value: PostgresDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value) {
        var column = 0
        func next<Next: PostgresDecodable>(_ type: Next.Type) throws -> Next {
            defer { column += 1 }
            return try self[column, as: type]
        }
        return (repeat try next(each types))
    }

    @inlinable
    func decode<Value: PostgresDecodable>(_ column: Int, as type: Value.Type) throws -> Value {
        do {
            guard let bytes = result.bytes(row: index, column: column) else { return try Value.decode(nil) }
            let (type, isBinary) = (columns.all[column].type, columns.all[column].isBinary)
            return try Value.decode(PostgresValue(bytes: bytes, type: type, isBinary: isBinary, owner: result))
        } catch {
            throw described(error, column: column, target: type)
        }
    }

    // The errors are made here, so that the code that callers inline stays small.

    @usableFromInline
    func described(_ error: any Error, column: Int, target: Any.Type) -> any Error {
        guard let failure = error as? PostgresValueError else { return error }
        return failure.error(column: columns.all[column].name, type: columns.all[column].type, target: target)
    }

    @usableFromInline
    func missingColumn(_ name: String) -> any Error {
        let names = columns.all.map { "\"\($0.name)\"" }.joined(separator: ", ")
        return PostgresError(
            .invalidColumn,
            "The row has no column \"\(name)\". Its columns are \(names.isEmpty ? "none" : names)."
        )
    }

    @usableFromInline
    func missingColumn(_ column: Int) -> any Error {
        PostgresError(.invalidColumn, "The row has \(count) columns, and column \(column) was asked for.")
    }
}
