// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// A connection to a Redis server that many tasks use at the same time.
///
/// ```swift
/// let strategy = try SharedRedisConnectionStrategy(url: "redis://localhost")
/// let pool = try SharedConnectionPool(strategy: strategy, maxSize: 4)
/// let greeting = try await pool.withConnection { connection in
///     try await connection.send("GET", "greeting").string
/// }
/// ```
///
/// The commands of all tasks are sent in the order in which they come, several with one write, and are answered in this order. A
/// command that is slow on the server delays those behind it.
///
/// **Refused commands.** Commands that change the state of the connection, such as `MULTI`, `SELECT` and `SUBSCRIBE`, or that
/// block it, such as `BLPOP`, throw ``RedisError/Code/invalidCommand``. Use a `ConnectionPool` with a ``RedisConnectionStrategy``
/// for them. Scripts (`EVAL`) run, and so do commands that the server executes atomically by themselves.
///
/// **Cancellation.** A call that is cancelled throws `CancellationError` at once. The server may execute its command
/// nevertheless. Other commands are not affected.
///
/// **Failures.** If the connection breaks, or the server does not answer a command within its timeout, the connection is closed,
/// and exactly the commands that were sent on it and not answered fail. They are never sent again.
public final class SharedRedisConnection: Sendable {
    private let opened: ConnectAttempt.Opened
    private let queue: CommandQueue
    private let commandTimeout: Duration?
    private let session: SessionState
    private let credentialsExpiry: ContinuousClock.Instant?
    /// Whether the server has said that it is not the one that callers need, such as a replica that refuses a write.
    private let isAtUnsuitableServer = Atomic(false)

    init(
        _ opened: ConnectAttempt.Opened,
        configuration: RedisConfiguration,
        credentialsExpiry: ContinuousClock.Instant?
    ) {
        self.opened = opened
        queue = CommandQueue(opened.handler)
        commandTimeout = configuration.commandTimeout
        session = SessionState(database: configuration.database)
        self.credentialsExpiry = credentialsExpiry
    }

    deinit {
        if !opened.handler.isClosed { opened.channel.close(promise: nil) }
    }

    /// Whether the connection is closed, by either side. Reading it costs one atomic load.
    public var isClosed: Bool { opened.handler.isClosed }

    /// Whether the connection can be used: it is open, and the server has not said that it is the wrong one.
    var isUsable: Bool { !isClosed && !isAtUnsuitableServer.load(ordering: .relaxed) }

    /// The time until the credentials of the connection expire; `nil` if they do not.
    var remainingLifetime: Duration? { credentialsExpiry.map { $0 - .now } }

    // MARK: - Commands

    /// Sends a command and waits for its reply.
    ///
    /// - Returns: The reply. It is not an error, but an array may contain errors.
    /// - Throws: ``RedisError``, with ``RedisError/Code/serverError`` if the server answered with an error,
    ///   ``RedisError/Code/commandTimedOut`` if it did not answer within the configured timeout, and
    ///   ``RedisError/Code/invalidCommand`` for a command that a shared connection refuses; or `CancellationError`.
    @discardableResult
    public func send(_ name: String, _ arguments: any RedisArgument...) async throws -> RedisReply {
        try await send(RedisCommand(name, arguments: arguments))
    }

    /// Sends a command and waits for its reply, as ``send(_:_:)`` does.
    @discardableResult
    public func send(_ command: RedisCommand) async throws -> RedisReply {
        try await perform(CollectionOfOne(command))[0].get()
    }

    /// Sends several commands one after the other and waits for all the replies. No command of another task comes between them,
    /// but the server may execute commands of other clients between them.
    ///
    /// - Returns: One reply for each command, in order. A command that failed has ``RedisReply/error(_:)`` in its place; the
    ///   others are executed nevertheless. No commands give no replies.
    /// - Throws: ``RedisError`` if not all replies arrived, or `CancellationError`. If one command is refused, nothing is sent.
    public func pipeline(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        return try await perform(commands)
    }

    private func perform(_ commands: some Collection<RedisCommand>) async throws -> [RedisReply] {
        var encoder = CommandEncoder(session: session)
        for command in commands {
            try SharedCommandCheck.check(command)
            try encoder.append(command.arguments)
        }
        let exchange = Exchange(
            bytes: encoder.wire,
            count: commands.count,
            timeout: commandTimeout.map { TimeAmount(clamping: $0) }
        )
        let replies = try await queue.perform(exchange)
        for case .error(let error) in replies where error.isFromUnsuitableServer || error.isFromUnauthenticatedSession {
            isAtUnsuitableServer.store(true, ordering: .relaxed)
        }
        return replies
    }

    // MARK: - Closing

    /// Calls a closure once, when the channel has closed for any reason. At once if it is closed already.
    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        opened.channel.closeFuture.whenComplete { _ in action() }
    }

    /// Closes the connection, and returns when it is closed. Commands in progress fail with
    /// ``RedisError/Code/connectionClosed``.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut`` if the event loop has not closed the connection within 5 seconds.
    func close() async throws {
        if opened.handler.hasEnded { return }
        abort()
        guard await opened.channel.closeFuture.completes(within: RedisConnection.closeTimeout) else {
            throw RedisError(.closeTimedOut, "The connection did not close within \(RedisConnection.closeTimeout).")
        }
    }

    /// Closes the connection without waiting.
    func abort() {
        let handler = opened.handler
        handler.eventLoop.execute { handler.closeByClient() }
    }
}
