import NIOCore

/// One connection to a Redis server.
///
/// ```swift
/// try await connection.send("SET", "greeting", "hello")
/// let greeting = try await connection.send("GET", "greeting").string
/// ```
///
/// Commands are sent by ``send(_:_:)`` and by ``pipeline(_:)``. A call that is cancelled before its last reply, a reply
/// that is late, and anything that is not Redis's protocol close the connection: what remains open is in step with the
/// server, and no reply ever reaches anybody but the one who sent the command.
///
/// **Not `Sendable`.** A connection belongs to one party at a time, and the compiler sees to it: what leaves
/// `withConnection` is not the connection, nor a task that still uses it. For several commands at a time, send a
/// pipeline, or take several connections. Commands sent through an actor by several tasks at once are safe, and
/// answered in turn.
///
/// **Leave it as you found it.** After `MULTI` without `EXEC` or `DISCARD`, `WATCH` without `EXEC` or `UNWATCH`, `SELECT`
/// of another database, `AUTH` and their like, a pool does not hand the connection out again; it closes it. Commands
/// that Redis does not answer with one reply each (`SUBSCRIBE`, `MONITOR`, `CLIENT REPLY`, `HELLO 3`…) are refused with
/// ``RedisError/Code/invalidCommand``.
public final class RedisConnection {
    private let channel: any Channel
    private let handler: RedisChannelHandler
    private let commandTimeout: Duration?
    private var session: SessionState

    init(_ opened: ConnectAttempt.Opened, configuration: RedisConfiguration) {
        channel = opened.channel
        handler = opened.handler
        commandTimeout = configuration.commandTimeout
        session = SessionState(database: configuration.database)
    }

    /// A connection that is dropped without having been closed is closed now.
    deinit {
        if !handler.isClosed { channel.close(promise: nil) }
    }

    /// Whether the connection is closed, by either side.
    ///
    /// Becomes `true` soon after the server has closed it, without a command being sent. Costs one atomic load.
    public var isClosed: Bool { handler.isClosed }

    /// Whether somebody else can use the connection next: it is open, and as it was when it opened.
    var isReusable: Bool { !handler.isClosed && session.isAsOpened }

    // MARK: - Commands

    /// Sends a command and waits for its reply.
    ///
    /// ```swift
    /// let count = try await connection.send("INCRBY", "visits", 5).integer
    /// ```
    ///
    /// - Parameters:
    ///   - name: The name of the command.
    ///   - arguments: What follows: text, bytes, numbers. Every byte is allowed in them.
    /// - Returns: The reply, which is not an error; an array may contain errors.
    /// - Throws: ``RedisError``, whose code is ``RedisError/Code/serverError`` if the server answered with an error and
    ///   ``RedisError/Code/commandTimedOut`` if it did not answer within the configured timeout; or `CancellationError`,
    ///   and then the connection is closed, unless the task was cancelled before the call.
    @discardableResult
    public func send(_ name: String, _ arguments: any RedisArgument...) async throws -> RedisReply {
        try await send(RedisCommand(name, arguments: arguments), timeout: commandTimeout)
    }

    /// Sends a command and waits for its reply, as ``send(_:_:)`` does.
    @discardableResult
    public func send(_ command: RedisCommand) async throws -> RedisReply {
        try await send(command, timeout: commandTimeout)
    }

    /// Sends a command and waits for its reply, up to a time that is not the configured one.
    ///
    /// - Parameter timeout: How long the reply may take; more than zero, or `nil` for ever.
    @discardableResult
    public func send(_ command: RedisCommand, timeout: Duration?) async throws -> RedisReply {
        let replies = try await perform(CollectionOfOne(command), timeout: timeout)
        return try replies[0].get()
    }

    /// Sends many commands at once and waits for all the replies.
    ///
    /// One write and one round trip, whatever the number of commands. Other clients' commands may be carried out between
    /// them; for a transaction let the first be `MULTI` and the last `EXEC`.
    ///
    /// - Returns: One reply for each command, in their order. A command that failed has ``RedisReply/error(_:)`` in its
    ///   place, and the others are carried out none the less. Empty for no commands.
    /// - Throws: ``RedisError`` if not all replies came; `CancellationError`. In both cases the connection is closed,
    ///   and the server may have carried out some of the commands. ``RedisError/Code/invalidCommand`` is thrown before
    ///   anything is sent.
    public func pipeline(_ commands: [RedisCommand]) async throws -> [RedisReply] {
        try await pipeline(commands, timeout: commandTimeout)
    }

    /// Sends many commands at once and waits for all the replies, up to a time that is not the configured one.
    ///
    /// - Parameter timeout: How long the last reply may take; more than zero, or `nil` for ever.
    public func pipeline(_ commands: [RedisCommand], timeout: Duration?) async throws -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        return try await perform(commands, timeout: timeout)
    }

    private func perform(_ commands: some Collection<RedisCommand>, timeout: Duration?) async throws -> [RedisReply] {
        if let timeout, timeout <= .zero {
            throw RedisError(.invalidConfiguration, "command timeout \(timeout) is not above zero")
        }
        var encoder = CommandEncoder(session: session)
        for command in commands { try encoder.append(command.arguments) }
        let exchange = Exchange(
            bytes: encoder.wire,
            count: commands.count,
            timeout: timeout.map { TimeAmount(clamping: $0) }
        )
        let changesSession = encoder.session != session
        session = encoder.session
        do {
            return try await handler.perform(exchange)
        } catch {
            // Cancelled before it was sent, an `EXEC` has not ended its transaction.
            if changesSession { session.becomeUncertain() }
            throw error
        }
    }

    // MARK: - Closing

    /// How long ``close()`` waits at most.
    static let closeTimeout = Duration.seconds(5)

    /// Closes the connection, and returns when it is closed.
    ///
    /// Commands under way fail with ``RedisError/Code/connectionClosed``. On a connection that is closed already this
    /// does nothing. It does not wait for the server, and goes on if the task is cancelled.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut`` if the event loop has not closed the connection within 5 seconds.
    public func close() async throws {
        if handler.hasEnded { return }
        let handler = handler
        channel.eventLoop.execute { handler.closeByClient() }
        guard await channel.closeFuture.completes(within: Self.closeTimeout) else {
            throw RedisError(.closeTimedOut, "the connection did not close within \(Self.closeTimeout)")
        }
    }

    /// Closes the connection, from any thread and while somebody else uses it. Does not wait.
    var abortHandle: @Sendable () -> Void {
        { [handler] in
            handler.eventLoop.execute { handler.closeByClient() }
        }
    }
}

@available(*, unavailable)
extension RedisConnection: Sendable {}
