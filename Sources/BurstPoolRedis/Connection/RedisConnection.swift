// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A connection to a Redis server.
///
/// ```swift
/// try await connection.send("SET", "greeting", "hello")
/// let greeting = try await connection.send("GET", "greeting").string
/// ```
///
/// ``send(_:_:)`` sends one command, ``pipeline(_:)`` sends several at once. A call that is cancelled before its last
/// reply, a late reply, and bytes that are not a reply close the connection. So an open connection is always in step
/// with the server, and a reply only ever reaches the call that sent its command.
///
/// **Not `Sendable`.** One caller at a time uses a connection, and the compiler enforces it. To run several commands at
/// once, send a pipeline or acquire several connections. Several tasks may share a connection through an actor; their
/// commands are answered in order.
///
/// **Closed by the server.** If the server closes an idle connection in the moment in which a pool hands it out, the
/// first command of the lease is sent on a new channel. Commands that the server may have received are never sent
/// again; they fail with ``RedisError/Code/connectionClosed``.
///
/// **Leave the session unchanged.** A pool closes a connection instead of reusing it after `MULTI` without `EXEC` or
/// `DISCARD`, `WATCH` without `EXEC` or `UNWATCH`, `SELECT` of another database, `AUTH`, and similar commands. Commands
/// that Redis does not answer with one reply each, such as `MONITOR`, `CLIENT REPLY` and `HELLO 3`, throw
/// ``RedisError/Code/invalidCommand``. For messages use ``subscribe(to:patterns:bufferLimit:keepaliveInterval:)``.
public final class RedisConnection {
    private var opened: ConnectAttempt.Opened
    private let link: ConnectionLink
    private let reopen: @Sendable () async throws -> ConnectAttempt.Opened
    private let commandTimeout: Duration?
    private let credentialsExpiry: ContinuousClock.Instant?
    private var session: SessionState

    /// Whether a pool has found the connection open, and no command has been sent since.
    private var isFreshlyLeased = false

    /// Whether the server has said that it is not the one that callers need, such as a replica that refuses a write.
    private var isAtUnsuitableServer = false

    /// Whether the connection belongs to a subscription.
    private var isSubscribed = false

    /// Creates a connection that uses an open channel.
    ///
    /// - Parameter reopen: Opens another channel like it.
    init(
        _ opened: ConnectAttempt.Opened,
        configuration: RedisConfiguration,
        credentialsExpiry: ContinuousClock.Instant?,
        reopen: @escaping @Sendable () async throws -> ConnectAttempt.Opened
    ) {
        self.opened = opened
        link = ConnectionLink(opened.handler)
        self.reopen = reopen
        commandTimeout = configuration.commandTimeout
        self.credentialsExpiry = credentialsExpiry
        session = SessionState(database: configuration.database)
    }

    private var channel: any Channel { opened.channel }
    private var handler: RedisChannelHandler { opened.handler }

    /// Closes a connection that is released without having been closed. A subscription keeps its channel open.
    deinit {
        if !handler.isClosed, !isSubscribed { channel.close(promise: nil) }
    }

    /// Whether the connection is closed, by either side.
    ///
    /// Becomes `true` soon after the server has closed the connection, without a command being sent. Reading it costs
    /// one atomic load.
    public var isClosed: Bool { handler.isClosed }

    /// Returns whether another caller can use the connection next: it is open, its session is unchanged, and the server
    /// has not said that it is the wrong one. If so, a lease may begin.
    func isReusable() -> Bool {
        isFreshlyLeased = !handler.isClosed && session.isUnchanged && !isAtUnsuitableServer
        return isFreshlyLeased
    }

    /// The time until the credentials of the connection expire; `nil` if they do not.
    var remainingLifetime: Duration? { credentialsExpiry.map { $0 - .now } }

