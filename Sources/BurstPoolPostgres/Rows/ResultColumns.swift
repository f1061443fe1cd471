// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// The names, types and formats of a result's columns, which all executions of a prepared statement share.
@usableFromInline
final class ResultColumns: Sendable {
    @usableFromInline
    struct Column: Sendable {
        @usableFromInline let name: String
        @usableFromInline let type: PostgresType
        @usableFromInline let isBinary: Bool
    }

    @usableFromInline let all: [Column]
    /// A result with these columns.
    private let example: QueryResult

    /// The columns of a result.
    ///
    /// - Parameter isBinary: The format of the values, if it is not the one that the result names, as it is not where the
    ///   server has only described a statement.
    init(of result: QueryResult, isBinary: Bool? = nil) {
        example = result
        all = (0..<result.columnCount).map { column in
            Column(
                name: result.columnName(column),
                type: result.columnType(column),
                isBinary: isBinary ?? (PQfformat(result.pointer, Int32(column)) == 1)
            )
        }
    }

    /// These columns, if they are those of a result; otherwise its columns. O(columns), without an allocation if they are.
    func adapted(to result: QueryResult) -> ResultColumns {
        guard result.columnCount == all.count else { return ResultColumns(of: result) }
        for (index, column) in all.enumerated() {
            let number = Int32(index)
            guard PQftype(result.pointer, number) == column.type.oid,
                (PQfformat(result.pointer, number) == 1) == column.isBinary,
                strcmp(PQfname(result.pointer, number), PQfname(example.pointer, number)) == 0
            else { return ResultColumns(of: result) }
        }
        return self
    }

    /// Returns the first column of a name, or `nil`.
    @inlinable
    func index(of name: String) -> Int? {
        // Compares the lengths first, because the comparison of different strings is slow.
        let length = name.utf8.count
        for index in all.indices where all[index].name.utf8.count == length && all[index].name == name { return index }
        return nil
    }
}
