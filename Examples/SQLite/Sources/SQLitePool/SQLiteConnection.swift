// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Dispatch
import Synchronization

/// A value in a row, or a parameter.
enum SQLiteValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
}

struct SQLiteError: Error, CustomStringConvertible {
    /// SQLite's extended result code.
    let code: Int32
    let message: String

    var description: String { "SQLite error \(code): \(message)" }
    /// The result code without its extension, such as `SQLITE_BUSY`.
    var primaryCode: Int32 { code & 0xFF }
}

/// A connection to a SQLite database.
///
/// Every call of SQLite blocks, so it runs on a queue of the connection, and never on a thread of Swift's cooperative pool.
final class SQLiteConnection {
    let database: Database
    private let queue = DispatchQueue(label: "sqlite")

    /// Opens the database, and creates it if necessary.
    static func open(_ path: String) async throws -> sending SQLiteConnection {
        let connection = SQLiteConnection(Database())
        try await connection.run { try $0.open(path) }
        return connection
    }

    private init(_ database: Database) {
        self.database = database
    }

    /// Executes a statement and returns its rows. If the task is cancelled, the statement is interrupted.
    func query(_ sql: String, _ parameters: SQLiteValue...) async throws -> [[SQLiteValue]] {
        try await run { [parameters] in try $0.query(sql, parameters) }
    }

    func close() async {
        try? await run { $0.close() }
    }

    private func run<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { [database, queue] continuation in
                queue.async { continuation.resume(with: Swift.Result { try body(database) }) }
            }
        } onCancel: { [database] in
            database.interrupt()
        }
    }
}

/// The handle of SQLite. All methods but ``interrupt()`` run on the connection's queue.
final class Database: Sendable {
    private struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer?
    }

    /// Only ``close()`` and ``interrupt()`` hold the lock for long, so that no interrupt meets a handle that is being freed.
    private let handle = Mutex(Handle())

    private var pointer: OpaquePointer? { handle.withLock { $0.pointer } }
    var isClosed: Bool { pointer == nil }

    fileprivate func open(_ path: String) throws {
        var pointer: OpaquePointer?
        // The queue lets one thread at a time use the connection, so SQLite need not lock it as well.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let status = sqlite3_open_v2(path, &pointer, flags, nil)
        guard status == SQLITE_OK else {
            defer { sqlite3_close_v2(pointer) }
            throw error(pointer)
        }
        sqlite3_extended_result_codes(pointer, 1)
        // How long to wait for the lock of another connection, in milliseconds.
        sqlite3_busy_timeout(pointer, 5_000)
        handle.withLock { [handle = Handle(pointer: pointer)] in $0 = handle }
        _ = try query("PRAGMA journal_mode = WAL", [])
    }

    fileprivate func query(_ sql: String, _ parameters: [SQLiteValue]) throws -> [[SQLiteValue]] {
        guard let pointer else { throw SQLiteError(code: SQLITE_MISUSE, message: "The connection is closed.") }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(pointer, sql, -1, &statement, nil) == SQLITE_OK else { throw error(pointer) }
        defer { sqlite3_finalize(statement) }
        // Tells SQLite to copy the text.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (index, parameter) in parameters.enumerated() {
            let number = Int32(index + 1)
            let status =
                switch parameter {
                case .null: sqlite3_bind_null(statement, number)
                case .integer(let value): sqlite3_bind_int64(statement, number, value)
                case .text(let value): sqlite3_bind_text(statement, number, value, -1, transient)
                }
            guard status == SQLITE_OK else { throw error(pointer) }
        }
        var rows: [[SQLiteValue]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: rows.append((0..<sqlite3_column_count(statement)).map { value(statement, $0) })
            case SQLITE_DONE: return rows
            default: throw error(pointer)
            }
        }
    }

    private func value(_ statement: OpaquePointer?, _ column: Int32) -> SQLiteValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
        default: .text(String(cString: sqlite3_column_text(statement, column)))
        }
    }

    private func error(_ pointer: OpaquePointer?) -> SQLiteError {
        SQLiteError(code: sqlite3_extended_errcode(pointer), message: String(cString: sqlite3_errmsg(pointer)))
    }

    fileprivate func close() {
        handle.withLock { handle in
            sqlite3_close_v2(handle.pointer)
            handle.pointer = nil
        }
    }

    /// Makes the statement in progress fail with `SQLITE_INTERRUPT`. May be called from any thread.
    func interrupt() {
        handle.withLock { if let pointer = $0.pointer { sqlite3_interrupt(pointer) } }
    }

    /// Whether a transaction is open. Does not block.
    var isInTransaction: Bool { pointer.map { sqlite3_get_autocommit($0) == 0 } ?? false }
}
