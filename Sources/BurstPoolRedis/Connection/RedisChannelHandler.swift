// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

#if RedisTLS
    import NIOTLS
#endif

/// The last handler of a channel's pipeline. Sends commands, and matches each reply with its command.
///
/// Redis answers commands in order, so a reply belongs to the oldest exchange in progress. When that is no longer
/// certain (a command was cancelled, a reply is late, cannot be parsed, or answers no command) the handler closes the
/// channel and fails all exchanges in progress.
///
/// | state | accessed by |
/// |---|---|
/// | `isClosed`, `hasEnded`, `closeReason` | any thread |
/// | everything else | the event loop only |
final class RedisChannelHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let eventLoop: any EventLoop

    private let tls: TLSContext?
    private var context: ChannelHandlerContext?
    private var inProgress = CircularBuffer<Exchange>()
    private var receiver: MessageReceiver?
    private let reader: ReplyReader

    /// When an exchange that can move was last submitted. The operating system is asked about the peer only after a
    /// pause.
    private var lastMovable = NIODeadline.uptimeNanoseconds(0)

    /// Whether the server has sent at least one reply.
    private(set) var hasReply = false

    /// The first bytes of a server that has not sent a reply yet; `nil` if it has, or has sent nothing.
    private(set) var unansweredBytes: [UInt8]?

    /// Whether the TLS handshake has succeeded.
    private(set) var isTLSEstablished = false

    /// One timer for the channel, not one for each command. It is set for the earliest deadline. When it fires it looks
    /// whether that command is still in progress. Commands that end in time cost no more than reading the clock.
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?

    private let closed = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)
    private let reason = Mutex<(error: RedisError, isByServer: Bool)?>(nil)

    init(eventLoop: any EventLoop, maximumReplyBytes: Int, tls: TLSContext? = nil) {
        self.eventLoop = eventLoop
        self.tls = tls
        reader = ReplyReader(maximumReplyBytes: maximumReplyBytes)
    }

    // MARK: - From any thread

    /// Whether the channel is closed or about to close. Once `true`, it stays so.
    ///
    /// It becomes `true` before the exchanges in progress fail, so a caller that learns of a failure finds the
    /// connection closed.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// Whether the channel has finished closing.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// The reason why the channel is closed; `nil` while it is open.
    var closeReason: RedisError? { reason.withLock { $0?.error } }

    /// Whether the server has closed the channel, or the network has broken it.
    var isClosedByServer: Bool { reason.withLock { $0?.isByServer ?? false } }

    /// Sends commands and waits for their replies.
    ///
    /// - Throws: ``RedisError``; or `CancellationError`, which closes the channel unless nothing had been sent.
    func perform(_ exchange: Exchange) async throws -> [RedisReply] {
        try Task.checkCancellation()
        if isClosed, let closeReason { throw Self.alreadyClosed(closeReason) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let resumption = Resumption(continuation, ifDropped: .connectionClosed)
                eventLoop.execute {
                    self.submit(exchange) { resumption($0) }
                }
            }
        } onCancel: {
            eventLoop.execute { self.cancel(exchange) }
        }
    }

    // MARK: - On the event loop

    /// Sends an exchange. Calls `completion` when all replies have arrived, or when they no longer can.
    func submit(_ exchange: Exchange, completion: @escaping Exchange.Completion) {
        eventLoop.assertInEventLoop()
        guard exchange.submit(completion) else { return }
        guard let context, !isClosed else {
            exchange.fail(Self.alreadyClosed(closeReason ?? Self.withoutChannel))
            return
        }
        if exchange.canMove, hasBeenIdle(), context.channel.isClosedByPeer {
            closedByServer()
            exchange.fail(Self.alreadyClosed(closeReason ?? Self.withoutChannel))
            return
        }
        inProgress.append(exchange)
        exchange.willSend()
        setTimer(for: exchange.deadline)
        let promise = exchange.canMove ? eventLoop.makePromise(of: Void.self) : nil
        promise?.futureResult.whenFailure { _ in exchange.couldNotSend() }
        context.writeAndFlush(wrapOutboundOut(exchange.bytes), promise: promise)
    }

    /// Sends several exchanges, none of which can move, with a single write.
    func submit(_ exchanges: [(exchange: Exchange, completion: Exchange.Completion)]) {
        eventLoop.assertInEventLoop()
        var bytes = ByteBuffer()
        bytes.reserveCapacity(exchanges.reduce(0) { $0 + $1.exchange.bytes.readableBytes })
        for (exchange, completion) in exchanges where exchange.submit(completion) {
            guard context != nil, !isClosed else {
                exchange.fail(Self.alreadyClosed(closeReason ?? Self.withoutChannel))
                continue
            }
            inProgress.append(exchange)
            exchange.willSend()
            setTimer(for: exchange.deadline)
            bytes.writeImmutableBuffer(exchange.bytes)
        }
        guard let context, bytes.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Cancels an exchange, and nothing else: if it is in progress its replies are awaited and ignored.
    func abandon(_ exchange: Exchange) {
        eventLoop.assertInEventLoop()
        exchange.cancelIfCreated()
        exchange.abandon()
    }

    /// The error of a command on a channel that is closed; `nil` while it is open.
    var closedError: RedisError? {
        isClosed ? closeReason.map { Self.alreadyClosed($0) } : nil
    }

    /// Returns whether the last exchange that can move was submitted a while ago.
    private func hasBeenIdle() -> Bool {
        let now = NIODeadline.now()
        defer { lastMovable = now }
        return now - lastMovable > .microseconds(500)
    }

    /// From now on, gives everything that is not the reply to an earlier exchange to a receiver of messages.
    func start(_ receiver: MessageReceiver) {
        eventLoop.assertInEventLoop()
        guard context != nil, !isClosed else {
            receiver.finish(Self.alreadyClosed(closeReason ?? Self.withoutChannel))
            return
        }
        self.receiver = receiver
    }

    /// Sends bytes whose replies go to the receiver of messages.
    func send(_ bytes: ByteBuffer) {
        eventLoop.assertInEventLoop()
        guard let context, !isClosed else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Cancels an exchange. If it is in progress the channel closes, because its replies must not reach the next
    /// command.
    private func cancel(_ exchange: Exchange) {
        eventLoop.assertInEventLoop()
        switch exchange.state {
        case .created, .cancelled: exchange.cancelIfCreated()
        case .inProgress:
            close(because: RedisError(.connectionClosed, "A command was cancelled."), culprit: exchange) {
                CancellationError()
            }
        case .finished: break
        }
    }

    /// Records that the channel is closed, fails all exchanges in progress, and closes the channel.
    ///
    /// - Parameters:
    ///   - isByServer: Whether the channel closes without the intention of this client.
    ///   - culprit: The exchange that fails with `error` instead of `reason`.
    func close(
        because reason: RedisError,
        isByServer: Bool = false,
        culprit: Exchange? = nil,
        error: () -> any Error = { CancellationError() }
    ) {
        let isFirst = self.reason.withLock { stored in
            guard stored == nil else { return false }
            stored = (reason, isByServer)
            return true
        }
        guard isFirst else { return }
        closed.store(true, ordering: .releasing)
        timer?.task.cancel()
        timer = nil
        let failed = inProgress
        inProgress = []
        for exchange in failed {
            exchange.fail(exchange === culprit ? error() : Self.interrupted(exchange, reason))
        }
        let receiver = receiver
        self.receiver = nil
        receiver?.finish(reason)
        context?.close(promise: nil)
    }

    /// Closes the channel on behalf of this client.
    func closeByClient() {
        close(because: RedisError(.connectionClosed, "The connection is closed: this client closed it."))
    }

    // MARK: Errors

    private static var withoutChannel: RedisError {
        RedisError(.connectionClosed, "The connection has no channel.")
    }

    /// The error of a command that was in progress when the channel closed.
    private static func interrupted(_ exchange: Exchange, _ reason: RedisError) -> RedisError {
        guard exchange.count > 1 else { return reason }
        return RedisError(
            reason.code,
            "\(reason.message) \(exchange.replies.count) of \(exchange.count) replies had arrived.",
            underlyingError: reason.underlyingError
        )
    }

    /// The error of a command on a channel that was closed before.
    private static func alreadyClosed(_ reason: RedisError) -> RedisError {
        let prefix = "The connection is closed"
        let message = reason.message.hasPrefix(prefix) ? reason.message : "\(prefix). \(reason.message)"
        return RedisError(.connectionClosed, message, underlyingError: reason)
    }

    // MARK: Deadlines

    private func setTimer(for deadline: NIODeadline) {
        guard deadline < .distantFuture else { return }
        if let timer {
            guard deadline < timer.deadline else { return }
            timer.task.cancel()
        }
        timer = (deadline, eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() })
    }

    private func timerFired() {
        timer = nil
        let now = NIODeadline.now()
        if let late = inProgress.first(where: { $0.deadline <= now }) {
            let message = late.timeoutMessage
            close(because: RedisError(.connectionClosed, message), culprit: late) {
                RedisError(.commandTimedOut, message)
            }
        } else if let next = inProgress.lazy.map(\.deadline).min() {
            setTimer(for: next)
        }
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        closedByServer()
        ended.store(true, ordering: .releasing)
    }

    private func closedByServer() {
        let reason = RedisError(.connectionClosed, "The connection is closed: the server closed the connection.")
        close(because: reason, isByServer: true)
    }

    #if RedisTLS
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted? = event as? TLSUserEvent { isTLSEstablished = true }
            context.fireUserInboundEventTriggered(event)
        }
    #endif

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let message = "The connection broke: \(ConnectFailure.text(of: error))."
        let failure =
            tls?.failure(for: error, on: context.channel)
            ?? RedisError(.connectionClosed, message, underlyingError: error)
        close(because: failure, isByServer: true)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        let bytes = unwrapInboundIn(data)
        if !hasReply { unansweredBytes = (unansweredBytes ?? []) + bytes.readableBytesView.prefix(80) }
        let failure = bytes.withUnsafeReadableBytes { bytes -> RedisError? in
            do throws(RedisError) {
                try reader.read(bytes, receive: receive)
                return nil
            } catch {
                return error
            }
        }
        if let failure { close(because: failure) }
    }

    /// Gives a reply to the command that it answers.
    ///
    /// - Returns: Whether the channel remains open.
    private func receive(_ reply: RedisReply) -> Bool {
        if !hasReply { (hasReply, unansweredBytes) = (true, nil) }
        guard let oldest = inProgress.first else {
            if let receiver {
                receiver.receive(reply)
            } else {
                let message = "The server sent a reply to no command: \(reply.summary)."
                close(because: RedisError(.protocolError, message))
            }
            return !isClosed
        }
        if oldest.replies.count + 1 == oldest.count { inProgress.removeFirst() }
        oldest.receive(reply)
        return true
    }
}
