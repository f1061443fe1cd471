// SPDX-License-Identifier: Apache-2.0

/// How a pool opens, checks and closes its connections.
///
/// The pool itself knows nothing about a kind of connection: the strategy does everything that depends on it. One strategy
/// object serves one pool. The pool calls the methods of the strategy from many tasks at the same time.
///
/// The first three methods are required. The others have default implementations and are called only by pools whose
/// configuration asks for them, as each method says.
public protocol ConnectionStrategy<Connection>: AnyObject, Sendable {
    /// The kind of connection that the pool holds. It need not be `Sendable`: the pool guarantees that only one task at a
    /// time uses a connection.
    associatedtype Connection

    /// Opens a connection.
    ///
    /// The pool calls this method when a caller needs a connection, none is idle, and the pool may still grow. The call
    /// runs in a task of its own, so that a caller that is cancelled does not waste a connection that is about to open.
    ///
    /// - Throws: The error because of which the connection did not open. It reaches the caller on whose behalf the connection
    ///   was being opened, unless ``ConnectionPoolConfiguration/connectRetry`` is set. The slot becomes free at once.
    func makeConnection() async throws -> sending Connection

    /// Returns whether a connection can no longer be used.
    ///
    /// The pool calls this method every time before it hands out a connection that was open already. The method must
    /// return quickly and must not block: look at a flag, do not talk to the server.
    ///
    /// - Returns: `true` if the connection can no longer be used. The pool then closes it and finds another one.
    /// - Throws: An error counts as `true`. The caller does not see it, unless it is a `CancellationError`.
    func connectionIsClosed(_ connection: Connection) throws -> Bool

    /// Closes a connection that the pool no longer needs.
    ///
    /// The slot of the connection becomes free when this method returns or throws, or after
    /// ``ConnectionPoolConfiguration/closeTimeout``.
    ///
    /// - Throws: An error reaches the caller of `withConnection` whose release led to the close, unless
    ///   ``ConnectionPoolConfiguration/closeErrors`` says that errors are reported to the observer.
    func closeConnection(_ connection: sending Connection) async throws

    // MARK: Optional: opening

    /// Makes a connection that has just opened ready for use. The default does nothing.
    ///
    /// - Throws: If this throws, the pool closes the connection with ``closeConnection(_:)`` and treats the attempt as failed.
    func prepareConnection(_ connection: inout Connection) async throws

    /// Returns whether another attempt is pointless after ``makeConnection()`` threw this error, for example because the server
    /// refused the password. The default returns `false`.
    ///
    /// The pool calls this method if ``ConnectionPoolConfiguration/connectRetry`` is set. It also calls it in
    /// ``ConnectionPool/waitUntilHealthy(timeout:)``, where the error can also be a ``ConnectionPoolError``.
    func connectErrorIsPermanent(_ error: any Error) -> Bool

    /// Returns how long a connection may stay open, or `nil` if only the pool's configuration limits that. The default
    /// returns `nil`.
    ///
    /// The pool calls this method once, when the connection has opened. Use it for connections that must not outlive
    /// their credentials. The shorter of this duration and ``ConnectionPoolConfiguration/maxLifetime`` applies. Zero or a
    /// negative duration means that the connection has expired already: the attempt to connect has failed.
    func connectionLifetime(_ connection: Connection) -> Duration?

    /// Tells the strategy how to report that a connection has closed by itself. The default does nothing: the pool then
    /// notices that a connection is closed when it next calls ``connectionIsClosed(_:)``.
    ///
    /// The pool calls this method once, when the connection has opened. The strategy calls `connectionDidClose` when the
    /// connection closes, at most once and from any thread. If the connection is idle, the pool then replaces it at once. If it
    /// is in use, the pool closes it when it is released. A call after the pool has closed the connection has no effect. If the
    /// client has a close future, call the closure from there.
    func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void)

    // MARK: Optional: use

    /// Makes a connection that was released ready for the next caller. The default does nothing.
    ///
    /// The pool calls this method if ``ConnectionPoolConfiguration/resetsConnections`` is `true`.
    ///
    /// - Throws: If this throws, the pool closes the connection and discards the error.
    func resetConnection(_ connection: inout Connection) async throws

    /// Returns whether a connection works, which the strategy finds out by talking to the server. The default returns
    /// `true`.
    ///
    /// The pool calls this method if ``ConnectionPoolConfiguration/validateAfterIdle`` or
    /// ``ConnectionPoolConfiguration/keepaliveInterval`` is set, and in ``ConnectionPool/checkHealth(timeout:)`` and
    /// ``ConnectionPool/waitUntilHealthy(timeout:)``. It cancels the call after
    /// ``ConnectionPoolConfiguration/validationTimeout``.
    ///
    /// - Throws: An error counts as `false`.
    func validateConnection(_ connection: inout Connection) async throws -> Bool

    /// Returns what to do with a connection after the body of `withConnection` threw an error. The default returns
    /// ``ConnectionVerdict/keep``.
    func connectionVerdict(after error: any Error) -> ConnectionVerdict

    /// Returns a closure that aborts everything the connection is doing, so that its user gets an error at once. The
    /// default returns `nil`, which means that this strategy cannot abort a connection.
    ///
    /// The pool calls this method once, when the connection has opened. It calls the closure at most once, from any thread: in
    /// ``ConnectionPool/abort(timeout:)`` if the connection is in use, when a validation or a reset exceeds its time limit, and
    /// when a close has taken ``ConnectionPoolConfiguration/closeTimeout``.
    func abortHandle(for connection: Connection) -> (@Sendable () -> Void)?
}

extension ConnectionStrategy {
    public func prepareConnection(_ connection: inout Connection) async throws {}
    public func connectErrorIsPermanent(_ error: any Error) -> Bool { false }
    public func connectionLifetime(_ connection: Connection) -> Duration? { nil }
    public func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {}
    public func resetConnection(_ connection: inout Connection) async throws {}
    public func validateConnection(_ connection: inout Connection) async throws -> Bool { true }
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict { .keep }
    public func abortHandle(for connection: Connection) -> (@Sendable () -> Void)? { nil }
}
