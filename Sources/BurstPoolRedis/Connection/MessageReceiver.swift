// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What a subscription asks the server for.
struct SubscriptionRequest: Sendable {
    var channels: [String]
    var patterns: [String]
    var bufferLimit: Int
    var keepaliveInterval: Duration?
}

/// Turns what a server sends on a subscribed connection into messages.
///
/// Sendable because all mutable state is accessed on the event loop of the channel only.
final class MessageReceiver: @unchecked Sendable {
    private let buffer: MessageBuffer
    private weak var handler: RedisChannelHandler?
    private let keepaliveInterval: TimeAmount?
    private var missingConfirmations: Int
    private var whenConfirmed: (@Sendable (Result<Void, any Error>) -> Void)?
    private var keepaliveTask: Scheduled<Void>?
    /// Whether the server has sent anything since the last `PING`.
    private var hasHeardFromServer = true

    init(
        _ request: SubscriptionRequest,
        buffer: MessageBuffer,
        handler: RedisChannelHandler,
        whenConfirmed: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        self.buffer = buffer
        self.handler = handler
        keepaliveInterval = request.keepaliveInterval.map { TimeAmount(clamping: $0) }
        missingConfirmations = request.channels.count + request.patterns.count
        self.whenConfirmed = whenConfirmed
    }

    /// Takes whatever the server sends.
    func receive(_ reply: RedisReply) {
        hasHeardFromServer = true
        switch reply {
        case .array(let parts): receive(parts)
        case .error(let error) where missingConfirmations > 0:
            confirm(.failure(error.explained))
            handler?.close(
                because: RedisError(.connectionClosed, "The server refused a subscription: \(error.message)")
            )
        // The reply to a `PING` that the user may not send. The server is alive.
        case .error, .simpleString, .bulkString, .integer, .null: break
        }
    }

    private func receive(_ parts: [RedisReply]) {
        switch (parts.first?.string, parts.count) {
        case ("message", 3):
            buffer.append(RedisMessage(channel: parts[1], pattern: nil, payload: parts[2]))
        case ("pmessage", 4):
            buffer.append(RedisMessage(channel: parts[2], pattern: parts[1], payload: parts[3]))
        case ("subscribe", _), ("psubscribe", _):
            missingConfirmations -= 1
            if missingConfirmations == 0 {
                confirm(.success(()))
                scheduleKeepalive()
            }
        default: break
        }
    }

    private func confirm(_ result: Result<Void, any Error>) {
        whenConfirmed?(result)
        whenConfirmed = nil
    }

    /// Ends the subscription. Called once, when the channel closes.
    func finish(_ error: RedisError) {
        keepaliveTask?.cancel()
        keepaliveTask = nil
        confirm(.failure(error))
        buffer.finish(error)
    }

    // MARK: - Keep-alive

    /// A subscriber only listens, so it would not notice a server that has vanished without closing the connection.
    private func scheduleKeepalive() {
        guard let keepaliveInterval, let handler else { return }
        keepaliveTask = handler.eventLoop.assumeIsolated().scheduleTask(in: keepaliveInterval) { self.keepAlive() }
    }

    private func keepAlive() {
        guard hasHeardFromServer else {
            let message = "The server has not answered on a subscribed connection."
            handler?.close(because: RedisError(.connectionClosed, message))
            return
        }
        hasHeardFromServer = false
        handler?.send(ByteBuffer(string: "*1\r\n$4\r\nPING\r\n"))
        scheduleKeepalive()
    }
}
