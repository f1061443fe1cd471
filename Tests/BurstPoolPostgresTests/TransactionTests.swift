// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import Testing

@Suite("Transactions and pipelines", .timeLimit(.minutes(5)))
struct TransactionTests {
    private func table(_ connection: PostgresConnection) async throws -> String {
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (a int PRIMARY KEY)")
        return table
    }

    private func count(_ connection: PostgresConnection, _ table: String) async throws -> Int {
        try await connection.query("SELECT count(*) FROM \(table)").only()[0, as: Int.self]
    }

    @Test("a transaction commits when its closure returns, and rolls back when it throws")
    func commitAndRollback() async throws {
        struct Stop: Error {}
        let connection = try await connect()
        let table = try await table(connection)
        let answer = try await connection.withTransaction { transaction in
            try await transaction.execute("INSERT INTO \(table) VALUES (1)")
            return 7
        }
        #expect(answer == 7)
        await #expect(throws: Stop.self) {
            try await connection.withTransaction { transaction in
                try await transaction.execute("INSERT INTO \(table) VALUES (2)")
                throw Stop()
            }
        }
        #expect(try await count(connection, table) == 1)
        let failed = await postgresError {
            try await connection.withTransaction { try await $0.execute("INSERT INTO \(table) VALUES (1)") }
        }
        #expect(failed?.sqlState == "23505")
        let swallowed = await postgresError {
            try await connection.withTransaction { _ = try? await $0.execute("INSERT INTO \(table) VALUES (1)") }
        }
        #expect(swallowed?.code == .transactionRolledBack)
        #expect(try await count(connection, table) == 1)
        await connection.close()
    }

    @Test("an inner transaction is a savepoint")
    func savepoints() async throws {
        let connection = try await connect()
        let table = try await table(connection)
        try await connection.withTransaction { outer in
            try await outer.execute("INSERT INTO \(table) VALUES (1)")
            let error = await postgresError {
                try await outer.withTransaction { inner in
                    try await inner.execute("INSERT INTO \(table) VALUES (2)")
                    try await inner.execute("INSERT INTO \(table) VALUES (1)")
                }
            }
            #expect(error?.sqlState == "23505")
            try await outer.withTransaction { inner in
                try await inner.execute("INSERT INTO \(table) VALUES (3)")
                _ = try? await inner.withTransaction { _ = try? await $0.query("SELECT 1/0") }
            }
            let options = await postgresError { try await outer.withTransaction(readOnly: true) { _ in } }
            #expect(options?.code == .unexpectedStatement)
        }
        let rows = try await connection.query("SELECT a FROM \(table) ORDER BY a")
        #expect(try rows.map { try $0[0, as: Int.self] } == [1, 3])
        await connection.close()
    }

    @Test("the options of a transaction reach the server")
    func options() async throws {
        let connection = try await connect()
        try await connection.withTransaction(isolation: .serializable, readOnly: true, deferrable: true) {
            transaction in
            let row = try await transaction.query(
                """
                SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
                    current_setting('transaction_deferrable')
                """
            ).only()
            let (isolation, readOnly, deferrable) = try row.decode(String.self, String.self, String.self)
            #expect((isolation, readOnly, deferrable) == ("serializable", "on", "on"))
        }
        await connection.close()
    }

    @Test("a constraint that is checked at the commit makes the commit fail")
    func deferredConstraint() async throws {
        let connection = try await connect()
        let table = uniqueName()
        try await connection.execute("CREATE TEMP TABLE \(table) (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        let error = await postgresError {
            try await connection.withTransaction { try await $0.execute("INSERT INTO \(table) VALUES (1), (1)") }
        }
        #expect(error?.sqlState == "23505")
        #expect(try await count(connection, table) == 0)
        await connection.close()
    }

    @Test("a pipeline executes many statements, and an error undoes all of them")
    func pipeline() async throws {
        let connection = try await connect()
        let table = try await table(connection)
        let inserted = try await connection.pipeline(
            (1...500).map { PostgresStatement("INSERT INTO \(table) VALUES ($1)", $0) }
                + [PostgresStatement("SELECT count(*) FROM \(table)")]
        )
        #expect(inserted.count == 501)
        #expect(inserted[0].affectedRows == 1)
        #expect(try inserted[500].only()[0, as: Int.self] == 500)

        let error = await postgresError {
            try await connection.pipeline([
                PostgresStatement("INSERT INTO \(table) VALUES ($1)", 1000),
                PostgresStatement("INSERT INTO \(table) VALUES ($1)", 1),
                PostgresStatement("INSERT INTO \(table) VALUES ($1)", 1001),
            ])
        }
        #expect(error?.sqlState == "23505")
        #expect(try await count(connection, table) == 500)
        #expect(try await connection.pipeline([]).isEmpty)
        #expect(
            await postgresError {
                try await connection.pipeline([PostgresStatement("SELEKT"), PostgresStatement("SELECT 1")])
            }?
            .sqlState == "42601"
        )
        #expect(
            await postgresError {
                try await connection.pipeline([PostgresStatement("SELECT 1"), PostgresStatement("SELECT 1", 2)])
            }?
            .code == .invalidParameter
        )
        #expect(try await count(connection, table) == 500)
        await connection.close()
    }

    @Test("in an independent pipeline the other statements are executed")
    func independentPipeline() async throws {
        let connection = try await connect()
        let table = try await table(connection)
        let insert = "INSERT INTO \(table) VALUES ($1)"
        let results = try await connection.pipelineIndependently([
            PostgresStatement(insert, 1), PostgresStatement(insert, 1), PostgresStatement(insert, 2),
        ])
        #expect(results.map { (try? $0.get().affectedRows) ?? -1 } == [1, -1, 1])
        guard case .failure(let error) = results[1] else {
            Issue.record("The second statement did not fail.")
            return
        }
        #expect(error.sqlState == "23505")
        #expect(try await count(connection, table) == 2)
        await connection.close()
    }

    @Test("a pipeline with much data in both directions does not block")
    func largePipeline() async throws {
        let connection = try await connect()
        let text = String(repeating: "x", count: 100_000)
        let results = try await connection.pipeline((0..<200).map { _ in PostgresStatement("SELECT $1::text", text) })
        #expect(results.count == 200)
        #expect(try results.allSatisfy { try $0.only()[0, as: String.self] == text })
        await connection.close()
    }

    @Test("COPY in a pipeline is an error")
    func copyInPipeline() async throws {
        let connection = try await connect()
        let error = await postgresError {
            try await connection.pipeline([
                PostgresStatement("COPY (SELECT 1) TO STDOUT"), PostgresStatement("SELECT 1"),
            ])
        }
        #expect(error != nil)
        await connection.close()
    }
}
