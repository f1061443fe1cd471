// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation

/// Writes and reads a SQLite database through a pool, and checks that nothing is lost. Exits with 1 if something is.
@main
struct SQLitePool {
    static func main() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sqlite-pool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        let strategy = SQLiteStrategy(path: folder.appending(path: "visits.db").path)
        let pool = try ConnectionPool(strategy: strategy, configuration: .recommended(maxSize: 4))
        _ = try await pool.withConnection { try await $0.query("CREATE TABLE visits (page TEXT, visitor INTEGER)") }

        // More callers than connections. SQLite has one writer at a time; the others wait for its lock.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for visitor in 0..<64 {
                group.addTask {
                    _ = try await pool.withConnection { connection in
                        try await connection.query(
                            "INSERT INTO visits VALUES (?, ?)",
                            .text("page \(visitor % 4)"),
                            .integer(Int64(visitor))
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        let counts = try await pool.withConnection { connection in
            try await connection.query("SELECT page, count(*) FROM visits GROUP BY page ORDER BY page")
        }
        check(counts == (0..<4).map { [.text("page \($0)"), .integer(16)] }, "every visit was written once")

        // A cancelled query is interrupted, and the connection remains usable.
        let endless = Task {
            try await pool.withConnection { connection in
                try await connection.query(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                )
            }
        }
        while pool.statistics.inUse == 0 { try await Task.sleep(for: .milliseconds(1)) }
        endless.cancel()
        let outcome = await endless.result
        check((try? outcome.get()) == nil, "a cancelled query ends")

        // A transaction that is left open costs the connection, so that the next caller does not write into it.
        _ = try await pool.withConnection { try await $0.query("BEGIN IMMEDIATE") }
        _ = try await pool.withConnection { try await $0.query("DELETE FROM visits WHERE visitor = 0") }
        let left = try await pool.withConnection { try await $0.query("SELECT count(*) FROM visits") }
        check(left == [[.integer(63)]], "an open transaction is not passed on")

        let open = pool.statistics.total
        await pool.shutdown()
        check(open <= 4 && pool.statistics.total == 0, "the pool kept its limit and closed its connections")
        print("64 callers wrote through \(open) SQLite connections, and nothing was lost")
    }

    private static func check(_ condition: Bool, _ claim: String) {
        if condition { return }
        print("not so: \(claim)")
        exit(1)
    }
}
