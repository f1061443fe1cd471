// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres

/// What one lease of a connection is used for.
enum Workload: String {
    /// `SELECT 1`.
    case select
    /// A query that returns 100 rows, whose values are read by name.
    case rows
    /// Ten times `SELECT 1` in one round trip.
    case pipeline

    /// Returns the number of queries.
    @concurrent
    func perform(_ pool: ConnectionPool<PostgresConnectionStrategy>) async throws -> Int {
        switch self {
        case .select:
            let one = try await pool.withConnection { try await $0.query("SELECT 1").only()[0, as: Int.self] }
            precondition(one == 1)
            return 1
        case .rows:
            let rows = try await pool.withConnection { try await $0.query("SELECT id, name FROM items") }
            var (sum, length) = (0, 0)
            for row in rows {
                sum += try row["id", as: Int.self]
                length += try row["name", as: String.self].utf8.count
            }
            precondition(sum == 5050 && length > 0)
            return 1
        case .pipeline:
            let statements = Array(repeating: PostgresStatement("SELECT 1"), count: 10)
            let results = try await pool.withConnection { try await $0.pipeline(statements) }
            precondition(results.count == 10)
            return 10
        }
    }
}
