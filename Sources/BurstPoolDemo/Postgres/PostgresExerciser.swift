// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

/// Carries out the exercises of one task on PostgreSQL, on the task's row of the run's table.
struct PostgresExerciser: Exerciser {
    private(set) var ledger: Ledger
    private let table: RunTable
    private var values: UniqueValues

    init(task: Int, table: RunTable, values: UniqueValues) {
        ledger = Ledger(task: task)
        self.table = table
        self.values = values
    }

    mutating func perform(_ exercise: Exercise, on connection: PostgresConnection) async throws -> Int {
        switch exercise {
        case .echo: try await echo(connection)
        case .writeText: try await writeText(connection)
        case .readText: try await readText(connection)
        case .writeBlob: try await writeBlob(connection)
        case .readBlob: try await readBlob(connection)
        case .increment: try await increment(connection)
        case .exchange: try await exchange(connection)
        case .pipeline: return try await pipeline(connection)
        case .transaction:
            let rollsBack = values.oneIn(4)
            return try await rollsBack ? rolledBackTransaction(connection) : transaction(connection)
        case .refused: return try await refused(connection)
        }
        return 1
    }

    // MARK: - One statement

    private mutating func echo(_ connection: PostgresConnection) async throws {
        let token = values.text()
        try echoed(token, await connection.query(table.echo, Self.string(token)))
    }

    private mutating func writeText(_ connection: PostgresConnection) async throws {
        let value = values.text()
        ledger.text.willBecome(value)
        try wrote(await connection.execute(table.writeText, ledger.task, Self.string(value)))
        ledger.text.became(value)
    }

    private mutating func readText(_ connection: PostgresConnection) async throws {
        try readText(await connection.query(table.readText, ledger.task))
    }

    private mutating func writeBlob(_ connection: PostgresConnection) async throws {
        let value = values.blob()
        ledger.blob.willBecome(value)
        try wrote(await connection.execute(table.writeBlob, ledger.task, value))
        ledger.blob.became(value)
    }

    private mutating func readBlob(_ connection: PostgresConnection) async throws {
        let rows = try await connection.query(table.readBlob, ledger.task)
        let blob: [UInt8]? = try value(rows, "a SELECT of the blob")
        let expected = ledger.blob.candidates
        let isCorrect = ledger.blob.read(blob)
        try expect(isCorrect, "a SELECT of the blob", brief(blob), brief(expected))
    }

    private mutating func increment(_ connection: PostgresConnection) async throws {
        ledger.counter.willIncrement()
        try incremented(await connection.query(table.increment, ledger.task))
    }

    private mutating func exchange(_ connection: PostgresConnection) async throws {
        let value = values.text()
        var before = ledger.text
        ledger.text.willBecome(value)
        let reply = try text(
            await connection.query(table.exchange, ledger.task, Self.string(value)),
            "an exchange of the text"
        )
        let expected = before.candidates
        let isCorrect = before.read(reply)
        try expect(isCorrect, "an exchange of the text", brief(reply), brief(expected))
        ledger.text.became(value)
    }

    // MARK: - Several statements

    /// The server executes the pipeline as one transaction.
    private mutating func pipeline(_ connection: PostgresConnection) async throws -> Int {
        let (first, last, value) = (values.text(), values.text(), values.text())
        ledger.text.willBecome(value)
        ledger.counter.willIncrement(by: 2)
        let statements = [
            PostgresStatement(table.echo, Self.string(first)),
            PostgresStatement(table.writeText, ledger.task, Self.string(value)),
            PostgresStatement(table.increment, ledger.task),
            PostgresStatement(table.readText, ledger.task),
            PostgresStatement(table.increment, ledger.task),
            PostgresStatement(table.textLength, ledger.task),
            PostgresStatement(table.echo, Self.string(last)),
        ]
        let results = try await connection.pipeline(statements)
        try expect(results.count == statements.count, "a pipeline", "\(results.count)", "\(statements.count) results")
        try echoed(first, results[0])
        try wrote(results[1].affectedRows)
        ledger.text.became(value)
        try incremented(results[2], pending: 1)
        try readText(results[3])
        try incremented(results[4])
        let length: Int? = try self.value(results[5], "the length of the text")
        try expect(length == value.count, "the length of the text", "\(length ?? 0)", "\(value.count)")
        try echoed(last, results[6])
        return statements.count
    }

