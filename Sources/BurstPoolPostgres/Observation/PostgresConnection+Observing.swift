// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension PostgresConnection {
    /// Executes a statement and reports it, if anything receives the reports.
    ///
    /// - Parameter rowCount: Returns the number of rows that were returned.
    func observe<Result>(
        _ sql: @autoclosure () -> String,
        statementCount: Int = 1,
        rowCount: (Result) -> Int? = { _ in nil },
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard let onExecution = configuration.onExecution else { return try await body() }
        // Taken beforehand, because a connection that is lost no longer tells.
        let server = wire.server
        let start = ContinuousClock.now
        func report(_ returnedRows: Int?, _ error: (any Error)?) {
            onExecution(
                PostgresExecution(
                    sql: sql(),
                    statementCount: statementCount,
                    duration: .now - start,
                    returnedRows: returnedRows,
                    error: error,
                    host: server?.host,
                    port: server?.port,
                    database: server?.database
                )
            )
        }
        do {
            let result = try await body()
            report(rowCount(result), nil)
            return result
        } catch {
            report(nil, error)
            throw error
        }
    }
}

extension [PostgresStatement] {
    /// The texts of the statements; one text if they all share it.
    var text: String {
        guard let first, contains(where: { $0.sql != first.sql }) else { return first?.sql ?? "" }
        return map(\.sql).joined(separator: "; ")
    }
}

extension Wire {
    /// The address of the server and the database; `nil` for a closed connection.
    var server: (host: String?, port: Int?, database: String?)? {
        if isFinished { return nil }
        func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }
        return (text(PQhost(connection)), text(PQport(connection)).flatMap { Int($0) }, text(PQdb(connection)))
    }
}
