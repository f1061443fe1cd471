// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// Receives the data of a `COPY … FROM STDIN`.
public struct PostgresCopyWriter {
    fileprivate final class State {
        let wire: Wire
        var isInScope = true

        init(_ wire: Wire) {
            self.wire = wire
        }
    }

    fileprivate let state: State

    /// Sends a piece of the data. Pieces need not end where rows end.
    ///
    /// Waits while the server has more data than it can process.
    public func write(_ bytes: some Collection<UInt8>) async throws {
        guard state.isInScope else {
            throw PostgresError(
                .sequenceEnded,
                "Data was written after the closure of withCopyIn had returned. Write it within the closure."
            )
        }
        try Task.checkCancellation()
        let wire = state.wire
        let isTaken =
            bytes.withContiguousStorageIfAvailable { wire.put($0) }
            ?? Array(bytes).withUnsafeBufferPointer { wire.put($0) }
        guard isTaken else { throw wire.lost() }
        if PQflush(wire.connection) != 0 { try await wire.flush() }
    }

    /// Sends text as UTF-8.
    public func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }
}

@available(*, unavailable)
extension PostgresCopyWriter: Sendable {}

extension Wire {
    /// Returns whether libpq took the bytes.
    fileprivate func put(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let sliceLength = 1 << 20
        return stride(from: 0, to: bytes.count, by: sliceLength).allSatisfy { start in
            let slice = UnsafeBufferPointer(rebasing: bytes[start..<min(start + sliceLength, bytes.count)])
            return slice.withMemoryRebound(to: CChar.self) {
                PQputCopyData(connection, $0.baseAddress, Int32($0.count)) == 1
            }
        }
    }
}

extension PostgresConnection {
    /// Executes a `COPY … FROM STDIN` with the data that a closure writes.
    ///
    /// ```swift
    /// let count = try await connection.withCopyIn("COPY users (id, name) FROM STDIN") { copy in
    ///     for user in users { try await copy.write("\(user.id)\t\(user.name)\n") }
    /// }
    /// ```
    ///
    /// If the closure throws, nothing is copied.
    ///
    /// - Returns: The number of rows that were copied.
    /// - Throws: What the closure throws; ``PostgresError``; `CancellationError`.
    @discardableResult
    public func withCopyIn(_ sql: String, body: sending (PostgresCopyWriter) async throws -> Void) async throws -> Int {
        try await runCopyIn(sql, body)
    }

    private func runCopyIn(_ sql: String, _ body: (PostgresCopyWriter) async throws -> Void) async throws -> Int {
        try await observe(sql) { try await receiveCopyIn(sql, body) }
    }

    private func receiveCopyIn(_ sql: String, _ body: (PostgresCopyWriter) async throws -> Void) async throws -> Int {
        try await use(timeout: .none) {
            try await startCopy(sql, PGRES_COPY_IN)
            let state = PostgresCopyWriter.State(wire)
            defer { state.isInScope = false }
            do {
                try await body(PostgresCopyWriter(state: state))
                try Task.checkCancellation()
            } catch {
                // The server answers with an error that says the same.
                wire.shieldFromCancellation()
                PQputCopyEnd(wire.connection, "the client gave up")
                try? await wire.flush()
                do {
                    _ = try await collect()
                } catch let failure as PostgresError where !wire.isOpen || failure.sqlState != "57014" {
                    // The server's own error came first and made the writing fail, or explains why it was of no use.
                    if !(error is CancellationError) { throw failure }
                } catch {}
                throw error
            }
            PQputCopyEnd(wire.connection, nil)
            try await wire.flush()
            return try await collect().affectedRows
        }
    }

    /// Executes a `COPY … FROM STDIN` with the data of a sequence.
    ///
    /// - Returns: The number of rows that were copied.
    /// - Throws: What the sequence throws, and then nothing is copied; ``PostgresError``; `CancellationError`.
    @discardableResult
    public func copyIn<Chunks: AsyncSequence>(_ sql: String, from chunks: Chunks) async throws -> Int
    where Chunks.Element: Collection<UInt8> {
        try await runCopyIn(sql) { copy in
            for try await chunk in chunks { try await copy.write(chunk) }
        }
    }

    /// Starts a `COPY` and returns when the data can be transferred.
    func startCopy(_ sql: String, _ expected: ExecStatusType) async throws {
        try checkText(sql)
        guard PQsendQuery(wire.connection, sql) != 0 else { throw wire.rejected() }
        if PQflush(wire.connection) != 0 { try await wire.flush() }
        guard let first = try await wire.nextResult() else { throw wire.lost() }
        if first.status == expected { return }
        if first.status == PGRES_FATAL_ERROR {
            while try await wire.nextResult() != nil {}
            throw wire.error(first)
        }
        if first.status == PGRES_COPY_IN { PQputCopyEnd(wire.connection, "COPY … TO STDOUT was expected") }
        if first.status == PGRES_COPY_OUT {
            wire.cancelStatement()
            while try await wire.nextCopyChunk() != nil {}
        }
        while try await wire.nextResult() != nil {}
        throw PostgresError(
            .unexpectedStatement,
            expected == PGRES_COPY_IN
                ? "withCopyIn and copyIn need a statement of the form COPY … FROM STDIN."
                : "withCopyOut needs a statement of the form COPY … TO STDOUT.",
            server: wire.serverDescription
        )
    }
}
