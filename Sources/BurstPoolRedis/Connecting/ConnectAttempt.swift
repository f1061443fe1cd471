// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// An attempt to open one connection: connect, encrypt, authenticate, select the database and set the name, all within
/// the connect timeout.
///
/// The first of these events decides the outcome: success, failure, the timeout, or the cancellation of the task. Later
/// events have no effect; a channel that opens after the decision is closed.
///
/// Sendable because all mutable state is accessed on the event loop only.
final class ConnectAttempt: @unchecked Sendable {
    /// A channel on which the server has answered.
    struct Opened: Sendable {
        let channel: any Channel
        let handler: RedisChannelHandler
    }

    private enum State {
        case notStarted
        /// The channel is opening.
        case connecting(Resumption<Opened>)
        /// The set-up commands are waiting for their replies.
        case settingUp(Resumption<Opened>, any Channel, RedisChannelHandler)
        /// The outcome is known.
        case decided
    }

    private let configuration: RedisConfiguration
    private let credentials: RedisCredentials?
    private let tls: TLSContext?
    private let eventLoop: any EventLoop
    private let deadline: NIODeadline
    private let failure: ConnectFailure
    private var state = State.notStarted
    private var timer: Scheduled<Void>?

    init(
        configuration: RedisConfiguration,
        credentials: RedisCredentials?,
        tls: TLSContext?,
        eventLoop: any EventLoop,
        deadline: NIODeadline
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.tls = tls
        self.eventLoop = eventLoop
        self.deadline = deadline
        failure = ConnectFailure(
            endpoint: configuration.endpoint,
            usesTLS: tls != nil,
            timeout: configuration.connectTimeout
        )
    }

    /// Opens the connection. Must be called once.
    ///
    /// - Throws: `CancellationError`, or ``RedisError`` with the reason of the server or of the system.
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
        guard case .notStarted = state else {
            resumption(.failure(CancellationError()))
            return
        }
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            state = .decided
            let message = "The event loops must be those of NIOPosix, but are of the type \(type(of: eventLoop))."
            resumption(.failure(RedisError(.invalidConfiguration, message)))
            return
        }
        state = .connecting(resumption)
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timedOut() }
        let timeout = max(deadline - .now(), .nanoseconds(1))
        connect(bootstrap.connectTimeout(timeout)).whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error): self.decide(.failure(self.failure.connecting(error)))
            }
        }
    }

    private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        let (maximumReplyBytes, tls) = (configuration.maximumReplyBytes, tls)
        let bootstrap = bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try tls?.encrypt(channel)
                let handler = RedisChannelHandler(
                    eventLoop: channel.eventLoop,
                    maximumReplyBytes: maximumReplyBytes,
                    tls: tls
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
        do {
            let handler = try channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
            state = .settingUp(resumption, channel, handler)
            try setUp(channel, handler)
        } catch {
            state = .decided
            channel.close(promise: nil)
            resumption(.failure(failure.connecting(error)))
        }
    }

    private func setUp(_ channel: any Channel, _ handler: RedisChannelHandler) throws {
        let commands = SetUpCommand.all(for: configuration, credentials: credentials)
        var encoder = CommandEncoder(session: SessionState(database: configuration.database))
        for command in commands { try encoder.append(command.command.arguments) }
        let exchange = Exchange(bytes: encoder.wire, count: commands.count, timeout: nil)
        let endpoint = configuration.endpoint
        handler.submit(exchange) { result in
            switch result {
            case .success(let replies):
                for (command, reply) in zip(commands, replies) {
                    if let error = command.failure(for: reply, from: endpoint) { return self.decide(.failure(error)) }
                }
                self.decide(.success(Opened(channel: channel, handler: handler)))
            case .failure(let error):
                // A server that refuses a connection answers the first command and closes.
                let refusals = zip(commands, exchange.replies).compactMap { $0.failure(for: $1, from: endpoint) }
                self.decide(.failure(refusals.first ?? self.failure.settingUp(error, handler)))
            }
        }
    }

    private func cancel() {
        if case .notStarted = state { state = .decided } else { decide(.failure(CancellationError())) }
    }

    private func timedOut() {
        if case .settingUp(_, _, let handler) = state {
            decide(.failure(failure.timedOut(handler)))
        } else {
            decide(.failure(failure.timedOut(nil)))
        }
    }

    private func decide(_ outcome: Result<Opened, any Error>) {
        let (resumption, channel): (Resumption<Opened>, (any Channel)?)
        switch state {
        case .notStarted, .decided: return
        case .connecting(let waiting): (resumption, channel) = (waiting, nil)
        case .settingUp(let waiting, let opened, _): (resumption, channel) = (waiting, opened)
        }
        // Before the channel is closed, because closing it fails the set-up commands, which calls this method again.
        state = .decided
        timer?.cancel()
        timer = nil
        if case .failure = outcome { channel?.close(promise: nil) }
        resumption(outcome)
    }
}

extension TimeAmount {
    /// The nearest amount of at most a hundred years, so that adding it to the current time does not overflow.
    init(clamping duration: Duration) {
        let limit = Duration.seconds(100 * 365 * 86_400)
        let clamped = min(max(duration, .zero), limit)
        let (seconds, attoseconds) = clamped.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
