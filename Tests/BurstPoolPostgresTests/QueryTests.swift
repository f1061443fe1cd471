// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import Testing

@Suite("Queries", .timeLimit(.minutes(5)))
struct QueryTests {
    @Test("a pool returns rows, counts and transactions as the README shows")
    func readme() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 2))
        let table = uniqueName()
        _ = try await pool.withConnection {
            try await $0.execute("CREATE TABLE \(table) (id int PRIMARY KEY, name text)")
        }
        let inserted = try await pool.withConnection {
            try await $0.execute("INSERT INTO \(table) VALUES ($1, $2), ($3, $4)", 42, "Ada", 43, "Grace")
        }
        #expect(inserted == 2)
        let rows = try await pool.withConnection {
            try await $0.query("SELECT id, name FROM \(table) WHERE id = $1", 42)
        }
        #expect(rows.count == 1)
        for row in rows { #expect(try row["name", as: String.self] == "Ada") }
        #expect(rows.columns.map(\.name) == ["id", "name"])
        #expect(rows.columns.map(\.type) == [.int4, .text])
        let changed = try await pool.withConnection { try await $0.execute("DELETE FROM \(table) WHERE id = $1", 42) }
        #expect(changed == 1)
        _ = try await pool.withConnection {
            try await $0.withTransaction { transaction in
                try await transaction.execute("DELETE FROM \(table)")
            }
        }
        let left = try await pool.withConnection { try await $0.query("SELECT count(*) FROM \(table)").only() }
        #expect(try left[0, as: Int.self] == 0)
        _ = try await pool.withConnection { try await $0.execute("DROP TABLE \(table)") }
        await pool.shutdown()
    }

    @Test("closures work from the main actor and from another actor, and can change local variables")
    @MainActor
    func isolation() async throws {
        let pool = try ConnectionPool(strategy: sharedStrategy(), configuration: .init(maxSize: 1))
        let sum = try await pool.withConnection { connection in
            var sum = 0
            try await connection.withTransaction { transaction in
                sum += try await transaction.query("SELECT 1").only()[0, as: Int.self]
            }
            try await connection.withRows(of: "SELECT generate_series(1, 3)") { rows in
                for try await row in rows { sum += try row[0, as: Int.self] }
            }
            try await connection.withCopyOut("COPY (SELECT 1) TO STDOUT") { lines in
                for try await line in lines { sum += line.count }
            }
            return sum
        }
        #expect(sum == 9)
        await pool.shutdown()
    }

    @Test("a server error has its SQLSTATE, detail and hint, names the server, and leaves the connection usable")
    func serverErrors() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (id int CONSTRAINT only_once PRIMARY KEY)")
        try await connection.execute("INSERT INTO \(table) VALUES (1)")
        let violation = try #require(
            await postgresError { try await connection.execute("INSERT INTO \(table) VALUES ($1)", 1) }
        )
        #expect(violation.code == .serverError)
        #expect(violation.sqlState == "23505")
        #expect(violation.severity == "ERROR")
        #expect(violation.constraint == "only_once")
        #expect(violation.detail == "Key (id)=(1) already exists.")
        #expect(violation.description.contains("127.0.0.1"))
        #expect(violation.description.contains("database \"postgres\""))
        #expect(!violation.description.contains("secret"))

        let syntax = try #require(await postgresError { try await connection.query("SELEKT 1") })
        #expect(syntax.sqlState == "42601")
        #expect(syntax.position == 1)
        let missing = try #require(await postgresError { try await connection.query("SELECT nam FROM pg_class") })
        #expect(missing.sqlState == "42703")
        #expect(try await connection.query("SELECT 1").only()[0, as: Int.self] == 1)
        await connection.close()
    }

    @Test("the wrong number of parameters and zero bytes in texts are refused before anything is sent")
    func refusedParameters() async throws {
        let connection = try await connect()
        for body in [
            { try await connection.query("SELECT $1::int + $2::int", 1) },
            { try await connection.query("SELECT 1", 1) },
            { try await connection.query("SELECT 1\0; DROP TABLE x") },
            { try await connection.query("SELECT $1::inet", "127.0.0.1\0") },
            { try await connection.query("SELECT $1::int2", 40_000) },
        ] as [() async throws -> PostgresRows] {
            let error = try #require(await postgresError { _ = try await body() })
            #expect(error.code == .invalidParameter, "\(error)")
        }
        // PostgreSQL itself refuses a zero byte in a text.
        let zero = try #require(await postgresError { try await connection.query("SELECT $1::text", "a\0b") })
        #expect(zero.sqlState == "22021")
        #expect(try await connection.query("SELECT $1::int2", 4_000).only()[0, as: Int.self] == 4_000)
        await connection.close()
    }

    @Test("parameters are never part of the statement's text")
    func injection() async throws {
        let connection = try await connect()
        let text = "'; DROP TABLE users; -- $1 \\ \" 🙂"
        #expect(try await connection.query("SELECT $1::text", text).only()[0, as: String.self] == text)
        await connection.close()
    }

    @Test("rows outlive their connection, and a missing column, NULL or another type is a clear error")
    func rows() async throws {
        let connection = try await connect()
        let rows = try await connection.query("SELECT 1 AS a, NULL::text AS b, 'x' AS \"C\", 1::int AS a")
        await connection.close()
        let row = try rows.only()
        #expect(try row["a", as: Int.self] == 1)
        #expect(try row["b", as: String?.self] == nil)
        #expect(try row["C", as: String.self] == "x")
        let (a, b, c) = try row.decode(Int.self, String?.self, String.self)
        #expect(a == 1 && b == nil && c == "x")
        let missing = await postgresError { _ = try row["c", as: String.self] }
        #expect(missing?.code == .invalidColumn)
        #expect(missing?.description.contains("\"a\", \"b\", \"C\", \"a\"") == true)
        #expect(await postgresError { _ = try row[4, as: String.self] }?.code == .invalidColumn)
        #expect(await postgresError { _ = try row[-1, as: String.self] }?.code == .invalidColumn)
        let null = await postgresError { _ = try row["b", as: String.self] }
        #expect(null?.code == .invalidValue)
        #expect(null?.description.contains("NULL") == true)
        let type = await postgresError { _ = try row["a", as: Bool.self] }
        #expect(type?.description == "Column \"a\" of type int4 cannot be read as Bool.")
        #expect(await postgresError { _ = try rows[0]["C", as: Int.self] }?.code == .invalidValue)
    }

    @Test("a script executes several statements, and COPY by query is refused and leaves the connection usable")
    func scriptsAndCopy() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.executeScript("CREATE TEMP TABLE \(table) (a int); INSERT INTO \(table) VALUES (1), (2);")
        for sql in ["COPY \(table) FROM STDIN", "COPY \(table) TO STDOUT"] {
            let error = try #require(await postgresError { try await connection.query(sql) })
            #expect(error.code == .unexpectedStatement, "\(error)")
            let scripted = try #require(await postgresError { try await connection.executeScript(sql) })
            #expect(scripted.code == .unexpectedStatement, "\(scripted)")
        }
        #expect(try await connection.query("SELECT count(*) FROM \(table)").only()[0, as: Int.self] == 2)
        #expect(try await connection.query("").count == 0)
        await connection.close()
    }

    @Test("a large parameter and a large result pass through")
    func large() async throws {
        for sslmode in ["disable", "require"] {
            let connection = try await connect { $0.parameters["sslmode"] = sslmode }
            let bytes = [UInt8](repeating: 7, count: 20_000_000)
            let row = try await connection.query("SELECT $1::bytea, length($1::bytea)", bytes).only()
            #expect(try row[0, as: [UInt8].self] == bytes)
            #expect(try row[1, as: Int.self] == bytes.count)
            await connection.close()
        }
    }

    @Test("notices reach the closure, and the connection says how it was opened")
    func notices() async throws {
        let counter = Counter()
        let connection = try await connect {
            $0.onNotice = { notice in
                if notice.message == "hello", notice.severity == "WARNING" { counter.add() }
            }
            $0.applicationName = "the name of the pool"
        }
        try await connection.executeScript("DO $$ BEGIN RAISE WARNING 'hello'; END $$")
        #expect(counter.value == 1)
        #expect(!connection.isEncrypted)
        #expect(connection.serverVersion >= 140_000)
        let row = try await connection.query("SELECT pg_backend_pid(), current_setting('application_name')").only()
        #expect(try row[0, as: Int32.self] == connection.processID)
        #expect(try row[1, as: String.self] == "the name of the pool")
        await connection.close()
        #expect(connection.isClosed)
        #expect(await postgresError { try await connection.query("SELECT 1") }?.code == .connectionClosed)
        await connection.close()
    }

    @Test("dates can be read whatever the server's style is")
    func dateStyle() async throws {
        let connection = try await connect { $0.parameters["options"] = "-c DateStyle=German" }
        let row = try await connection.query("SELECT '2026-11-30 12:00+00'::timestamptz, '1 day'::interval").only()
        #expect(try row[0, as: PostgresTimestamp.self].seconds == 849_268_800)
        await connection.close()
    }
}

/// Reads a timestamp without Foundation, in the text format.
private struct PostgresTimestamp: PostgresDecodable {
    let seconds: Int

    init(from value: PostgresValue) throws {
        guard !value.isBinary, try value.text.hasPrefix("2026-11-30 12:00:00+00") else { throw value.error() }
        seconds = 849_268_800
    }
}
