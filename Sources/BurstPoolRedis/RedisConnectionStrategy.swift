// SPDX-License-Identifier: Apache-2.0

import BurstPool
import NIOCore
import NIOPosix

/// Opens, checks and closes the connections of a pool to one Redis server.
///
/// ```swift
/// let strategy = try RedisConnectionStrategy(url: "rediss://:secret@cache.internal/3")
/// let pool = try ConnectionPool(strategy: strategy, maxSize: 8, burstLimit: 32)
/// let visits = try await pool.withConnection { connection in
///     try await connection.send("INCR", "visits").integer
/// }
/// ```
///
/// Connections are distributed evenly over the event loops. The event loop group must outlive the connections.
///
/// This client uses version 2 of the Redis protocol (RESP2). Version 3 would add push messages and typed replies.
/// Neither gains anything here: messages have a connection of their own, a caller knows the type of the reply to its
/// command, and the parser, hiredis 0.14, knows only version 2. A server sends push messages only to connections that
/// ask for version 3, which this client refuses to do.
public final class RedisConnectionStrategy: ConnectionStrategy {
    public typealias Connection = RedisConnection

    /// The settings of the connections.
    public let configuration: RedisConfiguration

    private let eventLoopGroup: any EventLoopGroup
    private let tls: TLSContext?
    private let credentials: CredentialSource?

    /// Creates a strategy for the server that a configuration describes. Does not connect yet.
    ///
    /// - Parameters:
    ///   - configuration: The address of the server and the settings of the connections.
    ///   - eventLoopGroup: The event loops of the connections; they must be those of NIOPosix. Default: the group that
    ///     the whole process shares.
    ///   - credentials: Returns the user name and the password for a connection that opens, instead of those of the
    ///     configuration. Credentials are cached while they are valid, see ``RedisCredentials/validFor``. If the server
    ///     refuses them, the closure is called once more, and only if the server refuses the new ones too, or they are
    ///     the same, the error counts as permanent. Its time counts against the connect timeout. An error that it
    ///     throws is the error of the attempt to connect. Default: `nil`.
    /// - Throws: ``RedisError/Code/invalidConfiguration`` with a message that names the value.
    public init(
        configuration: RedisConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        credentials: (@Sendable () async throws -> RedisCredentials)? = nil
    ) throws {
        try configuration.validate()
        if credentials != nil, configuration.username != nil || configuration.password != nil {
            let message =
                "The configuration contains a user or a password, and a credentials closure is given. Keep one of them."
            throw RedisError(.invalidConfiguration, message)
        }
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.credentials = credentials.map { CredentialSource($0) }
        tls = try configuration.tls.map { try TLSContext($0, endpoint: configuration.endpoint) }
    }

    /// Creates a strategy for the server that a URL describes. See ``RedisConfiguration/init(url:)``.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` with a message that names the part;
    ///   ``RedisError/Code/invalidConfiguration`` if a certificate file cannot be used.
    public convenience init(
        url: String,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        credentials: (@Sendable () async throws -> RedisCredentials)? = nil
    ) throws {
        try self.init(
            configuration: RedisConfiguration(url: url),
            eventLoopGroup: eventLoopGroup,
            credentials: credentials
        )
    }

    // MARK: - Opening

    /// Connects, encrypts, authenticates, selects the database and sets the client name, as configured.
    ///
    /// - Throws: ``RedisError`` with the reason of the server or of the system; ``RedisError/Code/connectTimedOut`` if
    ///   this takes longer than the connect timeout; `CancellationError`; or the error of the credentials closure.
    public func makeConnection() async throws -> sending RedisConnection {
        let (opened, expiry) = try await open()
        return RedisConnection(opened, configuration: configuration, credentialsExpiry: expiry) { [self] in
            try await open().opened
        }
    }

    /// An open channel, and when the credentials with which it was opened expire.
    typealias Opening = (opened: ConnectAttempt.Opened, credentialsExpiry: ContinuousClock.Instant?)

    /// Opens a channel, and does on it what the configuration says.
    func open() async throws -> Opening {
        let deadline = NIODeadline.now() + TimeAmount(clamping: configuration.connectTimeout)
        guard let credentials else { return (try await open(fixedCredentials, deadline), nil) }
        let issued = try await withinTimeLimit(until: deadline) { try await credentials.current() }
        do {
            return (try await open(issued.credentials, deadline), issued.expiry)
        } catch let error as RedisError where error.code == .authenticationFailed {
            let replacement = try await withinTimeLimit(until: deadline) {
                try await credentials.replacement(for: issued)
            }
            guard let replacement else { throw error }
            return (try await open(replacement.credentials, deadline), replacement.expiry)
        }
    }

