// SPDX-License-Identifier: Apache-2.0

/// The prepared statements of one connection. The one that was used the longest time ago is dropped when it is full.
struct StatementCache {
    private var statements: [String: PreparedStatement] = [:]
    private var clock: UInt64 = 0
    private var lastNumber = 0
    private let capacity: Int

    /// The names of statements that have been dropped and still exist at the server.
    private(set) var droppedNames: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { statements.count }

    /// Returns the statement of a text, if it has been prepared.
    mutating func statement(for sql: String) -> PreparedStatement? {
        guard let statement = statements[sql] else { return nil }
        clock += 1
        statement.lastUse = clock
        return statement
    }

    /// Returns a name for the next statement; `nil` if statements are not kept.
    mutating func nextName() -> String? {
        if capacity == 0 { return nil }
        lastNumber += 1
        return "burst_pool_\(lastNumber)"
    }

    mutating func insert(_ statement: PreparedStatement) {
        guard statement.name != nil else { return }
        if statements.count >= capacity, let oldest = statements.values.min(by: { $0.lastUse < $1.lastUse }) {
            remove(oldest)
        }
        clock += 1
        statement.lastUse = clock
        statements[statement.sql] = statement
    }

    mutating func remove(_ statement: PreparedStatement) {
        guard let name = statement.name, statements[statement.sql] === statement else { return }
        statements[statement.sql] = nil
        droppedNames.append(name)
    }

    /// Forgets the names that the server has been told to drop.
    mutating func forgetDroppedNames() {
        droppedNames.removeAll()
    }

    /// Forgets all statements, because the server has done so.
    mutating func removeAll() {
        statements.removeAll()
        droppedNames.removeAll()
    }
}
