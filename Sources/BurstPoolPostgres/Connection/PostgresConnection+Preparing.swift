// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension PostgresConnection {
    /// Returns the prepared statement for a text.
    func prepared(_ sql: String) async throws -> PreparedStatement {
        if let statement = statements.statement(for: sql) { return statement }
        return try await prepare([sql])[0]
    }

    /// Prepares statements in one round trip.
    func prepare(_ texts: [String]) async throws -> [PreparedStatement] {
        for text in texts { try checkText(text) }
        let connection = wire.connection
        // Dropping a statement that does not exist would end a transaction, so outside of one it is.
        let dropped = wire.transactionStatus == PQTRANS_IDLE ? statements.droppedNames : []
        let names = texts.map { _ in statements.nextName() }
        let outcomes = try await wire.pipeline { pipeline in
            for name in dropped {
                pipeline.add(PQsendQueryParams(connection, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 0))
            }
            if !dropped.isEmpty { pipeline.sync() }
            for (text, name) in zip(texts, names) {
                pipeline.add(PQsendPrepare(connection, name ?? "", text, 0, nil))
                pipeline.add(PQsendDescribePrepared(connection, name ?? ""))
            }
        }
        if !dropped.isEmpty { statements.forgetDroppedNames() }
        var prepared: [PreparedStatement] = []
        for (index, text) in texts.enumerated() {
            let first = dropped.count + 2 * index
            _ = try outcomes[first].get()
            prepared.append(describe(try outcomes[first + 1].get(), text, names[index]))
        }
        for statement in prepared { statements.insert(statement) }
        return prepared
    }

    private func describe(_ result: QueryResult, _ sql: String, _ name: String?) -> PreparedStatement {
        let returnsBinary = (0..<result.columnCount).allSatisfy { result.columnType($0).hasKnownBinaryFormat }
        return PreparedStatement(
            name: name,
            sql: sql,
            parameterTypes: (0..<PQnparams(result.pointer)).map {
                PostgresType(oid: PQparamtype(result.pointer, $0))
            },
            returnsBinary: returnsBinary,
            columns: ResultColumns(of: result, isBinary: returnsBinary)
        )
    }
}
