// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

/// Statements with results that no other visitor can expect.
struct PostgresVisit: Sendable {
    enum Use: CaseIterable, Sendable {
        /// A value that no other visitor sends, and a check that the caller before has left no transaction open.
        case echo
        /// Several rows.
        case rows
        /// `INSERT`, `SELECT` and `DELETE` of a row that no other visitor writes.
        case keep
        /// The same with some ten kilobytes.
        case keepMuch
        /// A row that another visitor has written under its name.
        case readNeighbour
        /// Several statements in one round trip.
        case pipeline
        /// A transaction that moves money from one account to another.
        case transfer
        /// The sum of all accounts.
        case audit
        /// A transaction whose closure throws.
        case rolledBack
        /// A statement that the server rejects, on a connection that stays usable.
        case refused
        /// A statement that may take longer than the query timeout.
        case slow
        /// A statement that is cancelled at any moment, and another one after it on the same connection.
        case cancelled
        /// Rows that are read one by one, and often not to the end.
        case stream
        /// `COPY` in both directions.
        case copy
        /// A transaction that is left open. No caller may get that connection afterwards.
        case leaveOpen
    }

    let visit: Visit
    let use: Use
    let sabotage: Sabotage?

    private var size: Int { visit.size }

    /// - Returns: The number of results, all of which were right.
    /// - Throws: ``Visit/WrongReply``, ``Visit/SpoiledReply``, and the errors of the connection.
    func perform(on connection: PostgresConnection) async throws -> Int {
        switch use {
        case .echo: try await echo(connection, "echo")
        case .rows: return try await rows(connection)
        case .keep: return try await keep(connection, padding: size)
        case .keepMuch: return try await keep(connection, padding: size * 256)
        case .readNeighbour: try await readNeighbour(connection)
        case .pipeline: return try await pipeline(connection)
        case .transfer: return try await transfer(connection)
        case .audit: try await audit(connection)
        case .rolledBack: return try await rolledBack(connection)
        case .refused: return try await refused(connection)
        case .slow: return try await slow(connection)
        case .cancelled: return try await cancelled(connection)
        case .stream: return try await stream(connection)
        case .copy: return try await copy(connection)
        case .leaveOpen: try await leaveOpen(connection)
        }
        return 1
    }

    private func token(_ part: String, padding: Int = 0) -> Token { visit.token(part, padding: padding) }

    private func tokens(_ part: String) -> [Token] {
        (0...size % 12).map { token("\(part)\($0)", padding: $0 * 40) }
    }

    // MARK: - Single statements

    private func echo(_ connection: PostgresConnection, _ part: String) async throws {
        let token = token(part)
        let rows = try await connection.query(
            "SELECT $1::text, coalesce(current_setting('soak.open', true), '')",
            token.text
        )
        try expect([token], rows, "an echo")
        let left = try rows[0][1, as: String.self]
        if left != "" { throw visit.wrong("an echo", "the transaction that visitor \(left) has left open", "none") }
    }

    private func rows(_ connection: PostgresConnection) async throws -> Int {
        let tokens = tokens("rows")
        try expect(tokens, await connection.query("SELECT unnest($1::text[])", tokens.map(\.text)), "a query")
        return tokens.count
    }

    /// Uses a key of this visit alone, so that a statement that was cancelled or delayed cannot change it later, and a
    /// name of the visitor.
    private func keep(_ connection: PostgresConnection, padding: Int) async throws -> Int {
        let (value, name) = (token("keep", padding: padding), token("name"))
        try expect(
            1,
            await connection.execute("INSERT INTO kept VALUES ($1, $2)", visit.name, value.text),
            "INSERT"
        )
        try expect(
            1,
            await connection.execute(
                "INSERT INTO names VALUES ($1, $2) ON CONFLICT (visitor) DO UPDATE SET name = $2",
                "\(visit.life).\(visit.visitor)",
                name.text
            ),
            "INSERT of a name"
        )
        try expect([value], await connection.query("SELECT value FROM kept WHERE key = $1", visit.name), "SELECT")
        try expect(1, await connection.execute("DELETE FROM kept WHERE key = $1", visit.name), "DELETE")
        return 4
    }