    private var fixedCredentials: RedisCredentials? {
        guard configuration.username != nil || configuration.password != nil else { return nil }
        return RedisCredentials(username: configuration.username, password: configuration.password ?? "")
    }

    private func open(_ credentials: RedisCredentials?, _ deadline: NIODeadline) async throws -> ConnectAttempt.Opened {
        try await ConnectAttempt(
            configuration: configuration,
            credentials: credentials,
            tls: tls,
            eventLoop: eventLoopGroup.next(),
            deadline: deadline
        ).run()
    }

    private func withinTimeLimit<Value: Sendable>(
        until deadline: NIODeadline,
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let limit = Duration.nanoseconds(max((deadline - .now()).nanoseconds, 0))
        let (endpoint, timeout) = (configuration.endpoint, configuration.connectTimeout)
        return try await withTimeLimit(limit) {
            let message = "The credentials for \(endpoint) were not available within \(timeout)."
            return RedisError(.connectTimedOut, message)
        } _: {
            try await operation()
        }
    }

    /// Whether another attempt is useless: the server refuses the password or the certificate, or the configuration is
    /// invalid.
    ///
    /// A server that cannot be reached may come back, and a server that has too many clients may have room later, so
    /// these errors are not permanent. Set `connectRetry` in the pool's configuration, so that callers wait for the server
    /// instead of getting such an error.
    public func connectErrorIsPermanent(_ error: any Error) -> Bool {
        switch (error as? RedisError)?.code {
        case .authenticationFailed?, .tlsFailed?, .invalidConfiguration?, .invalidURL?: true
        default: false
        }
    }

    // MARK: - Checking

    /// Whether the connection is closed, or cannot be used by another caller because its session has been changed, for
    /// example by an open transaction. Reads flags only.
    public func connectionIsClosed(_ connection: RedisConnection) -> Bool {
        !connection.isReusable()
    }

    /// Sends a `PING`, which the server must answer within the command timeout.
    ///
    /// Most errors count as an answer: a user who may not send `PING` has a working connection. The exceptions are
    /// errors that tell that the server or the session is of no use, such as `LOADING`.
    ///
    /// - Throws: ``RedisError``, or `CancellationError`. The connection is closed then.
    public func validateConnection(_ connection: inout RedisConnection) async throws -> Bool {
        do {
            return try await connection.validate().string == "PONG"
        } catch let error as RedisError where error.code == .serverError {
            return !error.isFromUnsuitableServer && !error.isFromUnauthenticatedSession
        }
    }

    /// The time until the credentials of the connection expire; `nil` if they do not.
    public func connectionLifetime(_ connection: RedisConnection) -> Duration? {
        connection.remainingLifetime
    }

    /// Calls a closure once, when the connection closes for any reason.
    public func notifyWhenClosed(
        _ connection: RedisConnection,
        _ connectionDidClose: @escaping @Sendable () -> Void
    ) {
        connection.whenClosed(connectionDidClose)
    }

    /// Returns `ConnectionVerdict.discard` after an error that closes the connection, and
    /// `ConnectionVerdict.evictAll` after one that tells that the server is the wrong one.
    ///
    /// A server that answers `READONLY`, `MASTERDOWN`, `LOADING`, `NOREPLICAS` or `UNBLOCKED` has become a replica, has
    /// lost its primary or its replicas, or has restarted. After a failover behind a DNS name or a proxy, open
    /// connections still lead to such a server, and new ones lead to its successor. Other errors of the server leave
    /// the connection as it was.
    ///
    /// The pool only sees errors that the body of `withConnection` throws. If the body handles such an error itself, or
    /// finds it in the replies of a pipeline, only this connection is closed when it is released.
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        guard let error = error as? RedisError else { return .keep }
        switch error.code {
        case .commandTimedOut, .connectionClosed, .protocolError: return .discard
        case .serverError where error.isFromUnsuitableServer: return .evictAll
        case .serverError where error.isFromUnauthenticatedSession: return .discard
        default: return .keep
        }
    }

    // MARK: - Closing

    /// Closes the connection and waits until it is closed, for at most 5 seconds.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut``, which only happens if the event loop is blocked.
    public func closeConnection(_ connection: sending RedisConnection) async throws {
        try await connection.close()
    }

    /// A closure that closes the connection, so that commands in progress fail with
    /// ``RedisError/Code/connectionClosed``.
    public func abortHandle(for connection: RedisConnection) -> (@Sendable () -> Void)? {
        connection.abortHandle
    }
}
