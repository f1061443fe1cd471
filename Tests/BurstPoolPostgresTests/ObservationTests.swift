// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolPostgresServer
import Synchronization
import Testing

@Suite("Reports of statements", .timeLimit(.minutes(5)))
struct ObservationTests {
    @Test("every kind of statement is reported once, after it has ended, with the server and the error")
    func reports() async throws {
        let reports = Log()
        let connection = try await connect { $0.onExecution = { reports.append($0) } }
        #expect(reports.all.isEmpty)

        try await connection.query("SELECT n FROM generate_series(1, $1) n", 3)
        try await connection.execute("CREATE TEMPORARY TABLE reported (a int)")
        try await connection.executeScript("SELECT 1; SELECT 2")
        try await connection.pipeline([PostgresStatement("SELECT 1"), PostgresStatement("SELECT 2")])
        _ = try await connection.pipelineIndependently([PostgresStatement("SELECT 1"), PostgresStatement("SELECT 1")])
        try await connection.withRows(of: "SELECT 3") { rows in for try await _ in rows {} }
        try await connection.withCopyIn("COPY reported FROM STDIN") { try await $0.write("1\n") }
        try await connection.withCopyOut("COPY reported TO STDOUT") { lines in for try await _ in lines {} }
        try await connection.withTransaction { _ in }
        #expect(
            reports.all.map(\.sql) == [
                "SELECT n FROM generate_series(1, $1) n", "CREATE TEMPORARY TABLE reported (a int)",
                "SELECT 1; SELECT 2", "SELECT 1; SELECT 2", "SELECT 1", "SELECT 3", "COPY reported FROM STDIN",
                "COPY reported TO STDOUT",
            ]
        )
        #expect(reports.all.map(\.statementCount) == [1, 1, 1, 2, 2, 1, 1, 1])
        #expect(reports.all[0].returnedRows == 3)
        #expect(reports.all.allSatisfy { $0.error == nil && $0.duration > .zero })
        let port = try sharedServer.port
        #expect(reports.all.allSatisfy { $0.host == "127.0.0.1" && $0.port == port && $0.database == "postgres" })

        let error = await postgresError { try await connection.query("SELECT 1/0") }
        #expect(error?.sqlState == "22012")
        #expect((reports.all.last?.error as? PostgresError)?.sqlState == "22012")
        await connection.close()
        #expect(await postgresError { try await connection.query("SELECT 1") }?.code == .connectionClosed)
        #expect((reports.all.last?.error as? PostgresError)?.code == .connectionClosed)
        #expect(reports.all.count == 10)
    }

    private final class Log: Sendable {
        private let executions = Mutex<[PostgresExecution]>([])
        var all: [PostgresExecution] { executions.withLock { $0 } }
        func append(_ execution: PostgresExecution) { executions.withLock { $0.append(execution) } }
    }
}