    private func readNeighbour(_ connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            "SELECT name FROM names WHERE visitor = $1",
            "\(visit.life).\(visit.neighbour)"
        )
        if let row = rows.first { try visit.checkNameOfNeighbour(try row[0, as: [UInt8].self], "SELECT of a name") }
    }

    private func pipeline(_ connection: PostgresConnection) async throws -> Int {
        let tokens = tokens("pipeline")
        let results = try await connection.pipeline(tokens.map { PostgresStatement("SELECT $1::text", $0.text) })
        try expect(tokens.count, results.count, "a pipeline")
        for (token, rows) in zip(tokens, results) { try expect([token], rows, "a query in a pipeline") }
        return results.count
    }

    private func refused(_ connection: PostgresConnection) async throws -> Int {
        let insert = "INSERT INTO kept VALUES ($1, $2)"
        try expect(1, await connection.execute(insert, visit.name, "first"), "INSERT")
        do {
            try await connection.execute(insert, visit.name, "second")
            throw visit.wrong("the same INSERT again", "success", "a unique violation")
        } catch let error as PostgresError where error.sqlState == "23505" {
            // This is expected.
        }
        try await echo(connection, "after")
        try expect(1, await connection.execute("DELETE FROM kept WHERE key = $1", visit.name), "DELETE")
        return 4
    }

    // MARK: - Transactions

    private struct ChangeOfMind: Error {}

    private func transfer(_ connection: PostgresConnection) async throws -> Int {
        // In the order of their numbers, so that there is no deadlock.
        let first = 1 + visit.number % (PostgresBackend.accounts - 1)
        let second = first + 1 + visit.size % (PostgresBackend.accounts - first)
        let amount = visit.visitor % 7 + 1
        let update = "UPDATE accounts SET balance = balance + $1 WHERE id = $2"
        if sabotage == .splitTransaction {
            try expect(1, await connection.execute(update, amount, first), "UPDATE")
            if visit.number.isMultiple(of: 3) { return 1 }
            try expect(1, await connection.execute(update, -amount, second), "UPDATE")
            return 2
        }
        try await connection.withTransaction { transaction in
            try expect(1, await transaction.execute(update, amount, first), "UPDATE")
            try expect(1, await transaction.execute(update, -amount, second), "UPDATE")
        }
        return 2
    }

    private func audit(_ connection: PostgresConnection) async throws {
        let rows = try await connection.query("SELECT sum(balance)::bigint FROM accounts")
        try expect(1, rows.count, "the sum of all accounts")
        try expect(0, try rows[0][0, as: Int.self], "the sum of all accounts")
    }

    private func rolledBack(_ connection: PostgresConnection) async throws -> Int {
        do {
            try await connection.withTransaction { transaction in
                try expect(
                    1,
                    await transaction.execute("INSERT INTO kept VALUES ($1, $2)", visit.name, "rolled back"),
                    "INSERT"
                )
                throw ChangeOfMind()
            }
        } catch is ChangeOfMind {}
        let rows = try await connection.query("SELECT count(*) FROM kept WHERE key = $1", visit.name)
        try expect(1, rows.count, "a count after a rollback")
        try expect(0, try rows[0][0, as: Int.self], "a count after a rollback")
        return 2
    }

    private func leaveOpen(_ connection: PostgresConnection) async throws {
        let isForSession = sabotage == .keepSetting
        try await connection.executeScript(
            "\(isForSession ? "SET" : "BEGIN; SET LOCAL") soak.open = '\(visit.visitor)'"
        )
    }

    // MARK: - Timeouts and cancellation

    private func slow(_ connection: PostgresConnection) async throws -> Int {
        let token = token("slow")
        do {
            let rows = try await connection.query(
                "SELECT $1::text FROM pg_sleep($2)",
                token.text,
                Double(size) / 20
            )
            try expect([token], rows, "a slow query")
        } catch let error as PostgresError where error.code == .queryTimedOut && !connection.isClosed {
            // This is expected. The connection goes on.
        }
        try await echo(connection, "after")
        return 2
    }

    /// Lets another task use the connection, which is awaited before this one goes on.
    private struct Transferred: @unchecked Sendable {
        let connection: PostgresConnection
    }

    private func cancelled(_ connection: PostgresConnection) async throws -> Int {
        let token = token("cancelled")
        let transferred = Transferred(connection: connection)
        let task = Task {
            let rows = try await transferred.connection.query("SELECT $1::text FROM pg_sleep(0.002)", token.text)
            try expect([token], rows, "a query that is cancelled")
        }
        try? await Task.sleep(for: .microseconds(size * 150))
        task.cancel()
        do {
            try await task.value
        } catch is CancellationError {
            // This is expected. The connection goes on, unless the server did not answer.
        }
        try await echo(connection, "after")
        return 2
    }

    // MARK: - Streams

    private func stream(_ connection: PostgresConnection) async throws -> Int {
        let tokens = tokens("stream")
        let count = visit.number % tokens.count + 1
        try await connection.withRows(of: "SELECT unnest($1::text[])", tokens.map(\.text)) { rows in
            var remaining = tokens.prefix(count)
            for try await row in rows {
                guard let token = remaining.popFirst() else { break }
                try visit.check(try row[0, as: [UInt8].self], are: token, "a query whose rows are read one by one")
            }
            try expect(0, remaining.count, "the number of rows that are missing")
        }
        try await echo(connection, "after")
        return count + 1
    }

    private func copy(_ connection: PostgresConnection) async throws -> Int {
        let tokens = tokens("copy")
        let keys = tokens.indices.map { "\(visit.name).\($0)" }
        let copied = try await connection.withCopyIn("COPY kept FROM STDIN") { copy in
            for (key, token) in zip(keys, tokens) { try await copy.write("\(key)\t\(token.text)\n") }
        }
        try expect(tokens.count, copied, "COPY FROM")
        let list = keys.map { "'\($0)'" }.joined(separator: ", ")
        let select = "SELECT value FROM kept WHERE key IN (\(list)) ORDER BY length(value)"
        try await connection.withCopyOut("COPY (\(select)) TO STDOUT") { lines in
            var remaining = tokens[...]
            for try await line in lines {
                guard let token = remaining.popFirst() else { throw visit.wrong("COPY TO", "more rows", "no more") }
                try visit.check(Array(line.dropLast()), are: token, "COPY TO")
            }
            try expect(0, remaining.count, "the number of rows that are missing")
        }
        try expect(
            tokens.count,
            await connection.execute("DELETE FROM kept WHERE key = ANY($1)", keys),
            "DELETE"
        )
        return 2 + tokens.count
    }

    // MARK: - Checking

    private func expect(_ tokens: [Token], _ rows: PostgresRows, _ command: String) throws {
        try expect(tokens.count, rows.count, command)
        for (token, row) in zip(tokens, rows) { try visit.check(try row[0, as: [UInt8].self], are: token, command) }
    }

    private func expect(_ expected: Int, _ number: Int, _ command: String) throws {
        if number != expected { throw visit.wrong(command, "\(number)", "\(expected)") }
    }
}

extension Token {
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}
