// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A message that was published to a channel.
public struct RedisMessage: Sendable, Equatable {
    /// The name of the channel.
    public let channel: String
    /// The pattern that matched the name of the channel; `nil` for a subscription to the channel itself.
    public let pattern: String?
    /// The published bytes.
    public let payload: [UInt8]

    /// The payload as text; `nil` if it is not valid UTF-8.
    public var string: String? { String(validating: payload, as: UTF8.self) }

    init(channel: RedisReply, pattern: RedisReply?, payload: RedisReply) {
        func text(_ reply: RedisReply) -> String { String(decoding: reply.bytes ?? [], as: UTF8.self) }
        self.channel = text(channel)
        self.pattern = pattern.map(text)
        self.payload = payload.bytes ?? []
    }
}

/// The messages of the channels that a connection is subscribed to.
///
/// ```swift
/// let connection = try await pool.acquire().detach()
/// let subscription = try await connection.subscribe(to: ["news"])
/// for try await message in subscription {
///     print(message.channel, message.string ?? "")
/// }
/// ```
///
/// The sequence ends by throwing: ``RedisError/Code/connectionClosed`` when the connection is closed,
/// `CancellationError` when the iterating task is cancelled. Redis does not store messages, so messages that are published
/// while no connection is subscribed are lost. The connection closes when the subscription and its iterators are
/// released.
public final class RedisSubscription: AsyncSequence, Sendable {
    public typealias Element = RedisMessage

    private let buffer: MessageBuffer
    private let handler: RedisChannelHandler

    private init(buffer: MessageBuffer, handler: RedisChannelHandler) {
        self.buffer = buffer
        self.handler = handler
    }

    deinit { close() }

    /// The number of messages that were dropped because the buffer was full: the messages arrived faster than they were
    /// read.
    public var droppedMessages: Int { buffer.dropped }

    /// Ends the subscription and closes its connection. Messages that have arrived can still be read.
    public func close() {
        handler.eventLoop.execute { [handler] in handler.closeByClient() }
    }

    /// Iterates over the messages. Several iterators share them: each message goes to one.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: RedisSubscription

        public mutating func next() async throws -> RedisMessage? {
            try await subscription.buffer.next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription: self)
    }

    /// Sends the commands and waits until the server has confirmed each channel and pattern.
    static func start(
        _ request: SubscriptionRequest,
        on handler: RedisChannelHandler,
        timeout: Duration?
    ) async throws -> RedisSubscription {
        let buffer = MessageBuffer(limit: request.bufferLimit)
        let subscription = RedisSubscription(buffer: buffer, handler: handler)
        let bytes = try encode(request)
        do {
            try await subscribe(request, bytes, buffer, handler, timeout)
        } catch {
            try Task.checkCancellation()
            throw error
        }
        return subscription
    }

    private static func subscribe(
        _ request: SubscriptionRequest,
        _ bytes: ByteBuffer,
        _ buffer: MessageBuffer,
        _ handler: RedisChannelHandler,
        _ timeout: Duration?
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let resumption = Resumption(continuation, ifDropped: .connectionClosed)
                handler.eventLoop.execute {
                    let timer = timeout.map { timeout in
                        handler.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(clamping: timeout)) {
                            let message = "The server did not confirm the subscription within \(timeout)."
                            handler.close(because: RedisError(.commandTimedOut, message))
                        }
                    }
                    let receiver = MessageReceiver(request, buffer: buffer, handler: handler) { result in
                        timer?.cancel()
                        resumption(result)
                    }
                    handler.start(receiver)
                    handler.send(bytes)
                }
            }
        } onCancel: {
            handler.eventLoop.execute { handler.closeByClient() }
        }
    }

    private static func encode(_ request: SubscriptionRequest) throws -> ByteBuffer {
        var bytes = ByteBuffer()
        for (name, arguments) in [("SUBSCRIBE", request.channels), ("PSUBSCRIBE", request.patterns)] {
            guard !arguments.isEmpty else { continue }
            bytes.writeString("*\(arguments.count + 1)\r\n")
            for argument in [name] + arguments { bytes.writeString("$\(argument.utf8.count)\r\n\(argument)\r\n") }
        }
        return bytes
    }
}

extension RedisConnection {
    /// Subscribes to channels and returns their messages.
    ///
    /// The connection belongs to the subscription from now on: it takes no other commands, and a pool does not reuse
    /// it. Use a connection that has been detached from its pool, or one that
    /// ``RedisConnectionStrategy/makeConnection()`` has opened.
    ///
    /// - Parameters:
    ///   - channels: The names of the channels.
    ///   - patterns: Patterns of names, such as `news.*`.
    ///   - bufferLimit: The number of messages that are kept until they are read. When more arrive, the oldest one is
    ///     dropped and counted in ``RedisSubscription/droppedMessages``. At least 1. Default: 1024.
    ///   - keepaliveInterval: How often the connection is tested with a `PING`. A server that has not sent anything
    ///     until the next one counts as gone. `nil`: never. Default: 30 seconds.
    /// - Throws: ``RedisError``, for example if the user may not subscribe to a channel; or `CancellationError`. The
    ///   connection is closed then, unless the code is ``RedisError/Code/invalidCommand``.
    public func subscribe(
        to channels: [String] = [],
        patterns: [String] = [],
        bufferLimit: Int = 1024,
        keepaliveInterval: Duration? = .seconds(30)
    ) async throws -> RedisSubscription {
        guard !channels.isEmpty || !patterns.isEmpty else {
            throw RedisError(.invalidCommand, "A subscription needs at least one channel or pattern.")
        }
        guard bufferLimit >= 1 else {
            throw RedisError(
                .invalidCommand,
                "The buffer limit of a subscription is \(bufferLimit), which is less than 1."
            )
        }
        if let keepaliveInterval, keepaliveInterval <= .zero {
            throw RedisError(
                .invalidCommand,
                "The keep-alive interval is \(keepaliveInterval). It must be more than zero."
            )
        }
        return try await subscribe(
            SubscriptionRequest(
                channels: channels,
                patterns: patterns,
                bufferLimit: bufferLimit,
                keepaliveInterval: keepaliveInterval
            )
        )
    }
}
