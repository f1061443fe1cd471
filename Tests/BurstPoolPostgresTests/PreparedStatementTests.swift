// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import Testing

@Suite("Prepared statements", .timeLimit(.minutes(5)))
struct PreparedStatementTests {
    private func preparedCount(_ connection: PostgresConnection) async throws -> Int {
        let sql = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'burst_pool_%'"
        return try await connection.query(sql).only()[0, as: Int.self]
    }

    @Test("a statement is prepared once, and the one that was used the longest time ago is dropped at the server")
    func cache() async throws {
        let connection = try await connect { $0.statementCacheCapacity = 4 }
        for number in [1, 2, 3, 1, 2, 3, 1] {
            #expect(try await connection.query("SELECT \(number)").only()[0, as: Int.self] == number)
        }
        #expect(try await preparedCount(connection) == 4)
        for number in 4..<20 { try await connection.query("SELECT \(number)") }
        // The count itself is a statement; what was dropped last is deallocated with the next preparation.
        #expect((4...5).contains(try await preparedCount(connection)))
        await connection.close()
    }

    @Test("a cache of size 0 keeps nothing at the server")
    func noCache() async throws {
        let connection = try await connect { $0.statementCacheCapacity = 0 }
        for number in 0..<3 {
            #expect(try await connection.query("SELECT $1::int", number).only()[0, as: Int.self] == number)
        }
        let piped = try await connection.pipeline((0..<3).map { PostgresStatement("SELECT $1::int8", $0) })
        #expect(try piped.map { try $0.only()[0, as: Int.self] } == [0, 1, 2])
        #expect(try await preparedCount(connection) == 0)
        await connection.close()
    }

    @Test("a table whose columns change, and DISCARD ALL and DEALLOCATE ALL, are not noticed by the caller")
    func invalidation() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (a int)")
        try await connection.execute("INSERT INTO \(table) VALUES (1)")
        let sql = "SELECT * FROM \(table) WHERE a = $1"
        #expect(try await connection.query(sql, 1).only().count == 1)
        try await connection.execute("ALTER TABLE \(table) ADD COLUMN b text DEFAULT 'x'")
        #expect(try await connection.query(sql, 1).only()["b", as: String.self] == "x")

        try await connection.execute(
            "ALTER TABLE \(table) ALTER COLUMN b DROP DEFAULT, ALTER COLUMN b TYPE int USING 7"
        )
        let piped = try await connection.pipeline([PostgresStatement(sql, 1), PostgresStatement("SELECT 1")])
        #expect(try piped[0].only()["b", as: Int.self] == 7)

        for discard in ["DEALLOCATE ALL", "DISCARD PLANS"] {
            try await connection.execute(discard)
            #expect(try await connection.query(sql, 1).count == 1)
        }
        // Behind the client's back.
        try await connection.executeScript("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
        #expect(try await connection.query(sql, 1).count == 1)
        try await connection.execute("DISCARD ALL")
        #expect(try await connection.query("SELECT 1").count == 1)
        await connection.close()
    }

    @Test("in a transaction an outdated statement is an error once, and is prepared again afterwards")
    func invalidationInTransaction() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (a int)")
        let sql = "SELECT * FROM \(table)"
        try await connection.query(sql)
        try await connection.execute("ALTER TABLE \(table) ADD COLUMN b int")
        let error = await postgresError {
            try await connection.withTransaction { try await $0.query(sql) }
        }
        #expect(error?.sqlState == "0A000")
        let columns = try await connection.withTransaction { try await $0.query(sql).columns }
        #expect(columns.count == 2)
        await connection.close()
    }

    @Test("resetting undoes settings, temporary tables, locks and open transactions, and can keep the statements")
    func reset() async throws {
        for reset in [PostgresReset.all, .keepingStatements] {
            let strategy = try sharedStrategy { $0.reset = reset }
            var connection = try await strategy.makeConnection()
            try await connection.executeScript(
                "SET statement_timeout = 5000; CREATE TEMP TABLE x (a int); SELECT pg_advisory_lock(987654); LISTEN here"
            )
            try await connection.query("SELECT 1")
            try await connection.executeScript("BEGIN")
            #expect(strategy.connectionIsClosed(connection))
            try await strategy.resetConnection(&connection)
            #expect(!strategy.connectionIsClosed(connection))
            let row = try await connection.query(
                """
                SELECT current_setting('statement_timeout'), to_regclass('x') IS NULL,
                    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
                    (SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'),
                    (SELECT count(*) FROM pg_listening_channels())
                """
            ).only()
            let (timeout, hasNoTable, locks, statements, channels) = try row.decode(
                String.self,
                Bool.self,
                Int.self,
                Int.self,
                Int.self
            )
            #expect(timeout == "0" && hasNoTable && locks == 0 && channels == 0)
            #expect(statements == (reset == .all ? 0 : 1))
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }
    }
}
