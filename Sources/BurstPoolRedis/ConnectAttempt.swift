import NIOCore
import NIOPosix

/// The opening of one connection: connect, authenticate, select, name, all within the connect timeout.
///
/// Whatever comes first decides: success, failure, the timeout, or the cancellation of the task. What comes later finds
/// the attempt decided; a channel that opens too late is closed.
///
/// Sendable because everything that changes is touched on the event loop only.
final class ConnectAttempt: @unchecked Sendable {
    /// A channel that the server has answered on.
    struct Opened: Sendable {
        let channel: any Channel
        let handler: RedisChannelHandler
    }

    private enum State {
        /// Not started yet.
        case idle
        /// A channel is opening.
        case connecting(Resumption<Opened>)
        /// The set-up commands are under way.
        case settingUp(Resumption<Opened>, any Channel)
        /// The outcome is known.
        case decided
    }

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private var state = State.idle
    private var timer: Scheduled<Void>?

    init(configuration: RedisConfiguration, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.eventLoop = eventLoop
    }

    /// Opens the connection. To be called once.
    ///
    /// - Throws: `CancellationError`, or ``RedisError`` with what the server or the system said.
    func run() async throws -> Opened {
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let resumption = Resumption(continuation, ifDropped: .connectFailed)
                eventLoop.execute { self.start(resumption) }
            }
        } onCancel: {
            eventLoop.execute { self.cancel() }
        }
    }

    // MARK: - On the event loop

    private func start(_ resumption: Resumption<Opened>) {
        guard case .idle = state else {
            resumption(.failure(CancellationError()))
            return
        }
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            state = .decided
            let message = "the event loops are not of NIOPosix: \(type(of: eventLoop))"
            resumption(.failure(RedisError(.invalidConfiguration, message)))
            return
        }
        state = .connecting(resumption)
        let timeout = TimeAmount(clamping: configuration.connectTimeout)
        timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.timedOut() }
        connect(bootstrap.connectTimeout(timeout)).whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error): self.decide(.failure(self.connectFailure(error)))
            }
        }
    }

    private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        let maximumReplyBytes = configuration.maximumReplyBytes
        let bootstrap = bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = RedisChannelHandler(
                    eventLoop: channel.eventLoop,
                    maximumReplyBytes: maximumReplyBytes
                )
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        return switch configuration.endpoint {
        case .tcp(let host, let port):
            bootstrap.channelOption(.socketOption(.so_keepalive), value: 1).connect(host: host, port: port)
        case .unixSocket(let path):
            bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    private func connected(_ channel: any Channel) {
        guard case .connecting(let resumption) = state else {
            channel.close(promise: nil)
            return
        }
        state = .settingUp(resumption, channel)
        do {
            let handler = try channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
            var encoder = CommandEncoder(session: SessionState(database: configuration.database))
            let commands = configuration.setUpCommands
            for (_, command) in commands { try encoder.append(command.arguments) }
            let exchange = Exchange(bytes: encoder.wire, count: commands.count, timeout: nil)
            handler.submit(exchange) { result in
                self.decide(
                    result.mapError(self.setUpFailure).flatMap { replies in
                        for (set, reply) in zip(commands, replies) {
                            if let error = reply.error.flatMap(set.purpose.failure) { return .failure(error) }
                        }
                        return .success(Opened(channel: channel, handler: handler))
                    }
                )
            }
        } catch {
            decide(.failure(setUpFailure(error)))
        }
    }

    private func cancel() {
        if case .idle = state { state = .decided } else { decide(.failure(CancellationError())) }
    }

    private func timedOut() {
        let isConnected = if case .settingUp = state { true } else { false }
        decide(.failure(timeoutError(isConnected: isConnected)))
    }

    private func decide(_ outcome: Result<Opened, any Error>) {
        let (resumption, channel): (Resumption<Opened>, (any Channel)?)
        switch state {
        case .idle, .decided: return
        case .connecting(let waiting): (resumption, channel) = (waiting, nil)
        case .settingUp(let waiting, let opened): (resumption, channel) = (waiting, opened)
        }
        // First, because closing the channel fails the set-up commands, which leads here again.
        state = .decided
        timer?.cancel()
        timer = nil
        if case .failure = outcome { channel?.close(promise: nil) }
        resumption(outcome)
    }

    // MARK: - Errors

    private func timeoutError(isConnected: Bool) -> RedisError {
        let timeout = configuration.connectTimeout
        let what = isConnected ? "accepted the connection, but did not answer" : "could not be reached"
        return RedisError(.connectTimedOut, "\(configuration.endpoint) \(what) within \(timeout)")
    }

    private func connectFailure(_ error: any Error) -> RedisError {
        if case ChannelError.connectTimeout? = error as? ChannelError { return timeoutError(isConnected: false) }
        let reason: String
        if let error = error as? NIOConnectionError {
            // With at least one address, the name was resolved, whatever else the resolver said.
            reason =
                error.connectionErrors.isEmpty
                ? "the host name cannot be resolved"
                : error.connectionErrors.map { "\($0.target): \($0.error)" }.joined(separator: "; ")
        } else {
            reason = "\(error)"
        }
        return RedisError(
            .connectFailed,
            "cannot connect to \(configuration.endpoint): \(reason)",
            underlyingError: error
        )
    }

    private func setUpFailure(_ error: any Error) -> any Error {
        let text = (error as? RedisError)?.message ?? "\(error)"
        return RedisError(
            .connectFailed,
            "cannot use the connection to \(configuration.endpoint): \(text)",
            underlyingError: error
        )
    }
}

extension TimeAmount {
    /// The nearest amount up to a hundred years, so that adding it to the present does not overflow.
    init(clamping duration: Duration) {
        let limit = Duration.seconds(100 * 365 * 86_400)
        let clamped = min(max(duration, .zero), limit)
        let (seconds, attoseconds) = clamped.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