    /// Calls a closure once, when the channel has closed for any reason. At once if it is closed already.
    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        channel.closeFuture.whenComplete { _ in action() }
    }

    // MARK: - Commands

    /// Sends a command and waits for its reply.
    ///
    /// ```swift
    /// let count = try await connection.send("INCRBY", "visits", 5).integer
    /// ```
    ///
    /// - Parameters:
    ///   - name: The name of the command.
    ///   - arguments: The arguments: text, bytes or numbers. They may contain every byte.
    /// - Returns: The reply. It is not an error, but an array may contain errors.
    /// - Throws: ``RedisError``, with ``RedisError/Code/serverError`` if the server answered with an error and
    ///   ``RedisError/Code/commandTimedOut`` if it did not answer within the configured timeout; or
    ///   `CancellationError`, which closes the connection unless the task was cancelled before the call.
    @discardableResult
    public func send(_ name: String, _ arguments: any RedisArgument...) async throws -> RedisReply {
        try await send(RedisCommand(name, arguments: arguments), timeout: commandTimeout)
    }

    /// Sends a command and waits for its reply, as ``send(_:_:)`` does.
    @discardableResult
    public func send(_ command: RedisCommand) async throws -> RedisReply {
        try await send(command, timeout: commandTimeout)
    }

    /// Sends a command and waits for its reply, with a time limit other than the configured one.
    ///
    /// For commands that block on the server, such as `BLPOP`. On a leased connection they keep others waiting, so a
    /// connection of their own is better: `pool.acquire().detach()` or
    /// ``RedisConnectionStrategy/makeConnection()``.
    ///
    /// - Parameters:
    ///   - command: The command with its arguments.
    ///   - timeout: The time limit for the reply; more than zero, or `nil` for no limit.
    @discardableResult
    public func send(_ command: RedisCommand, timeout: Duration?) async throws -> RedisReply {
        let replies = try await perform(CollectionOfOne(command), timeout: timeout)
        return try replies[0].get()
    }

    /// Sends several commands at once and waits for all the replies.
    ///
    /// Costs one write and one round trip, whatever the number of commands. The server may execute commands of other
    /// clients between them. For a transaction see ``transaction(_:)``.
    ///
    /// - Returns: One reply for each command, in order. A command that failed has ``RedisReply/error(_:)`` in its
    ///   place; the others are executed nevertheless. No commands give no replies.
    /// - Throws: ``RedisError`` if not all replies arrived, or `CancellationError`. The connection is closed then, and
    ///   the server may have executed some of the commands. ``RedisError/Code/invalidCommand`` is thrown before
    ///   anything is sent.
    public func pipeline(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        try await pipeline(commands, timeout: commandTimeout)
    }

    /// Sends several commands at once and waits for all the replies, with a time limit other than the configured one.
    ///
    /// - Parameters:
    ///   - commands: The commands, in the order in which they are sent.
    ///   - timeout: The time limit for the last reply; more than zero, or `nil` for no limit.
    public func pipeline(_ commands: [RedisCommand], timeout: Duration?) async throws -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        return try await perform(commands, timeout: timeout)
    }

    private func perform(_ commands: some Collection<RedisCommand>, timeout: Duration?) async throws -> [RedisReply] {
        if let timeout, timeout <= .zero {
            let message = "The command timeout is \(timeout). It must be more than zero, or nil."
            throw RedisError(.invalidConfiguration, message)
        }
        guard !isSubscribed else {
            throw RedisError(.invalidCommand, "The connection is subscribed to messages and takes no other commands.")
        }
        var encoder = CommandEncoder(session: session)
        for command in commands { try encoder.append(command.arguments) }
        let changesSession = encoder.session != session
        session = encoder.session
        let replies: [RedisReply]
        do {
            replies = try await exchange(encoder.wire, commands.count, timeout.map { TimeAmount(clamping: $0) })
        } catch {
            // An `EXEC` that was cancelled before it was sent, for example, has not ended its transaction.
            if changesSession { session.becomeUncertain() }
            throw error
        }
        inspect(replies, restoringCommands: encoder.restoringCommands)
        return replies
    }

    /// Sends encoded commands and waits for their replies.
    ///
    /// A pool finds a connection open, and hands it out, in the moment in which the server closes it. If none of the
    /// commands has been sent, it is safe to send them on another channel. The pool closes the connection after the
    /// lease, because it has been told that the first channel has closed.
    private func exchange(_ bytes: ByteBuffer, _ count: Int, _ timeout: TimeAmount?) async throws -> [RedisReply] {
        let exchange = Exchange(bytes: bytes, count: count, timeout: timeout, canMove: isFreshlyLeased)
        isFreshlyLeased = false
        do {
            return try await handler.perform(exchange)
        } catch let error as RedisError where exchange.canMove && !exchange.isSent && handler.isClosedByServer {
            guard let opened = try? await reopen() else {
                try Task.checkCancellation()
                throw error
            }
            guard link.replace(with: opened.handler) else {
                opened.channel.close(promise: nil)
                throw error
            }
            self.opened = opened
        }
        return try await handler.perform(Exchange(bytes: bytes, count: count, timeout: timeout))
    }

    /// Sends `PING` on the present channel, even if it has closed.
    func validate() async throws -> RedisReply {
        isFreshlyLeased = false
        return try await send("PING")
    }

    /// Looks for errors that tell something about the session or about the server.
    private func inspect(_ replies: [RedisReply], restoringCommands: [Int]) {
        for reply in replies {
            guard case .error(let error) = reply else { continue }
            if error.isFromUnsuitableServer || error.isFromUnauthenticatedSession { isAtUnsuitableServer = true }
        }
        for index in restoringCommands {
            switch replies[index] {
            // An aborted transaction is over. Any other refusal, such as that of a missing right, leaves it open.
            case .error(let error) where error.serverCode != "EXECABORT": session.becomeUncertain()
            case .array(let results):
                if results.contains(where: { $0.error?.isFromUnsuitableServer == true }) { isAtUnsuitableServer = true }
            default: break
            }
        }
    }

    // MARK: - Messages

    /// Subscribes to channels. From now on the connection only receives messages, and no pool reuses it.
    func subscribe(_ request: SubscriptionRequest) async throws -> RedisSubscription {
        guard !isSubscribed else {
            throw RedisError(.invalidCommand, "The connection is already subscribed to messages.")
        }
        guard !session.isInUseByTransaction else {
            throw RedisError(.invalidCommand, "A connection with an open transaction or watched keys cannot subscribe.")
        }
        isSubscribed = true
        session.becomeUncertain()
        return try await RedisSubscription.start(request, on: handler, timeout: commandTimeout)
    }

    // MARK: - Closing

    /// The time limit of ``close()``.
    static let closeTimeout = Duration.seconds(5)

    /// Closes the connection, and returns when it is closed.
    ///
    /// Commands in progress fail with ``RedisError/Code/connectionClosed``. Does nothing if the connection is closed
    /// already. It does not wait for the server, and continues if the task is cancelled.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut`` if the event loop has not closed the connection within 5 seconds.
    public func close() async throws {
        if handler.hasEnded { return }
        let handler = handler
        channel.eventLoop.execute { handler.closeByClient() }
        guard await channel.closeFuture.completes(within: Self.closeTimeout) else {
            throw RedisError(.closeTimedOut, "The connection did not close within \(Self.closeTimeout).")
        }
    }

    /// A closure that closes the connection without waiting. It may be called from any thread while the connection is
    /// in use.
    var abortHandle: @Sendable () -> Void {
        { [link] in link.abort() }
    }
}

@available(*, unavailable)
extension RedisConnection: Sendable {}
