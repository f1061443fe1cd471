// SPDX-License-Identifier: Apache-2.0

/// A lock-free pool of connections with a soft limit, and a hard limit for bursts.
///
/// ```swift
/// let pool = try ConnectionPool(strategy: MyStrategy(), configuration: .recommended(maxSize: 15, burstLimit: 40))
/// let answer = try await pool.withConnection { connection in
///     try await connection.ask("What is the time?")
/// }
/// await pool.shutdown()
/// ```
///
/// A caller gets an idle connection at once, without suspending. If none is idle and there are fewer connections than the
/// hard limit, the pool opens one. Otherwise the caller waits, first come, first served: a released connection goes to the
/// caller that has waited for longest, and no later caller takes it first.
///
/// All methods may be called from any task and at the same time. A pool that is dropped without ``shutdown(drainFor:)``
/// closes its idle connections in the background.
public final class ConnectionPool<Strategy: ConnectionStrategy>: Sendable {
    @usableFromInline let engine: _PoolEngine<Strategy, _ConcurrencyKitCore>

    /// Creates a pool that behaves like the Python package `asyncio-connection-pool`. Most servers want
    /// ``ConnectionPoolConfiguration/recommended(maxSize:burstLimit:)`` instead.
    ///
    /// The pool has no connections at first and opens them as they are needed.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool retains it.
    ///   - maxSize: The soft limit: how many connections the pool keeps. At least 1.
    ///   - burstLimit: The hard limit, at least `maxSize`; `nil` if it is the same as `maxSize`.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration`` or
    ///   ``ConnectionPoolError/Code/outOfMemory``.
    public convenience init(strategy: Strategy, maxSize: Int, burstLimit: Int? = nil) throws(ConnectionPoolError) {
        try self.init(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        )
    }

    /// Creates a pool. It has no connections at first, and opens ``ConnectionPoolConfiguration/minimumIdle`` at once.
    ///
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``, which names the settings
    ///   and their values, or ``ConnectionPoolError/Code/outOfMemory``.
    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws(ConnectionPoolError) {
        engine = try _PoolEngine(strategy: strategy, configuration: configuration)
    }

    deinit {
        engine.abandon()
    }

    // MARK: Acquiring

    /// Acquires a connection, runs a body with it, and releases it.
    ///
    /// If a connection is idle, the call neither suspends nor allocates before it runs the body. This is also true inside an
    /// actor.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait if no connection is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    ///   - body: Uses the connection. Whether it returns or throws, the connection is released.
    /// - Returns: What the body returns. Do not return the connection itself or anything that reads from it later, such as a
    ///   sequence of rows: the next caller has the connection then.
    /// - Throws: What the body throws.
    ///
    ///   Before the body: the error of a ``ConnectionStrategy/makeConnection()`` that the pool called on this caller's behalf;
    ///   `CancellationError` if the task is cancelled while it waits; ``ConnectionPoolError`` with `.acquireTimedOut`,
    ///   `.poolShutDown`, `.tooManyWaiters`, `.overloaded`, `.connectTimedOut`, `.circuitOpen`, `.nestedAcquire` or
    ///   `.outOfMemory`.
    ///
    ///   After the body: the error of ``ConnectionStrategy/closeConnection(_:)``, if the release led to the close of an
    ///   excess connection and ``ConnectionPoolConfiguration/closeErrors`` is
    ///   ``ConnectionPoolConfiguration/CloseErrors/thrown``.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Acquires a connection, runs a body that does not suspend, and releases the connection.
    ///
    /// The compiler chooses this overload for bodies without `await`. It avoids the executor check that Swift makes around each
    /// call of an asynchronous closure.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Acquires a connection and runs a body that can also discard or detach it.
    ///
    /// In all other respects it behaves like the overload whose body has one argument.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait if no connection is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    ///   - body: Uses the connection. Its second argument discards or detaches the connection.
    @inlinable
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (inout sending Strategy.Connection, borrowing ConnectionLeaseControl<Strategy>) async throws ->
            sending Result
    ) async throws -> sending Result {
        let lease = try await engine.acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: true))
        engine.header(of: lease).pointee.holder.note()
        let result: Result
        do {
            result = try await body(&engine.connection(of: lease).pointee, ConnectionLeaseControl(engine, lease))
        } catch {
            engine.header(of: lease).pointee.holder.clear()
            await engine.release(lease, after: error)
            throw error
        }
        engine.header(of: lease).pointee.holder.clear()
        try await engine.releaseAfterBody(lease)
        return result
    }

    /// Acquires a connection until the lease is released or goes out of scope.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait if no connection is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    /// - Throws: As `withConnection` does before its body.
    @inlinable @inline(__always)
    public func acquire(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> ConnectionLease<Strategy> {
        let lease = try await engine.acquire(timeout: timeout, fileID: fileID, line: line)
        return ConnectionLease(engine, lease)
    }

    /// Acquires a connection if one is idle and no caller waits. This never suspends and never opens a connection.
    ///
    /// The connection is not validated, however long it has been idle.
    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> ConnectionLease<Strategy>? {
        guard let lease = engine.tryAcquire(fileID: fileID, line: line) else { return nil }
        return ConnectionLease(engine, lease)
    }

    // MARK: State

    /// The numbers of connections and waiters. This takes O(connections) and is meant for monitoring, not for every request.
    public var statistics: ConnectionPoolStatistics { engine.statistics }

    /// The configuration, with the limits that apply now, after any `resize`.
    public var configuration: ConnectionPoolConfiguration { engine.configuration }

    // MARK: The end

    /// Shuts the pool down for good.
    ///
    /// No connection is handed out any more, and waiters get `.poolShutDown`. Idle connections are closed at once, and
    /// connections in use are closed when they are released. Idempotent. Each call applies its own `drainFor`.
    ///
    /// Call this outside of the bodies of `withConnection`. Inside a body it would wait for the connection that the body itself
    /// holds. The pool notices that: it waits only for the other connections, reports
    /// ``ConnectionPoolEvent/shutdownInsideBody(connections:)``, and says so in the result. It cannot notice a call in a child
    /// task of the body, nor one by a task that holds a lease of `acquire()`: such a call waits until `drainFor` has passed.
    ///
    /// - Parameter drainFor: How long to wait until all connections are closed; `nil` for as long as that takes. Connections
    ///   that are in use when the time has passed are still closed when they are released. Cancelling the task ends the wait.
    /// - Returns: Whether connections are left.
    @discardableResult
    public func shutdown(drainFor: Duration? = nil) async -> ConnectionPoolShutdownResult {
        await engine.shutdown(drainFor: drainFor)
    }

    /// Shuts the pool down at once.
    ///
    /// This is like ``shutdown(drainFor:)``, with two differences: attempts to open a connection are cancelled, and connections
    /// in use are aborted if the strategy can do that (``ConnectionStrategy/abortHandle(for:)``). The callers that use an
    /// aborted connection get an error from it. Idempotent. It can also follow a shutdown whose `drainFor` has passed.
    ///
    /// - Parameter timeout: How long to wait until all connections are closed; `nil` for as long as that takes.
    /// - Returns: Whether connections are left.
    @discardableResult
    public func abort(timeout: Duration? = .seconds(5)) async -> ConnectionPoolShutdownResult {
        engine.abort()
        return await engine.shutdown(drainFor: timeout)
    }
}
