// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// How much a transaction sees of what others do at the same time.
public struct PostgresIsolation: Sendable, Hashable {
    let sql: String

    public static let readCommitted = PostgresIsolation(sql: "READ COMMITTED")
    public static let repeatableRead = PostgresIsolation(sql: "REPEATABLE READ")
    public static let serializable = PostgresIsolation(sql: "SERIALIZABLE")
}

extension PostgresConnection {
    /// Runs a closure within a transaction: commits when it returns, rolls back when it throws.
    ///
    /// ```swift
    /// try await connection.withTransaction { transaction in
    ///     try await transaction.execute("UPDATE accounts SET balance = balance - 10 WHERE id = $1", from)
    ///     try await transaction.execute("UPDATE accounts SET balance = balance + 10 WHERE id = $1", to)
    /// }
    /// ```
    ///
    /// Within a transaction it makes a savepoint instead, and rolls back to that; the options must be left out then.
    /// If the task is cancelled, the statement in progress is cancelled and the transaction is rolled back. Once the
    /// closure has returned, cancellation no longer prevents the commit.
    ///
    /// - Parameters:
    ///   - isolation: The isolation level. `nil`: the default of the session.
    ///   - readOnly: Whether writes are refused.
    ///   - deferrable: Whether a serializable, read-only transaction may wait until it cannot fail.
    ///   - body: What to do. It gets this connection.
    /// - Throws: What the closure throws; ``PostgresError``, with ``PostgresError/Code/transactionRolledBack`` if a
    ///   statement failed and the closure did not throw its error.
    @discardableResult
    public func withTransaction<Result>(
        isolation: PostgresIsolation? = nil,
        readOnly: Bool = false,
        deferrable: Bool = false,
        _ body: sending (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        guard wire.transactionStatus == PQTRANS_IDLE || !wire.isOpen else {
            guard isolation == nil, !readOnly, !deferrable else {
                throw PostgresError(
                    .unexpectedStatement,
                    "A transaction is in progress already, so its isolation, readOnly and deferrable cannot be set.",
                    server: wire.serverDescription
                )
            }
            return try await withSavepoint(body)
        }
        var begin = "BEGIN"
        if let isolation { begin += " ISOLATION LEVEL \(isolation.sql)" }
        if readOnly { begin += " READ ONLY" }
        if deferrable { begin += " DEFERRABLE" }
        try await use { try await runScript(begin) }
        wire.isInReadOnlyTransaction = readOnly
        defer { wire.isInReadOnlyTransaction = false }
        return try await finish(body, commit: "COMMIT", rollback: "ROLLBACK")
    }

    private func withSavepoint<Result>(_ body: sending (PostgresConnection) async throws -> Result) async throws
        -> Result
    {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "burst_pool_\(savepointDepth)"
        try await use { try await runScript("SAVEPOINT \(name)") }
        return try await finish(
            body,
            commit: "RELEASE SAVEPOINT \(name)",
            rollback: "ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)"
        )
    }

    private func finish<Result>(
        _ body: sending (PostgresConnection) async throws -> Result,
        commit: String,
        rollback: String
    ) async throws -> Result {
        let result: Result
        do {
            result = try await body(self)
        } catch {
            // The error of the closure is the one to report.
            await rollBack(rollback)
            throw error
        }
        do {
            try await use(shielded: true) { try await runCommit(commit) }
        } catch {
            await rollBack(rollback)
            throw error
        }
        return result
    }

    /// If the rollback fails, the connection is closed or left with an open transaction, and the pool closes it.
    private func rollBack(_ rollback: String) async {
        guard wire.isOpen, wire.transactionStatus != PQTRANS_IDLE else { return }
        try? await use(timeout: .cancellation, shielded: true) { try await runScript(rollback) }
    }

    private func runCommit(_ commit: String) async throws {
        guard PQsendQuery(wire.connection, commit) != 0 else { throw wire.rejected() }
        let outcome = try await collect()
        guard strcmp(outcome.commandTag, "ROLLBACK") != 0 else {
            throw PostgresError(
                .transactionRolledBack,
                "A statement of the transaction failed, so the server rolled it back instead of committing it.",
                server: wire.serverDescription
            )
        }
    }
}
