// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// A notification that some session sent with `NOTIFY`.
public struct PostgresNotification: Sendable, Hashable {
    /// The channel.
    public let channel: String
    /// The text that was sent with it; often empty.
    public let payload: String
    /// The server process of the session that sent it, as `pg_stat_activity` shows it.
    public let processID: Int32
}

/// The notifications that a connection receives.
///
/// It ends only by an error or by cancellation, and can be iterated only within the closure that received it.
public struct PostgresNotificationSequence: AsyncSequence {
    public typealias Element = PostgresNotification
    public typealias Failure = any Error

    /// The connection that listens, for statements between two notifications.
    public let connection: PostgresConnection

    fileprivate let stream: NotificationStream

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: stream)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: NotificationStream

        public mutating func next() async throws -> PostgresNotification? {
            try await stream.next()
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> PostgresNotification? {
            try await stream.next()
        }
    }
}

@available(*, unavailable)
extension PostgresNotificationSequence: Sendable {}

private final class NotificationStream {
    private let wire: Wire
    private var isInScope = true

    init(_ wire: Wire) {
        self.wire = wire
    }

    func next() async throws -> PostgresNotification? {
        while true {
            guard isInScope else {
                throw PostgresError(
                    .sequenceEnded,
                    "Notifications were read after the closure of withNotifications had returned."
                )
            }
            try Task.checkCancellation()
            if let notification = wire.nextNotification() { return notification }
            try await wire.receiveWhileIdle()
        }
    }

    func end() {
        isInScope = false
    }
}

extension Wire {
    /// Returns a notification that has arrived.
    fileprivate func nextNotification() -> PostgresNotification? {
        guard !isFinished, let pointer = PQnotifies(connection) else { return nil }
        defer { PQfreemem(pointer) }
        return PostgresNotification(
            channel: String(cString: pointer.pointee.relname),
            payload: String(cString: pointer.pointee.extra),
            processID: pointer.pointee.be_pid
        )
    }
}

extension PostgresConnection {
    /// Listens to channels while a closure runs, and passes the notifications to it.
    ///
    /// ```swift
    /// let connection = try await pool.acquire().detach()
    /// try await connection.withNotifications(from: "orders") { notifications in
    ///     for try await notification in notifications { print(notification.payload) }
    /// }
    /// ```
    ///
    /// The closure may execute statements with ``PostgresNotificationSequence/connection`` between two notifications. Because
    /// it usually runs for as long as the program, detach the connection from the pool.
    ///
    /// - Parameters:
    ///   - channels: The names of the channels, case-sensitive.
    ///   - body: Receives the notifications.
    /// - Throws: What the closure throws; ``PostgresError`` when the connection is lost; `CancellationError`.
    @discardableResult
    public func withNotifications<Result>(
        from channels: String...,
        body: sending (PostgresNotificationSequence) async throws -> Result
    ) async throws -> Result {
        let listen = channels.map { "LISTEN \(Self.quoted($0))" }.joined(separator: ";")
        isListening = true
        try await use { try await runScript(listen) }
        let stream = NotificationStream(wire)
        defer { stream.end() }
        do {
            let result = try await body(PostgresNotificationSequence(connection: self, stream: stream))
            try await stopListening()
            return result
        } catch {
            // If this fails, the connection is not reusable, and the pool closes it.
            try? await stopListening()
            throw error
        }
    }

    /// Returns an identifier in quotes. It works on bytes because a quote and a combining character after it are one
    /// character of Swift, which differs from a quote.
    private static func quoted(_ identifier: String) -> String {
        let quote = UInt8(ascii: "\"")
        let bytes = identifier.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return "\"\(String(decoding: bytes, as: UTF8.self))\""
    }

    private func stopListening() async throws {
        try await use(timeout: .cancellation, shielded: true) { try await runScript("UNLISTEN *") }
        while wire.nextNotification() != nil {}
        isListening = false
    }
}
