/// How a pool opens, checks and closes the connections it keeps.
///
/// The pool knows nothing of what a connection is: all that depends on it is here. One strategy object serves one pool,
/// and the pool calls it from many tasks at once.
public protocol ConnectionStrategy<Connection>: AnyObject, Sendable {
    /// What the pool keeps. It need not be `Sendable`: the pool guarantees that one party at a time touches it.
    associatedtype Connection

    /// Opens a connection.
    ///
    /// Called when a caller wants a connection, none is idle, and the pool may still grow. The pool runs it in a task
    /// of its own, so that the cancellation of the caller does not waste a connection that is about to open.
    ///
    /// - Throws: Whatever keeps the connection from opening. The error reaches the caller on whose behalf the
    ///   connection was being opened; the place it held is free again at once.
    func makeConnection() async throws -> sending Connection

    /// Tells whether a connection can no longer be used.
    ///
    /// Asked each time before a connection is handed out, but for one that has just opened. So it must be quick and must not
    /// block: look at a flag, do not talk to the peer.
    ///
    /// - Returns: `true` if the connection is of no more use. The pool then closes it and finds another one.
    /// - Throws: An error counts as `true`. It is not shown to the caller, unless it is a `CancellationError`.
    func connectionIsClosed(_ connection: Connection) throws -> Bool

    /// Closes a connection that the pool has no more use for.
    ///
    /// The place of the connection is free again when this returns or throws, whichever it does.
    ///
    /// - Throws: An error reaches the caller of `withConnection` whose return led to the close, unless
    ///   ``ConnectionPoolConfiguration/closeErrors`` says otherwise.
    func closeConnection(_ connection: sending Connection) async throws

    // MARK: Optional

    /// Makes a connection that has just opened ready for use. Default: nothing to do.
    ///
    /// - Throws: Counts as not having opened, after ``closeConnection(_:)``.
    func prepareConnection(_ connection: inout Connection) async throws

    /// Makes a connection that has come back ready for the next caller. Only called if
    /// ``ConnectionPoolConfiguration/resetsConnections``. Default: nothing to do.
    ///
    /// It has no time limit: one that never returns keeps its connection's place. Give what it does a timeout.
    ///
    /// - Throws: The connection is closed. The error is nobody's.
    func resetConnection(_ connection: inout Connection) async throws

    /// Tells whether a connection works, by talking to the peer. Only called if
    /// ``ConnectionPoolConfiguration/validateAfterIdle`` or ``ConnectionPoolConfiguration/keepaliveInterval`` is set, and by
    /// ``ConnectionPool/waitUntilHealthy(timeout:)``. Default: `true`.
    ///
    /// The pool cancels it when it takes longer than ``ConnectionPoolConfiguration/validationTimeout``.
    ///
    /// - Throws: Counts as `false`.
    func validateConnection(_ connection: inout Connection) async throws -> Bool

    /// Tells whether there is no point in trying again after ``makeConnection()`` threw this error, such as a refused
    /// password. Only asked if ``ConnectionPoolConfiguration/connectRetry`` is set, and by
    /// ``ConnectionPool/waitUntilHealthy(timeout:)``, which may ask about a ``ConnectionPoolError``, too. Default: `false`.
    func connectErrorIsPermanent(_ error: any Error) -> Bool

    /// Tells whether a connection is of no more use after the body of `withConnection` threw this error. Default: `false`.
    func connectionIsBroken(after error: any Error) -> Bool

    /// What aborts all that the connection is doing, at once, so that who uses it gets an error. Asked when it has opened.
    /// Called by ``ConnectionPool/abort(timeout:)``, from any thread, while the connection is in use. Default: `nil`,
    /// nothing does.
    func abortHandle(for connection: Connection) -> (@Sendable () -> Void)?
}

extension ConnectionStrategy {
    public func prepareConnection(_ connection: inout Connection) async throws {}
    public func resetConnection(_ connection: inout Connection) async throws {}
    public func validateConnection(_ connection: inout Connection) async throws -> Bool { true }
    public func connectErrorIsPermanent(_ error: any Error) -> Bool { false }
    public func connectionIsBroken(after error: any Error) -> Bool { false }
    public func abortHandle(for connection: Connection) -> (@Sendable () -> Void)? { nil }
}
