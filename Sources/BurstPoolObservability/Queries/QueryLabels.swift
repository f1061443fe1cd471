// SPDX-License-Identifier: Apache-2.0

#if Postgres
    import BurstPoolPostgres

    /// What tells the durations of statements apart: few different values, because each combination is a metric of its own.
    struct QueryLabels: Hashable {
        /// The first word of the statement, such as `SELECT`. Of a pipeline: `BATCH`.
        let operation: String
        /// The database.
        let namespace: String?
        let host: String?
        let port: Int?
        /// The server's SQLSTATE, or the kind of another error; `nil` if there was none.
        let errorType: String?

        init(_ execution: PostgresExecution) {
            let first = execution.sql.drop { $0.isWhitespace }.prefix { $0.isLetter && $0.isASCII }.uppercased()
            operation = execution.statementCount > 1 ? "BATCH" : Self.operations.contains(first) ? first : "OTHER"
            namespace = execution.database
            host = execution.host
            port = execution.port
            errorType = execution.error.map { error in
                guard let error = error as? PostgresError else { return "\(type(of: error))" }
                return error.sqlState ?? "\(error.code)"
            }
        }

        /// The first words of statements. Any other text, such as that of a comment, is not a name of an operation.
        private static let operations: Set = [
            "ALTER", "ANALYZE", "BEGIN", "CALL", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT", "COMMIT", "COPY",
            "CREATE",
            "DEALLOCATE", "DECLARE", "DELETE", "DISCARD", "DO", "DROP", "EXECUTE", "EXPLAIN", "FETCH", "GRANT",
            "IMPORT",
            "INSERT", "LISTEN", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "REFRESH", "REINDEX", "RELEASE", "RESET",
            "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "START", "TABLE", "TRUNCATE", "UNLISTEN",
            "UPDATE", "VACUUM", "VALUES", "WITH",
        ]

        var dimensions: [(String, String)] {
            var dimensions = [("db.system.name", "postgresql"), ("db.operation.name", operation)]
            if let namespace { dimensions.append(("db.namespace", namespace)) }
            if let host { dimensions.append(("server.address", host)) }
            if let port { dimensions.append((Convention.serverPort, "\(port)")) }
            if let errorType { dimensions.append(("error.type", errorType)) }
            return dimensions
        }
    }
#endif
