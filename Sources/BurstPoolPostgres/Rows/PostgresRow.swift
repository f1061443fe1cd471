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
    let result: QueryResult
    let index: Int

    /// The number of columns.
    public var count: Int { result.columnCount }

    /// Returns the value of the first column of a name.
    ///
    /// - Throws: ``PostgresError/Code/invalidColumn`` if there is no such column; ``PostgresError/Code/invalidValue`` if
    ///   the value cannot be read as the type, for example because it is NULL and the type is not optional.
    public subscript<Value: PostgresDecodable>(name: String, as type: Value.Type) -> Value {
        get throws {
            guard let column = result.column(named: name) else {
                let names = (0..<count).map { "\"\(result.columnName($0))\"" }.joined(separator: ", ")
                throw PostgresError(
                    .invalidColumn,
                    "The row has no column \"\(name)\". Its columns are \(names.isEmpty ? "none" : names)."
                )
            }
            return try decode(column, as: type)
        }
    }

    /// Returns the value of a column by its number, starting with 0.
    ///
    /// - Throws: As the subscript by name.
    public subscript<Value: PostgresDecodable>(column: Int, as type: Value.Type) -> Value {
        get throws {
            guard (0..<count).contains(column) else {
                throw PostgresError(.invalidColumn, "The row has \(count) columns, and column \(column) was asked for.")
            }
            return try decode(column, as: type)
        }
    }

    /// Returns the values of the first columns, in their order.
    ///
    /// - Throws: As the subscript by name.
    public func decode<each Value: PostgresDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value) {
        var column = 0
        func next<Next: PostgresDecodable>(_ type: Next.Type) throws -> Next {
            defer { column += 1 }
            return try self[column, as: type]
        }
        return (repeat try next(each types))
    }

    private func decode<Value: PostgresDecodable>(_ column: Int, as type: Value.Type) throws -> Value {
        do {
            return try Value.decode(result.value(row: index, column: column))
        } catch let failure as PostgresValueError {
            throw failure.error(column: result.columnName(column), type: result.columnType(column), target: type)
        }
    }
}
