// SPDX-License-Identifier: Apache-2.0

import BurstPool
import NIOCore
import NIOPosix

/// Opens, checks and closes the connections of a pool whose callers share the connections to one Redis server.
///
/// ```swift
/// let strategy = try SharedRedisConnectionStrategy(url: "redis://localhost", leaseLimit: 16)
/// let pool = try SharedConnectionPool(strategy: strategy, maxSize: 8)
/// ```
///
/// Connections open exactly as those of ``RedisConnectionStrategy``, and are distributed evenly over the event loops.
public final class SharedRedisConnectionStrategy: SharedConnectionStrategy {
    public typealias Connection = SharedRedisConnection

    /// How many callers use one connection at the same time.
    public let leaseLimit: Int

    private let base: RedisConnectionStrategy

    /// Creates a strategy for the server that a configuration describes. Does not connect yet.
    ///
    /// - Parameters:
    ///   - configuration: The address of the server and the settings of the connections.
    ///   - leaseLimit: How many callers use one connection at the same time; at least 1. Default: 64. With a higher limit, fewer
    ///     connections are opened, more commands are sent with one write, and more commands wait behind a slow one.
    ///   - eventLoopGroup: As in ``RedisConnectionStrategy``.
    ///   - credentials: As in ``RedisConnectionStrategy``.
    /// - Throws: ``RedisError/Code/invalidConfiguration`` with a message that names the value.
    public init(
        configuration: RedisConfiguration,
        leaseLimit: Int = 64,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        credentials: (@Sendable () async throws -> RedisCredentials)? = nil
    ) throws {
        guard leaseLimit >= 1 else {
            let message = "leaseLimit is \(leaseLimit). At least 1 caller must be able to use a connection."
            throw RedisError(.invalidConfiguration, message)
        }
        self.leaseLimit = leaseLimit
        base = try RedisConnectionStrategy(
            configuration: configuration,
            eventLoopGroup: eventLoopGroup,
            credentials: credentials
        )
    }

    /// Creates a strategy for the server that a URL describes. See ``RedisConfiguration/init(url:)``.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` with a message that names the part;
    ///   ``RedisError/Code/invalidConfiguration``.
    public convenience init(
        url: String,
        leaseLimit: Int = 64,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        credentials: (@Sendable () async throws -> RedisCredentials)? = nil
    ) throws {
        try self.init(
            configuration: RedisConfiguration(url: url),
            leaseLimit: leaseLimit,
            eventLoopGroup: eventLoopGroup,
            credentials: credentials
        )
    }

    /// The settings of the connections.
    public var configuration: RedisConfiguration { base.configuration }

    /// Connects, encrypts, authenticates, selects the database and sets the client name, as configured.
    ///
    /// - Throws: As ``RedisConnectionStrategy/makeConnection()``.
    public func makeConnection() async throws -> SharedRedisConnection {
        let (opened, expiry) = try await base.open()
        return SharedRedisConnection(opened, configuration: configuration, credentialsExpiry: expiry)
    }

    /// Whether the connection is closed, or the server has said that it is the wrong one. Reads flags only.
    public func connectionIsClosed(_ connection: SharedRedisConnection) -> Bool { !connection.isUsable }

    public func leaseLimit(of connection: SharedRedisConnection) -> Int { leaseLimit }

    /// Closes the connection and waits until it is closed, for at most 5 seconds.
    ///
    /// - Throws: ``RedisError/Code/closeTimedOut``, which only happens if the event loop is blocked.
    public func closeConnection(_ connection: SharedRedisConnection) async throws {
        try await connection.close()
    }

    /// Sends a `PING`, as ``RedisConnectionStrategy/validateConnection(_:)`` does.
    public func validateConnection(_ connection: SharedRedisConnection) async throws -> Bool {
        do {
            return try await connection.send("PING").string == "PONG"
        } catch let error as RedisError where error.code == .serverError {
            return !error.isFromUnsuitableServer && !error.isFromUnauthenticatedSession
        }
    }

    /// As ``RedisConnectionStrategy/connectErrorIsPermanent(_:)``.
    public func connectErrorIsPermanent(_ error: any Error) -> Bool { base.connectErrorIsPermanent(error) }

    /// The time until the credentials of the connection expire; `nil` if they do not.
    public func connectionLifetime(_ connection: SharedRedisConnection) -> Duration? { connection.remainingLifetime }

    /// Calls a closure once, when the connection closes for any reason.
    public func notifyWhenClosed(
        _ connection: SharedRedisConnection,
        _ connectionDidClose: @escaping @Sendable () -> Void
    ) {
        connection.whenClosed(connectionDidClose)
    }

    /// As ``RedisConnectionStrategy/connectionVerdict(after:)``.
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        base.connectionVerdict(after: error)
    }

    /// A closure that closes the connection, so that commands in progress fail with
    /// ``RedisError/Code/connectionClosed``.
    public func abortHandle(for connection: SharedRedisConnection) -> (@Sendable () -> Void)? {
        { connection.abort() }
    }
}
