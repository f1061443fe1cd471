// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// Which timeout of the configuration applies.
enum UseTimeout { case query, cancellation, none }

extension PostgresConnection {
    /// Runs something that has the wire for itself, and translates what comes of a cancellation or a timeout.
    ///
    /// - Parameters:
    ///   - timeout: How long it may take.
    ///   - shielded: Whether to go on when the task is cancelled.
    func use<Result>(
        timeout: UseTimeout = .query,
        shielded: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let limit =
            switch timeout {
            case .query: configuration.queryTimeout
            case .cancellation: configuration.cancellationTimeout as Duration?
            case .none: nil as Duration?
            }
        try wire.begin(timeout: limit, shielded: shielded)
        let result: Result
        do {
            result = try await body()
        } catch {
            throw translate(error, await wire.end())
        }
        _ = await wire.end()
        return result
    }

    /// The error to throw after a statement has failed.
    func translate(_ error: any Error, _ interruption: Wire.Interruption?) -> any Error {
        // An error that has nothing to do with the interruption is the more useful one.
        guard let interruption, let failure = error as? PostgresError,
            failure.sqlState == "57014" || failure.code == .connectionClosed
        else { return error }
        switch interruption {
        case .cancellation: return CancellationError()
        case .timeout:
            let limit = configuration.queryTimeout.map { "\($0)" } ?? "its time"
            return PostgresError(
                .queryTimedOut,
                "The statement took longer than \(limit) and was cancelled. The limit is queryTimeout.",
                server: wire.serverDescription,
                underlyingError: error
            )
        }
    }

    /// Executes a statement. Prepares it first if necessary, and once more if the server no longer knows it.
    ///
    /// - Parameter read: Makes of the result, and the statement that it is of, what is returned.
    func run<Value>(
        _ sql: String,
        _ parameters: [(any PostgresEncodable)?],
        read: (QueryResult, PreparedStatement) -> Value
    ) async throws -> Value {
        var mayRepeat = true
        while true {
            let statement = try await prepared(sql)
            try await send(statement, parameters)
            do {
                return read(try await collect(), statement)
            } catch let error as PostgresError where mayRepeat && forget(statement, after: error) {
                mayRepeat = false
            }
        }
    }

    /// Sends a statement without waiting for its result.
    func send(_ statement: PreparedStatement, _ parameters: [(any PostgresEncodable)?]) async throws {
        try parameterBuffer.encode(parameters, for: statement)
        guard parameterBuffer.send(statement, over: wire.connection) else { throw wire.rejected() }
        if PQflush(wire.connection) != 0 { try await wire.flush() }
    }

    /// Forgets a prepared statement if the error says that it is of no use any more.
    ///
    /// - Returns: Whether the statement can be prepared and executed again. In a transaction it cannot, because the error
    ///   has ended the transaction.
    func forget(_ statement: PreparedStatement, after error: PostgresError) -> Bool {
        let isUnknown = error.sqlState == "26000"
        // "Cached plan must not change result type", in whatever language the message is.
        let isOutdated = error.sqlState == "0A000" && error.report.function == "RevalidateCachedQuery"
        guard statement.name != nil, isUnknown || isOutdated else { return false }
        if isUnknown { statements.removeAll() } else { statements.remove(statement) }
        return wire.transactionStatus == PQTRANS_IDLE
    }

    /// Receives all results of a statement and returns the last one.
    ///
    /// - Throws: The first error that the server reported, after all results have been received.
    func collect() async throws -> QueryResult {
        var last: QueryResult?
        var failure: PostgresError?
        while let result = try await wire.nextResult() {
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                if failure == nil { failure = wire.error(result) }
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                failure = PostgresError(
                    .unexpectedStatement,
                    "COPY transfers data, so it needs withCopyIn, copyIn or withCopyOut in place of query or execute.",
                    server: wire.serverDescription
                )
                if result.status == PGRES_COPY_IN {
                    PQputCopyEnd(wire.connection, "the client does not send data for this statement")
                    try await wire.flush()
                } else {
                    // The data has to be received before the connection can be used again.
                    wire.cancelStatement()
                    while try await wire.nextCopyChunk() != nil {}
                }
            default:
                last = result
                noteSessionChange(result)
            }
            if !wire.isOpen { break }
        }
        if let failure { throw failure }
        guard let last else { throw wire.lost() }
        return last
    }

    /// Notes what a statement has changed for later ones.
    private func noteSessionChange(_ result: QueryResult) {
        let tag = result.commandTag
        switch UInt8(bitPattern: tag[0]) {
        case UInt8(ascii: "D"):
            if strcmp(tag, "DISCARD ALL") == 0 || strcmp(tag, "DEALLOCATE ALL") == 0 { statements.removeAll() }
            if strcmp(tag, "DISCARD ALL") == 0 { isListening = false }
        case UInt8(ascii: "L"):
            if strcmp(tag, "LISTEN") == 0 { isListening = true }
        default: break
        }
    }

    func runScript(_ sql: String) async throws {
        try checkText(sql)
        guard PQsendQuery(wire.connection, sql) != 0 else { throw wire.rejected() }
        if PQflush(wire.connection) != 0 { try await wire.flush() }
        _ = try await collect()
    }

    /// A zero byte would end the text early.
    func checkText(_ sql: String) throws {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.invalidParameter, "The text of the statement contains a zero byte.")
        }
    }
}