    private mutating func transaction(_ connection: PostgresConnection) async throws -> Int {
        ledger.counter.willIncrement()
        // The ledger learns of the increment after the commit, because it counts only then.
        let (counter, text) = try await connection.withTransaction { [table, ledger] transaction in
            let counter = try await transaction.query(table.increment, ledger.task)
            return (counter, try await transaction.query(table.readText, ledger.task))
        }
        try incremented(counter)
        try readText(text)
        return 4
    }

    /// Increments the counter in a transaction that is rolled back, so the counter keeps its value.
    private mutating func rolledBackTransaction(_ connection: PostgresConnection) async throws -> Int {
        struct Rollback: Error {
            let counter: PostgresRows
        }
        var attempt = self
        attempt.ledger.counter.willIncrement()
        do {
            try await connection.withTransaction { [table, ledger] transaction in
                throw Rollback(counter: try await transaction.query(table.increment, ledger.task))
            }
        } catch let rollback as Rollback {
            try attempt.incremented(rollback.counter)
            // The reply has narrowed the possible values down to one.
            let before = attempt.ledger.counter.range.lowerBound - 1
            let expected = ledger.counter.range
            let isCorrect = ledger.counter.read(before)
            try expect(isCorrect, "an increment that is rolled back", "\(before + 1)", "one more than \(expected)")
        }
        return 3
    }

    /// Violates the primary key.
    private mutating func refused(_ connection: PostgresConnection) async throws -> Int {
        guard ledger.text.exists else {
            try await writeText(connection)
            return 1
        }
        do {
            let count = try await connection.execute(table.insert, ledger.task)
            try expect(false, "an INSERT of an existing row", "\(count) rows", "the error 23505")
        } catch let error as PostgresError where error.sqlState == "23505" {
            // The expected error.
        }
        try await echo(connection)
        return 2
    }

    // MARK: - Checks

    private func echoed(_ token: [UInt8], _ rows: PostgresRows) throws {
        let reply = try text(rows, "a SELECT of a parameter")
        try expect(reply == token, "a SELECT of a parameter", brief(reply), brief(token))
    }

    private func wrote(_ count: Int) throws {
        try expect(count == 1, "an INSERT", "\(count) rows", "1 row")
    }

    private mutating func readText(_ rows: PostgresRows) throws {
        let reply = try text(rows, "a SELECT of the text")
        let expected = ledger.text.candidates
        let isCorrect = ledger.text.read(reply)
        try expect(isCorrect, "a SELECT of the text", brief(reply), brief(expected))
    }

    private mutating func incremented(_ rows: PostgresRows, pending: Int = 0) throws {
        let reply: Int? = try value(rows, "an increment")
        let range = ledger.counter.range
        let isCorrect = reply.map { ledger.counter.answered($0, pending: pending) } ?? false
        let text = reply.map { "\($0)" } ?? "nothing"
        try expect(isCorrect, "an increment", text, "one more than a value in \(range)")
    }

    private func text(_ rows: PostgresRows, _ command: String) throws -> [UInt8]? {
        let text: String? = try value(rows, command)
        return text.map { Array($0.utf8) }
    }

    /// Returns the value in the only row; `nil` for NULL, and if there is no row.
    private func value<Value: PostgresDecodable>(_ rows: PostgresRows, _ command: String) throws -> Value? {
        try expect(rows.count <= 1, command, "\(rows.count) rows", "one row")
        return try rows.first?[0, as: Value?.self]
    }

    private func expect(
        _ isCorrect: Bool,
        _ command: String,
        _ reply: @autoclosure () -> String,
        _ expected: @autoclosure () -> String
    ) throws {
        guard !isCorrect else { return }
        throw WrongReply(task: ledger.task, command: command, reply: reply(), expected: expected())
    }

    private static func string(_ text: [UInt8]) -> String {
        String(decoding: text, as: UTF8.self)
    }
}
