import BurstPool
import NIOCore
import NIOPosix

/// Keeps a pool supplied with connections to one Redis server.
///
/// ```swift
/// let strategy = try RedisConnectionStrategy(url: "redis://:secret@cache.internal/3")
/// let pool = try ConnectionPool(strategy: strategy, maxSize: 8, burstLimit: 32)
/// let visits = try await pool.withConnection { connection in
///     try await connection.send("INCR", "visits").integer
/// }
/// ```
///
/// Connections are spread evenly over the event loops. The group of event loops must outlive the connections.
public final class RedisConnectionStrategy: ConnectionStrategy {
    public typealias Connection = RedisConnection

    /// What the connections are like.
    public let configuration: RedisConfiguration

    private let eventLoopGroup: any EventLoopGroup

    /// A strategy for the server that a configuration describes. Connects to nothing yet.
    ///
    /// - Parameter eventLoopGroup: Where the connections live; of NIOPosix. Default: the one that is shared by the
    ///   whole process.
    /// - Throws: ``RedisError/Code/invalidConfiguration``, naming the value that makes no sense.
    public init(
        configuration: RedisConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
    }

    /// A strategy for the server that a URL names. ``RedisConfiguration/init(url:)`` tells what such a URL looks like.
    ///
    /// - Throws: ``RedisError/Code/invalidURL``, naming the part that makes no sense.
    public convenience init(
        url: String,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws {
        try self.init(configuration: RedisConfiguration(url: url), eventLoopGroup: eventLoopGroup)
    }

    /// Connects, authenticates, selects the database and sets the client name, as configured.
    ///
    /// - Throws: ``RedisError`` with the reason of the server or of the system; ``RedisError/Code/connectTimedOut`` if
    ///   all of it is not done within the connect timeout; `CancellationError`.
    public func makeConnection() async throws -> sending RedisConnection {
        let attempt = ConnectAttempt(configuration: configuration, eventLoop: eventLoopGroup.next())
        return RedisConnection(try await attempt.run(), configuration: configuration)
    }

    /// Whether the connection is closed, or was left in a state that its next user would not expect, such as an open
    /// transaction. Reads a flag; talks to nobody.
    public func connectionIsClosed(_ connection: RedisConnection) -> Bool {
        !connection.isReusable
    }

    /// Closes the connection and waits until it is closed, for 5 seconds at most.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut``, which only a blocked event loop leads to.
    public func closeConnection(_ connection: sending RedisConnection) async throws {
        try await connection.close()
    }

    /// Sends a `PING`, which the server must answer within the configured command timeout.
    ///
    /// - Throws: ``RedisError``, or `CancellationError`; the connection is closed then, or was before.
    public func validateConnection(_ connection: inout RedisConnection) async throws -> Bool {
        try await connection.send("PING").string == "PONG"
    }

    /// Whether trying again is of no use: the server wants another password than the configured one, or the configuration
    /// makes no sense.
    ///
    /// A server that cannot be reached may be back, and one that refuses a connection may have room for it later.
    public func connectErrorIsPermanent(_ error: any Error) -> Bool {
        switch (error as? RedisError)?.code {
        case .authenticationFailed?, .invalidConfiguration?, .invalidURL?: true
        default: false
        }
    }

    /// Whether the error is one after which a connection is closed, or out of step with the server.
    ///
    /// A command that the server answers with an error, or that cannot be sent, leaves it as it was.
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        switch (error as? RedisError)?.code {
        case .commandTimedOut?, .connectionClosed?, .protocolError?: .discard
        default: .keep
        }
    }

    /// Closes the connection, so that commands under way fail with ``RedisError/Code/connectionClosed``.
    public func abortHandle(for connection: RedisConnection) -> (@Sendable () -> Void)? {
        connection.abortHandle
    }
}
