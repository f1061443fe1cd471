// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// The data of a `COPY … TO STDOUT`, one row after the other.
///
/// It can be iterated once, and only within the closure that received it.
public struct PostgresCopySequence: AsyncSequence {
    public typealias Element = [UInt8]
    public typealias Failure = any Error

    fileprivate let stream: CopyStream

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: stream)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: CopyStream

        public mutating func next() async throws -> [UInt8]? {
            try await stream.next()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> [UInt8]? {
            try await stream.next()
        }
    }
}

@available(*, unavailable)
extension PostgresCopySequence: Sendable {}

/// The state of a `COPY … TO STDOUT`.
private final class CopyStream {
    private let wire: Wire
    private(set) var hasFinished = false
    private var isInScope = true

    init(_ wire: Wire) {
        self.wire = wire
    }

    func next() async throws -> [UInt8]? {
        guard isInScope else {
            throw PostgresError(
                .sequenceEnded,
                "The data was read after the closure of withCopyOut had returned. Read it within the closure."
            )
        }
        if hasFinished { return nil }
        try Task.checkCancellation()
        if let chunk = try await wire.nextCopyChunk() { return chunk }
        hasFinished = true
        return nil
    }

    /// Ends the use of the data. What has not been read is cancelled at the server.
    func end() async throws {
        isInScope = false
        if hasFinished { return }
        wire.cancelStatement()
        while try await wire.nextCopyChunk() != nil {}
    }
}

extension PostgresConnection {
    /// Executes a `COPY … TO STDOUT` and passes the data to a closure, one row after the other.
    ///
    /// ```swift
    /// try await connection.withCopyOut("COPY users TO STDOUT (FORMAT csv)") { lines in
    ///     for try await line in lines { try file.write(line) }
    /// }
    /// ```
    ///
    /// The closure may stop early; the rest is then cancelled at the server. It must not use the connection for another
    /// statement. The data cannot be read after it has returned.
    ///
    /// - Throws: What the closure throws; ``PostgresError``; `CancellationError`.
    @discardableResult
    public func withCopyOut<Result>(
        _ sql: String,
        body: sending (PostgresCopySequence) async throws -> Result
    ) async throws -> Result {
        try await observe(sql) { try await runCopyOut(sql, body) }
    }

    private func runCopyOut<Result>(
        _ sql: String,
        _ body: (PostgresCopySequence) async throws -> Result
    ) async throws -> Result {
        try await use(timeout: .none) {
            try await startCopy(sql, PGRES_COPY_OUT)
            let stream = CopyStream(wire)
            let outcome: Swift.Result<Result, any Error>
            do {
                outcome = .success(try await body(PostgresCopySequence(stream: stream)))
            } catch {
                outcome = .failure(error)
            }
            let wasComplete = stream.hasFinished
            do {
                try await stream.end()
                _ = try await collect()
            } catch  where !wasComplete && wire.isOpen {
                // The server confirms that the rest was cancelled, or reports why the data ended.
                if let error = error as? PostgresError, error.sqlState != "57014" { throw error }
            }
            return try outcome.get()
        }
    }
}
