// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// Owns a result of libpq.
///
/// A result does not change once libpq has returned it, and libpq's functions that read it do not write to it, so several
/// threads may read it at the same time.
@usableFromInline
final class QueryResult: @unchecked Sendable {
    let pointer: OpaquePointer
    @usableFromInline let rowCount: Int
    let columnCount: Int

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = Int(PQnfields(pointer))
    }

    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }

    /// What the server says it has done, such as `UPDATE 3`.
    var commandTag: UnsafePointer<CChar> { UnsafePointer(PQcmdStatus(pointer)) }

    /// The number of rows that the command tag gives; 0 for a statement that has none, such as `CREATE TABLE`.
    var affectedRows: Int {
        Int(String(cString: PQcmdTuples(pointer))) ?? 0
    }

    func columnName(_ column: Int) -> String {
        String(cString: PQfname(pointer, Int32(column)))
    }

    func columnType(_ column: Int) -> PostgresType {
        PostgresType(oid: PQftype(pointer, Int32(column)))
    }

    /// Returns the bytes of a value, or `nil` for NULL. The row and the column must exist.
    @usableFromInline
    func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        let (row, column) = (Int32(row), Int32(column))
        let length = PQgetlength(pointer, row, column)
        // The length of NULL is 0 as well.
        if length == 0, PQgetisnull(pointer, row, column) != 0 { return nil }
        return UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, column), count: Int(length))
    }

    /// What the server reports about an error.
    var errorReport: PostgresError.Report { PostgresError.Report(of: pointer) }
}

extension PostgresError.Report {
    /// Reads the fields of an error or a notice.
    init(of result: OpaquePointer) {
        func field(_ code: Int) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        self.init(
            severity: field(CLIBPQ_SEVERITY),
            sqlState: field(CLIBPQ_SQLSTATE),
            message: field(CLIBPQ_MESSAGE),
            detail: field(CLIBPQ_DETAIL),
            hint: field(CLIBPQ_HINT),
            position: field(CLIBPQ_POSITION).flatMap { Int($0) },
            schema: field(CLIBPQ_SCHEMA),
            table: field(CLIBPQ_TABLE),
            column: field(CLIBPQ_COLUMN),
            constraint: field(CLIBPQ_CONSTRAINT),
            function: field(CLIBPQ_FUNCTION)
        )
    }
}
