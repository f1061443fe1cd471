// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import Foundation

/// A link is a row of the table `links`.
///
/// Every operation is one statement, which is prepared when a connection executes it for the first time.
extension PostgresConnection: LinkConnection {
    static var system: String { "PostgreSQL" }

    func createLink(_ code: LinkCode, url: String, created: Date) async throws -> Link? {
        let rows = try await onTable {
            try await query(
                """
                INSERT INTO links (code, url, created) VALUES ($1, $2, $3)
                ON CONFLICT (code) DO NOTHING RETURNING created
                """,
                code.text,
                url,
                created
            )
        }
        // The time as PostgreSQL has stored it, in microseconds.
        return try rows.first.map { Link(code: code, url: url, created: try $0["created", as: Date.self], count: 0) }
    }

    func followLink(_ code: LinkCode) async throws -> String? {
        let rows = try await onTable {
            try await query("UPDATE links SET count = count + 1 WHERE code = $1 RETURNING url", code.text)
        }
        return try rows.first?["url", as: String.self]
    }

    func findLink(_ code: LinkCode) async throws -> Link? {
        let rows = try await onTable {
            try await query("SELECT url, created, count FROM links WHERE code = $1", code.text)
        }
        return try rows.first.map { row in
            let (url, created, count) = try row.decode(String.self, Date.self, Int.self)
            return Link(code: code, url: url, created: created, count: count)
        }
    }

    func checkLinks() async throws {
        _ = try await onTable { try await query("SELECT FROM links LIMIT 0") }
    }

    /// Executes a statement on the table. If there is no table, creates it and executes the statement again.
    ///
    /// ``DatabaseProbe`` checks the table when the service starts, so this is seldom needed later. It also makes the service
    /// work after the database was replaced by an empty one.
    private func onTable(_ statement: () async throws -> PostgresRows) async throws -> PostgresRows {
        do {
            return try await statement()
        } catch let error as PostgresError where error.sqlState == "42P01" {
            try await createTable()
            return try await statement()
        }
    }

    /// The number of an advisory lock, which no other program uses in the same database.
    private static let tableLock = 5_018_172

    /// Creates the table if it does not exist.
    ///
    /// `IF NOT EXISTS` alone fails if two connections create the table at the same time. The lock makes them do it one after
    /// another. It is held until the end of the transaction, which both statements form together.
    private func createTable() async throws {
        try await executeScript(
            """
            SELECT pg_advisory_xact_lock(\(Self.tableLock));
            CREATE TABLE IF NOT EXISTS links (
                code text PRIMARY KEY,
                url text NOT NULL,
                created timestamptz NOT NULL,
                count bigint NOT NULL DEFAULT 0
            )
            """
        )
    }
}
