import NIOCore
import Synchronization

/// The end of a channel's pipeline: sends commands, and gives each reply to the command that it answers.
///
/// Redis answers in the order of the commands, so the replies belong to the oldest exchange under way. Once anything
/// makes that doubtful (a cancelled command, a late reply, bytes that are no reply, a reply that nobody asked for) the
/// channel is closed, and what was under way fails.
///
/// | touched by | what |
/// |---|---|
/// | any thread | `isClosed`, `hasEnded`, `closeReason` |
/// | the event loop only | everything else |
final class RedisChannelHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let eventLoop: any EventLoop

    private var context: ChannelHandlerContext?
    private var underway = CircularBuffer<Exchange>()
    private let reader: ReplyReader

    /// One timer for the channel, not one for each command: it is set for the earliest deadline, and when it fires it
    /// looks whether that command is still under way. Commands that end in time cost no more than reading the clock.
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?

    private let closed = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)
    private let reason = Mutex<RedisError?>(nil)

    init(eventLoop: any EventLoop, maximumReplyBytes: Int) {
        self.eventLoop = eventLoop
        reader = ReplyReader(maximumReplyBytes: maximumReplyBytes)
    }

    // MARK: - From any thread

    /// Whether the channel is closed or about to be. Once `true`, it stays so.
    ///
    /// It is set before the commands under way are told of their failure, so that whoever learns of a failure finds the
    /// connection closed.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// Whether the channel has finished closing.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// Why the channel is closed; `nil` while it is open.
    var closeReason: RedisError? { reason.withLock { $0 } }

    /// Sends commands and waits for their replies.
    ///
    /// - Throws: `CancellationError`, after which the connection is closed unless nothing was sent; or ``RedisError``.
    func perform(_ exchange: Exchange) async throws -> [RedisReply] {
        try Task.checkCancellation()
        if isClosed, let closeReason { throw Self.isClosedAlready(closeReason) }
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

    /// Sends an exchange; `completion` is called when all replies are there, or when that cannot be any more.
    func submit(_ exchange: Exchange, completion: @escaping Exchange.Completion) {
        eventLoop.assertInEventLoop()
        guard exchange.submit(completion) else { return }
        guard let context, !isClosed else {
            let reason = closeReason ?? RedisError(.connectionClosed, "the channel has no connection")
            exchange.fail(Self.isClosedAlready(reason))
            return
        }
        underway.append(exchange)
        setTimer(for: exchange.deadline)
        context.writeAndFlush(wrapOutboundOut(exchange.bytes), promise: nil)
    }

    /// A cancelled exchange that is under way closes the channel: its replies must not meet the next user.
    private func cancel(_ exchange: Exchange) {
        eventLoop.assertInEventLoop()
        switch exchange.state {
        case .created, .cancelled: exchange.cancelIfCreated()
        case .underway:
            close(because: RedisError(.connectionClosed, "a command was cancelled"), culprit: exchange) {
                CancellationError()
            }
        case .finished: break
        }
    }

    /// Marks the channel closed, fails everything under way, and closes.
    ///
    /// - Parameters:
    ///   - culprit: The exchange that gets `error` instead of `reason`.
    private func close(
        because reason: RedisError,
        culprit: Exchange? = nil,
        error: () -> any Error = { CancellationError() }
    ) {
        let isFirst = self.reason.withLock { stored in
            guard stored == nil else { return false }
            stored = reason
            return true
        }
        guard isFirst else { return }
        closed.store(true, ordering: .releasing)
        timer?.task.cancel()
        timer = nil
        let failed = underway
        underway = []
        for exchange in failed {
            exchange.fail(exchange === culprit ? error() : Self.interrupted(exchange, reason))
        }
        context?.close(promise: nil)
    }

    /// The error of a command that was under way when the connection closed.
    private static func interrupted(_ exchange: Exchange, _ reason: RedisError) -> RedisError {
        guard exchange.count > 1 else { return reason }
        return RedisError(
            reason.code,
            "\(reason.message) (\(exchange.replies.count) of \(exchange.count) replies had come)",
            underlyingError: reason.underlyingError
        )
    }

    /// The error of a command on a connection that was closed before.
    private static func isClosedAlready(_ reason: RedisError) -> RedisError {
        RedisError(.connectionClosed, "the connection is closed: \(reason.message)", underlyingError: reason)
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
        if let late = underway.first(where: { $0.deadline <= now }) {
            let seconds = Double(late.timeout?.nanoseconds ?? 0) / 1e9
            let what = late.count == 1 ? "the command" : "\(late.count - late.replies.count) of \(late.count) commands"
            let message = "the server did not answer \(what) within \(seconds) s"
            close(because: RedisError(.connectionClosed, message), culprit: late) {
                RedisError(.commandTimedOut, message)
            }
        } else if let next = underway.lazy.map(\.deadline).min() {
            setTimer(for: next)
        }
    }

    // MARK: What happens on the channel

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
        close(because: RedisError(.connectionClosed, "the server closed the connection"))
        ended.store(true, ordering: .releasing)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(because: RedisError(.connectionClosed, "the connection broke: \(error)", underlyingError: error))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        let failure = unwrapInboundIn(data).withUnsafeReadableBytes { bytes -> RedisError? in
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
        guard let oldest = underway.first else {
            let text = reply.error?.message ?? reply.string ?? "\(reply)"
            let message = "the server sent a reply to no command: \(text.prefix(200))"
            close(because: RedisError(.protocolError, message))
            return false
        }
        if oldest.replies.count + 1 == oldest.count { underway.removeFirst() }
        oldest.receive(reply)
        return true
    }

    /// Closes the channel because the client wants it.
    func closeByClient() {
        close(because: RedisError(.connectionClosed, "this client closed it"))
    }
}
