/// A pool of connections that grows up to a soft limit, bursts up to a hard one, and takes no locks.
///
/// ```swift
/// let pool = try ConnectionPool(strategy: MyStrategy(), maxSize: 15, burstLimit: 40)
/// let answer = try await pool.withConnection { connection in
///     try await connection.ask("What is the time?")
/// }
/// await pool.shutdown()
/// ```
///
/// A caller gets an idle connection at once, without suspending. If none is idle and there are fewer than the hard limit,
/// one is opened; else the caller waits, first come first served. Nobody overtakes a waiter.
///
/// All methods may be called from any task and at the same time. A pool that is dropped without ``shutdown(drainFor:)``
/// closes its idle connections in the background.
public final class ConnectionPool<Strategy: ConnectionStrategy>: Sendable {
    @usableFromInline let engine: _PoolEngine<Strategy, _ConcurrencyKitCore>

    /// Makes a pool without connections; they are opened as they are needed.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool keeps it.
    ///   - maxSize: The soft limit: how many connections the pool keeps. At least 1.
    ///   - burstLimit: The hard limit, at least `maxSize`; `nil`: the soft limit is hard.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``.
    public convenience init(strategy: Strategy, maxSize: Int, burstLimit: Int? = nil) throws {
        try self.init(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        )
    }

    /// Makes a pool without connections; they are opened as they are needed.
    ///
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``, naming the values.
    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws {
        engine = try _PoolEngine(strategy: strategy, configuration: configuration)
    }

    deinit {
        engine.beginShutdown()
    }

    /// Lends a connection to a body, for as long as the body runs, waiting for one as long as the configuration says.
    ///
    /// See ``withConnection(timeout:fileID:line:_:)-2x8j3``.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: engine.acquireTimeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body, for as long as the body runs.
    ///
    /// With an idle connection at hand it neither suspends nor allocates, also from within an actor.
    ///
    /// - Parameters:
    ///   - timeout: For how long to wait at the most if no connection is idle; `nil`: for ever. Zero and less: not at all.
    ///   - fileID: Where the lease is taken, for ``ConnectionPoolEvent/leaseOverdue(_:age:)``.
    ///   - line: The same.
    ///   - body: Uses the connection. Whether it returns or throws, the connection goes back to the pool.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws. Before the body: what ``ConnectionStrategy/makeConnection()`` threw on this caller's
    ///   behalf; `CancellationError` if the task was cancelled while it waited; ``ConnectionPoolError`` with
    ///   `.acquireTimedOut`, `.poolShutDown`, `.tooManyWaiters`, `.overloaded`, `.connectTimedOut`, `.circuitOpen`,
    ///   `.nestedAcquire` or `.outOfMemory`. After the body: what
    ///   ``ConnectionStrategy/closeConnection(_:)`` threw, if a excess connection was closed on return.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body that does not suspend. See ``withConnection(timeout:fileID:line:_:)-2x8j3``.
    ///
    /// The compiler chooses this one for bodies without `await`. It saves the check of the executor that Swift makes
    /// around each call of an asynchronous closure.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: engine.acquireTimeout, fileID: fileID, line: line, body)
    }

    /// Lends a connection to a body that does not suspend. See ``withConnection(timeout:fileID:line:_:)-2x8j3``.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Leases a connection, waiting for one as long as the configuration says. See ``acquire(timeout:fileID:line:)``.
    @inlinable @inline(__always)
    public func acquire(fileID: StaticString = #fileID, line: Int = #line) async throws -> ConnectionLease<Strategy> {
        let lease = try await engine.acquire(timeout: engine.acquireTimeout, fileID: fileID, line: line)
        return ConnectionLease(engine, lease)
    }

    /// Leases a connection, until the lease is released or goes out of scope.
    ///
    /// - Parameters:
    ///   - timeout: For how long to wait at the most if no connection is idle; `nil`: for ever. Zero and less: not at all.
    ///   - fileID: Where the lease is taken, for ``ConnectionPoolEvent/leaseOverdue(_:age:)``.
    ///   - line: The same.
    /// - Throws: As ``withConnection(timeout:fileID:line:_:)-2x8j3`` does before its body.
    @inlinable @inline(__always)
    public func acquire(
        timeout: Duration?,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> ConnectionLease<Strategy> {
        ConnectionLease(engine, try await engine.acquire(timeout: timeout, fileID: fileID, line: line))
    }

    /// Leases a connection if one is idle and nobody waits for it. Never suspends, and never opens a connection.
    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> ConnectionLease<Strategy>? {
        guard let lease = engine.tryAcquire(fileID: fileID, line: line) else { return nil }
        return ConnectionLease(engine, lease)
    }

    /// Changes the limits, at any time.
    ///
    /// Callers that wait get the permits that this makes free. Idle connections that are excess under the new limits are
    /// closed in the background, and leased ones as they come back.
    ///
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, or `.poolShutDown`. Nothing has changed then.
    public func resize(maxSize: Int, burstLimit: Int? = nil) throws {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    /// How many connections there are and what they are doing. O(connections): made for monitoring, not for each request.
    public var statistics: ConnectionPoolStatistics { engine.statistics }

    /// Shuts the pool down, for good.
    ///
    /// No connection is handed out any more, and callers that wait get `.poolShutDown`. Idle connections are closed at once,
    /// leased ones as they come back. May be called from any task, and again: each call waits for itself.
    ///
    /// - Parameter drainFor: For how long to wait for the connections to be gone; `nil`: until they are. Connections that
    ///   are out when the time is up are closed when they come back all the same. Cancelling the task ends the wait too.
    public func shutdown(drainFor: Duration? = nil) async {
        await engine.shutdown(drainFor: drainFor)
    }
}
