// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// The rows of a query, one after the other as they arrive.
///
/// It can be iterated once, and only within the closure that received it.
public struct PostgresRowSequence: AsyncSequence {
    public typealias Element = PostgresRow
    public typealias Failure = any Error

    let stream: RowStream

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: stream)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: RowStream

        public mutating func next() async throws -> PostgresRow? {
            try await stream.next()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> PostgresRow? {
            try await stream.next()
        }
    }
}

@available(*, unavailable)
extension PostgresRowSequence: Sendable {}

/// The state of a query whose rows are read one by one.
final class RowStream {
    private let wire: Wire
    private var columns: ResultColumns
    private(set) var hasFinished = false
    private var isInScope = true

    init(_ wire: Wire, columns: ResultColumns) {
        self.wire = wire
        self.columns = columns
    }

    func next() async throws -> PostgresRow? {
        guard isInScope else {
            throw PostgresError(
                .sequenceEnded,
                "The rows were read after the closure of withRows had returned. Read them within the closure."
            )
        }
        if hasFinished { return nil }
        try Task.checkCancellation()
        let result: QueryResult?
        if let arrived = wire.arrivedResult { result = arrived } else { result = try await wire.nextResult() }
        guard let result else {
            hasFinished = true
            return nil
        }
        switch result.status {
        case PGRES_SINGLE_TUPLE:
            columns = columns.adapted(to: result)
            return PostgresRow(result: result, columns: columns, index: 0)
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
            let error = wire.error(result)
            try await drain()
            throw wire.canceller.isCancelled && error.sqlState == "57014" ? CancellationError() : error
        default:
            // The result without rows that comes after the last row.
            try await drain()
            return nil
        }
    }

    /// Receives the rest without looking at it.
    private func drain() async throws {
        while let result = try await wire.nextResult() {
            if result.status == PGRES_COPY_IN || result.status == PGRES_COPY_OUT { wire.watch.sever() }
        }
        hasFinished = true
    }

    /// Ends the use of the rows. What has not been read is cancelled at the server.
    func end() async {
        isInScope = false
        if hasFinished { return }
        wire.cancelStatement()
        do { try await drain() } catch { wire.watch.sever() }
    }
}

extension PostgresConnection {
    /// Executes a query and passes its rows to a closure one after the other, so that memory for one of them suffices.
    ///
    /// ```swift
    /// try await connection.withRows(of: "SELECT id, name FROM users WHERE age > $1", 18) { rows in
    ///     for try await row in rows { print(try row["name", as: String.self]) }
    /// }
    /// ```
    ///
    /// The closure may stop early; the rest of the query is then cancelled at the server. It must not use the connection
    /// for another statement. The rows cannot be read after it has returned.
    ///
    /// - Throws: What the closure throws; ``PostgresError``; `CancellationError`.
    @discardableResult
    public func withRows<Result>(
        of sql: String,
        _ parameters: (any PostgresEncodable)?...,
        body: sending (PostgresRowSequence) async throws -> Result
    ) async throws -> Result {
        try await withRows(of: sql, parameters: parameters, body: body)
    }

    /// Executes a query and passes its rows to a closure, as ``withRows(of:_:body:)`` does, with the parameters in an array.
    @discardableResult
    public func withRows<Result>(
        of sql: String,
        parameters: [(any PostgresEncodable)?],
        body: sending (PostgresRowSequence) async throws -> Result
    ) async throws -> Result {
        try await observe(sql) { try await streamRows(of: sql, parameters, body) }
    }

    private func streamRows<Result>(
        of sql: String,
        _ parameters: [(any PostgresEncodable)?],
        _ body: (PostgresRowSequence) async throws -> Result
    ) async throws -> Result {
        try await use(timeout: .none) {
            let statement = try await prepared(sql)
            try await send(statement, parameters)
            guard PQsetSingleRowMode(wire.connection) != 0 else { throw wire.rejected() }
            let stream = RowStream(wire, columns: statement.columns)
            do {
                let result = try await body(PostgresRowSequence(stream: stream))
                await stream.end()
                return result
            } catch {
                await stream.end()
                if let error = error as? PostgresError { _ = forget(statement, after: error) }
                throw error
            }
        }
    }
}
