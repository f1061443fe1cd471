// SPDX-License-Identifier: Apache-2.0

/// A strategy that consists of closures, for connections that need nothing more.
///
/// You rarely create one yourself: the initializers of ``ConnectionPool`` that take closures do. Its name is needed where the
/// type of such a pool is written down:
///
/// ```swift
/// let pool: ConnectionPool<ClosureConnectionStrategy<MyConnection>>
/// ```
///
/// Write a class that conforms to ``ConnectionStrategy`` if the pool must also know a connection's lifetime, which errors of
/// connecting are permanent, when a connection closes by itself, or how to abort it.
public final class ClosureConnectionStrategy<Connection>: ConnectionStrategy {
    @usableFromInline let open: @Sendable () async throws -> sending Connection
    @usableFromInline let isClosed: @Sendable (Connection) throws -> Bool
    @usableFromInline let close: @Sendable (sending Connection) async throws -> Void
    @usableFromInline let validate: (@Sendable (inout Connection) async throws -> Bool)?
    @usableFromInline let reset: (@Sendable (inout Connection) async throws -> Void)?
    @usableFromInline let verdict: (@Sendable (any Error) -> ConnectionVerdict)?

    /// Creates a strategy. The closures are called as the methods of ``ConnectionStrategy`` are.
    ///
    /// - Parameters:
    ///   - open: Opens a connection. See ``ConnectionStrategy/makeConnection()``.
    ///   - isClosed: Returns whether a connection can no longer be used. It must not block or talk to the server. See
    ///     ``ConnectionStrategy/connectionIsClosed(_:)``.
    ///   - close: Closes a connection. See ``ConnectionStrategy/closeConnection(_:)``.
    ///   - validate: Returns whether a connection works, by talking to the server. Default: every connection does. See
    ///     ``ConnectionStrategy/validateConnection(_:)``.
    ///   - reset: Makes a connection ready for the next caller. Default: nothing has to be done. See
    ///     ``ConnectionStrategy/resetConnection(_:)``.
    ///   - verdict: Returns what an error of a body means for the connection. Default: the connection is kept. See
    ///     ``ConnectionStrategy/connectionVerdict(after:)``.
    public init(
        open: @escaping @Sendable () async throws -> sending Connection,
        isClosed: @escaping @Sendable (Connection) throws -> Bool,
        close: @escaping @Sendable (sending Connection) async throws -> Void,
        validate: (@Sendable (inout Connection) async throws -> Bool)? = nil,
        reset: (@Sendable (inout Connection) async throws -> Void)? = nil,
        verdict: (@Sendable (any Error) -> ConnectionVerdict)? = nil
    ) {
        self.open = open
        self.isClosed = isClosed
        self.close = close
        self.validate = validate
        self.reset = reset
        self.verdict = verdict
    }

    public func makeConnection() async throws -> sending Connection {
        try await open()
    }

    // The only method that is called for each lease.
    @inlinable @inline(__always)
    public func connectionIsClosed(_ connection: Connection) throws -> Bool {
        try isClosed(connection)
    }

    public func closeConnection(_ connection: sending Connection) async throws {
        try await close(connection)
    }

    public func validateConnection(_ connection: inout Connection) async throws -> Bool {
        guard let validate else { return true }
        return try await validate(&connection)
    }

    public func resetConnection(_ connection: inout Connection) async throws {
        try await reset?(&connection)
    }

    public func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        verdict?(error) ?? .keep
    }
}

extension ConnectionPool {
    /// Creates a pool whose strategy consists of closures.
    ///
    /// ```swift
    /// let pool = try ConnectionPool(
    ///     maxSize: 8,
    ///     open: { try await Client.connect(to: "db.internal") },
    ///     isClosed: { $0.isClosed },
    ///     close: { try await $0.close() }
    /// )
    /// ```
    ///
    /// The pool behaves like one that is created with ``init(strategy:maxSize:burstLimit:)``. Most servers want
    /// ``init(configuration:open:isClosed:close:validate:reset:verdict:)`` with a recommended configuration instead.
    ///
    /// - Parameters:
    ///   - maxSize: The soft limit: how many connections the pool keeps. At least 1.
    ///   - burstLimit: The hard limit, at least `maxSize`. Default: `nil`, the soft limit is hard.
    ///   - open: Opens a connection.
    ///   - isClosed: Returns whether a connection can no longer be used. It must not block or talk to the server.
    ///   - close: Closes a connection.
    /// - Throws: As ``init(strategy:configuration:)``.
    public convenience init<Connection>(
        maxSize: Int,
        burstLimit: Int? = nil,
        open: @escaping @Sendable () async throws -> sending Connection,
        isClosed: @escaping @Sendable (Connection) throws -> Bool,
        close: @escaping @Sendable (sending Connection) async throws -> Void
    ) throws(ConnectionPoolError) where Strategy == ClosureConnectionStrategy<Connection> {
        try self.init(
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit),
            open: open,
            isClosed: isClosed,
            close: close
        )
    }

    /// Creates a pool whose strategy consists of closures, with a configuration.
    ///
    /// - Parameters:
    ///   - configuration: The limits and the behaviour of the pool.
    ///   - open: Opens a connection.
    ///   - isClosed: Returns whether a connection can no longer be used. It must not block or talk to the server.
    ///   - close: Closes a connection.
    ///   - validate: Returns whether a connection works, by talking to the server. Default: every connection does. A
    ///     configuration with `validateAfterIdle` or `keepaliveInterval`, such as the recommended one, calls it.
    ///   - reset: Makes a connection ready for the next caller, if the configuration has `resetsConnections`. Default:
    ///     nothing has to be done.
    ///   - verdict: Returns what an error of a body means for the connection. Default: the connection is kept.
    /// - Throws: As ``init(strategy:configuration:)``.
    public convenience init<Connection>(
        configuration: ConnectionPoolConfiguration,
        open: @escaping @Sendable () async throws -> sending Connection,
        isClosed: @escaping @Sendable (Connection) throws -> Bool,
        close: @escaping @Sendable (sending Connection) async throws -> Void,
        validate: (@Sendable (inout Connection) async throws -> Bool)? = nil,
        reset: (@Sendable (inout Connection) async throws -> Void)? = nil,
        verdict: (@Sendable (any Error) -> ConnectionVerdict)? = nil
    ) throws(ConnectionPoolError) where Strategy == ClosureConnectionStrategy<Connection> {
        try self.init(
            strategy: ClosureConnectionStrategy(
                open: open,
                isClosed: isClosed,
                close: close,
                validate: validate,
                reset: reset,
                verdict: verdict
            ),
            configuration: configuration
        )
    }
}
