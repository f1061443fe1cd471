// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension PostgresConnection {
    /// Executes several statements in one round trip, as one transaction.
    ///
    /// If a statement fails, those before it are rolled back and those after it are not executed. Within
    /// ``withTransaction(isolation:readOnly:deferrable:_:)`` they are part of that transaction. Statements that are used
    /// for the first time are prepared in a round trip of their own.
    ///
    /// ```swift
    /// let results = try await connection.pipeline([
    ///     PostgresStatement("UPDATE accounts SET balance = balance - $1 WHERE id = $2", 10, 1),
    ///     PostgresStatement("UPDATE accounts SET balance = balance + $1 WHERE id = $2", 10, 2),
    /// ])
    /// ```
    ///
    /// - Returns: The rows of each statement, in their order.
    /// - Throws: The error of the statement that failed; `CancellationError`.
    @discardableResult
    public func pipeline(_ statements: [PostgresStatement]) async throws -> [PostgresRows] {
        try await observe(statements.text, statementCount: statements.count) {
            try await use {
                try await run(statements, independently: false).map { try $0.get() }
            }
        }
    }

    /// Executes several statements in one round trip, each as a transaction of its own.
    ///
    /// A statement that fails does not affect the others, except within a transaction.
    ///
    /// - Returns: The rows or the error of each statement, in their order.
    /// - Throws: If a statement cannot be prepared or sent, or the connection is lost; `CancellationError`.
    public func pipelineIndependently(
        _ statements: [PostgresStatement]
    ) async throws -> [Result<PostgresRows, PostgresError>] {
        try await observe(statements.text, statementCount: statements.count) {
            try await use {
                try await run(statements, independently: true)
            }
        }
    }

    private func run(
        _ statements: [PostgresStatement],
        independently: Bool
    ) async throws -> [Result<PostgresRows, PostgresError>] {
        if statements.isEmpty { return [] }
        var mayRepeat = true
        while true {
            let prepared = try await prepared(statements)
            // Everything that can fail in the client does so before anything is sent.
            let buffers = try zip(statements, prepared).map { statement, prepared in
                var buffer = ParameterBuffer()
                try buffer.encode(statement.parameters, for: prepared)
                return buffer
            }
            let wasIdle = wire.transactionStatus == PQTRANS_IDLE
            let outcomes = try await wire.pipeline { pipeline in
                for (statement, buffer) in zip(prepared, buffers) {
                    pipeline.add(buffer.send(statement, over: wire.connection) ? 1 : 0)
                    if independently { pipeline.sync() }
                }
            }
            // If the first statement was not executed, none of one transaction was, and all can be sent again.
            var mustRepeat = false
            for (statement, outcome) in zip(prepared, outcomes) {
                guard case .failure(let error) = outcome else { continue }
                mustRepeat = forget(statement, after: error) || mustRepeat
                if !independently { break }
            }
            guard mustRepeat, mayRepeat, wasIdle, !independently else {
                return zip(prepared, outcomes).map { statement, outcome in
                    outcome.map { PostgresRows(result: $0, of: statement) }
                }
            }
            mayRepeat = false
        }
    }

    /// Returns the prepared statements. Statements that are missing are prepared in one round trip.
    private func prepared(_ wanted: [PostgresStatement]) async throws -> [PreparedStatement] {
        var found: [String: PreparedStatement] = [:]
        var missing: [String] = []
        for statement in wanted where found[statement.sql] == nil && !missing.contains(statement.sql) {
            if let known = statements.statement(for: statement.sql) {
                found[statement.sql] = known
            } else {
                missing.append(statement.sql)
            }
        }
        for statement in missing.isEmpty ? [] : try await prepare(missing) { found[statement.sql] = statement }
        return wanted.map { found[$0.sql]! }
    }
}
