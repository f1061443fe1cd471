// SPDX-License-Identifier: Apache-2.0

/// How a ``SharedConnectionPool`` opens, checks and closes connections that several callers use at the same time.
///
/// This is for protocols that multiplex, such as HTTP/2, or Redis with pipelining. Each connection has a limit of simultaneous
/// leases, which may change while the connection is open. One strategy object serves one pool. The pool calls the methods of
/// the strategy from many tasks at the same time.
///
/// The first four methods are required. The others have default implementations.
public protocol SharedConnectionStrategy<Connection>: AnyObject, Sendable {
    /// The kind of connection that the pool holds. Several tasks use one connection at the same time.
    associatedtype Connection: Sendable

    /// Opens a connection, in a task of its own.
    ///
    /// - Throws: The error because of which the connection did not open. It reaches the caller that has waited for the longest
    ///   time, unless ``ConnectionPoolConfiguration/connectRetry`` is set.
    func makeConnection() async throws -> Connection

    /// Returns whether a connection can no longer be used.
    ///
    /// The pool calls this method every time before it hands out a lease of a connection that was open already. The method must
    /// return quickly and must not block: look at a flag, do not talk to the server.
    ///
    /// - Returns: `true` if the connection can no longer be used. The pool then hands out no more leases of it, and closes it
    ///   when its leases have ended.
    /// - Throws: An error counts as `true`. The caller does not see it, unless it is a `CancellationError`.
    func connectionIsClosed(_ connection: Connection) throws -> Bool

    /// Closes a connection that the pool no longer needs. No lease of it is left.
    ///
    /// - Throws: An error reaches the caller of `withConnection` whose release led to the close, unless
    ///   ``ConnectionPoolConfiguration/closeErrors`` says that errors are reported to the observer.
    func closeConnection(_ connection: Connection) async throws

    /// Returns how many leases of a connection there may be at the same time. The pool uses at most 1,024.
    ///
    /// The limit may change while the connection is open, as with the `SETTINGS` of HTTP/2. The pool asks every time before it
    /// hands out a lease, and before a caller begins to wait, so the method must be as quick as
    /// ``connectionIsClosed(_:)``. To make a change effective at once, also for callers that are waiting already, report it:
    /// see ``notifyWhenLeaseLimitChanges(_:_:)``.
    ///
    /// - Returns: The limit. If it is less than the present number of leases, these continue, and no new one begins until the
    ///   number is below the limit. 0 or less means: finish what is running, then close, as `GOAWAY` of HTTP/2 asks. A
    ///   connection whose limit was 0 once is closed, even if the limit rises again. If the limit is 0 when the connection
    ///   opens, the attempt has failed.
    func leaseLimit(of connection: Connection) -> Int

    // MARK: Optional

    /// Tells the strategy how to report that the limit of a connection has changed. The default does nothing.
    ///
    /// The pool calls this method once, when the connection has opened. The strategy calls `leaseLimitDidChange` whenever
    /// ``leaseLimit(of:)`` returns something else than before, from any thread. A call after the connection was closed has no
    /// effect.
    func notifyWhenLeaseLimitChanges(
        _ connection: Connection,
        _ leaseLimitDidChange: @escaping @Sendable () -> Void
    )

    /// Tells the strategy how to report that a connection has closed by itself. The default does nothing. See
    /// ``ConnectionStrategy/notifyWhenClosed(_:_:)``.
    func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void)

    /// Makes a connection that has just opened ready for use. The default does nothing.
    ///
    /// - Throws: If this throws, the pool closes the connection and treats the attempt as failed.
    func prepareConnection(_ connection: Connection) async throws

    /// Returns whether a connection that was not used for a while still works. The default returns `true`.
    ///
    /// No lease of the connection exists during the call. The pool calls this method once for the connection, not once for each
    /// lease: see ``ConnectionPoolConfiguration/validateAfterIdle`` and ``ConnectionPoolConfiguration/keepaliveInterval``.
    func validateConnection(_ connection: Connection) async throws -> Bool

    /// Returns whether another attempt is pointless after ``makeConnection()`` threw this error. The default returns `false`.
    func connectErrorIsPermanent(_ error: any Error) -> Bool

    /// Returns how long a connection may stay open, or `nil` if only the pool's configuration limits that. The default
    /// returns `nil`.
    func connectionLifetime(_ connection: Connection) -> Duration?

    /// Returns what to do with a connection after the body of `withConnection` threw an error. The default returns
    /// ``ConnectionVerdict/keep``. Other leases of a connection that is discarded continue, and the connection is closed when
    /// they have ended.
    func connectionVerdict(after error: any Error) -> ConnectionVerdict

    /// Returns a closure that aborts everything the connection is doing, so that its users get an error at once. The default
    /// returns `nil`. See ``SharedConnectionPool/abort(timeout:)``.
    func abortHandle(for connection: Connection) -> (@Sendable () -> Void)?
}

extension SharedConnectionStrategy {
    public func notifyWhenLeaseLimitChanges(
        _ connection: Connection,
        _ leaseLimitDidChange: @escaping @Sendable () -> Void
    ) {}
    public func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {}
    public func prepareConnection(_ connection: Connection) async throws {}
    public func validateConnection(_ connection: Connection) async throws -> Bool { true }
    public func connectErrorIsPermanent(_ error: any Error) -> Bool { false }
    public func connectionLifetime(_ connection: Connection) -> Duration? { nil }
    public func connectionVerdict(after error: any Error) -> ConnectionVerdict { .keep }
    public func abortHandle(for connection: Connection) -> (@Sendable () -> Void)? { nil }
}
