// SPDX-License-Identifier: Apache-2.0

/// A lock-free pool of connections that several callers use at the same time, for protocols that multiplex.
///
/// ```swift
/// let pool = try SharedConnectionPool(strategy: MyStrategy(), configuration: .recommended(maxSize: 4, burstLimit: 8))
/// let answer = try await pool.withConnection { connection in
///     try await connection.ask("What is the time?")
/// }
/// await pool.shutdown()
/// ```
///
/// Each connection has a limit of simultaneous leases, which the strategy tells and may change
/// (``SharedConnectionStrategy/leaseLimit(of:)``). A caller gets an idle lease at once, without suspending. If none is idle, the
/// pool opens another connection, up to the hard limit. Otherwise the caller waits, first come, first served. No caller
/// overtakes a waiter.
///
/// ``ConnectionPoolConfiguration/maxSize``, ``ConnectionPoolConfiguration/burstLimit`` and
/// ``ConnectionPoolConfiguration/minimumIdle`` count connections, not leases.
///
/// **Which connection a lease is of.** A ``SharedLeasePolicy`` says so. With the default, the pool opens or takes a connection only if all leases of the others are in use, and the
/// lease that was released last is acquired next. While the pool has more than `maxSize` connections and nobody waits, it winds
/// down the connection with the fewest leases as soon as the leases in use fit into the others: no new lease of it begins, and it
/// is closed when the last one has ended. With a setting that depends on idle connections, such as
/// ``ConnectionPoolConfiguration/idleTimeout``, it does the same from time to time with connections that are not needed, so that
/// they become idle. A caller that would have to wait makes the pool use a connection again that is winding down.
///
/// **Idle connections.** A connection without leases counts as idle at most 1/16 of the shortest time limit after its last lease
/// has ended. So ``ConnectionPoolConfiguration/idleTimeout`` and the like are enforced up to 20 % late.
///
/// All methods may be called from any task and at the same time. A pool that is dropped without ``shutdown(drainFor:)`` closes
/// its connections in the background when their leases have ended.
public final class SharedConnectionPool<Strategy: SharedConnectionStrategy>: Sendable {
    @usableFromInline let engine: SharedPoolEngine<Strategy, _ConcurrencyKitCore>

    /// Creates a pool without time limits except those that ``ConnectionPoolConfiguration/init(maxSize:burstLimit:)`` has. Most
    /// servers want ``ConnectionPoolConfiguration/recommended(maxSize:burstLimit:)`` instead.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool retains it.
    ///   - maxSize: The soft limit: how many connections the pool keeps. At least 1.
    ///   - burstLimit: The hard limit, at least `maxSize`; `nil` if it is the same as `maxSize`.
    ///   - leasePolicy: Which connection serves a caller. Default: ``SharedLeasePolicy/warmFirst``.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration`` or
    ///   ``ConnectionPoolError/Code/outOfMemory``.
    public convenience init(
        strategy: Strategy,
        maxSize: Int,
        burstLimit: Int? = nil,
        leasePolicy: SharedLeasePolicy = .warmFirst
    ) throws(ConnectionPoolError) {
        try self.init(
            strategy: strategy,
            configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit),
            leasePolicy: leasePolicy
        )
    }

    /// Creates a pool. It has no connections at first, and opens ``ConnectionPoolConfiguration/minimumIdle`` at once.
    ///
    /// - Parameters:
    ///   - strategy: Opens, checks and closes connections. The pool retains it.
    ///   - configuration: The limits, which count connections, and all other settings.
    ///   - leasePolicy: Which connection serves a caller. Default: ``SharedLeasePolicy/warmFirst``.
    /// - Throws: ``ConnectionPoolError`` with ``ConnectionPoolError/Code/invalidConfiguration``, which names the settings and
    ///   their values, or ``ConnectionPoolError/Code/outOfMemory``. ``ConnectionPoolConfiguration/resetsConnections`` and
    ///   ``ConnectionPoolConfiguration/detectsNestedAcquires`` are not possible in a shared pool.
    public init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        leasePolicy: SharedLeasePolicy = .warmFirst
    ) throws(ConnectionPoolError) {
        engine = try SharedPoolEngine(strategy: strategy, configuration: configuration, policy: leasePolicy)
    }

    deinit {
        engine.abandon()
    }

    // MARK: Acquiring

    /// Acquires a lease of a connection, runs a body with the connection, and releases the lease.
    ///
    /// If a lease is idle, the call neither suspends nor allocates before it runs the body.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait if no lease is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    ///   - body: Uses the connection, at the same time as other callers. Whether it returns or throws, the lease ends.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    ///
    ///   Before the body: the error of a ``SharedConnectionStrategy/makeConnection()`` that the pool called because callers
    ///   waited; `CancellationError` if the task is cancelled while it waits; ``ConnectionPoolError`` with `.acquireTimedOut`,
    ///   `.poolShutDown`, `.tooManyWaiters`, `.overloaded`, `.connectTimedOut`, `.circuitOpen`, `.noLeases` or `.outOfMemory`.
    ///
    ///   After the body: the error of ``SharedConnectionStrategy/closeConnection(_:)``, if the release led to the close of an
    ///   excess connection and ``ConnectionPoolConfiguration/closeErrors`` is
    ///   ``ConnectionPoolConfiguration/CloseErrors/thrown``.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Acquires a lease of a connection, runs a body that does not suspend, and releases the lease.
    ///
    /// The compiler chooses this overload for bodies without `await`.
    @inlinable @inline(__always)
    public func withConnection<Result>(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line,
        _ body: (Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        try await engine.withConnection(timeout: timeout, fileID: fileID, line: line, body)
    }

    /// Acquires a lease of a connection until the lease is released or goes out of scope.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait if no lease is idle. Default: ``ConnectionPoolConfiguration/acquireTimeout``.
    ///   - fileID: The place of the call, for reports of leaks. Leave out.
    ///   - line: The place of the call, for reports of leaks. Leave out.
    /// - Throws: As `withConnection` does before its body.
    @inlinable @inline(__always)
    public func acquire(
        timeout: AcquireTimeout = .configured,
        fileID: StaticString = #fileID,
        line: Int = #line
    ) async throws -> SharedConnectionLease<Strategy> {
        let lease = try await engine.acquire(timeout: timeout, _LeaseSite(fileID, line, isScoped: false))
        return SharedConnectionLease(engine, lease)
    }

    /// Acquires a lease if one is idle and no caller waits. This never suspends and never opens a connection.
    ///
    /// The connection is not validated, however long it has been idle.
    @inlinable
    public func tryAcquire(fileID: StaticString = #fileID, line: Int = #line) -> SharedConnectionLease<Strategy>? {
        guard let lease = engine.tryAcquire(_LeaseSite(fileID, line, isScoped: false)) else { return nil }
        return SharedConnectionLease(engine, lease)
    }

    // MARK: State

    /// The numbers of connections, leases and waiters. This takes O(connections + leases) and is meant for monitoring.
    public var statistics: ConnectionPoolStatistics { engine.statistics }

    /// The configuration, with the limits that apply now, after any `resize`.
    public var configuration: ConnectionPoolConfiguration { engine.configuration }

    // MARK: The end

    /// Shuts the pool down for good.
    ///
    /// No lease is handed out any more, and waiters get `.poolShutDown`. Connections without leases in use are closed at once,
    /// and the others when their last lease has ended. Idempotent. Each call applies its own `drainFor`.
    ///
    /// Call this outside of the bodies of `withConnection`. Inside a body it does not wait for the connections that the bodies of
    /// the calling task use, reports ``ConnectionPoolEvent/shutdownInsideBody(connections:)``, and says so in the result.
    ///
    /// - Parameter drainFor: How long to wait until all connections are closed; `nil` for as long as that takes. Cancelling the
    ///   task ends the wait.
    /// - Returns: Whether connections are left.
    @discardableResult
    public func shutdown(drainFor: Duration? = nil) async -> ConnectionPoolShutdownResult {
        await engine.shutdown(drainFor: drainFor)
    }

    /// Shuts the pool down at once.
    ///
    /// This is like ``shutdown(drainFor:)``, with two differences: attempts to open a connection are cancelled, and connections
    /// in use are aborted if the strategy can do that (``SharedConnectionStrategy/abortHandle(for:)``). Idempotent.
    ///
    /// - Parameter timeout: How long to wait until all connections are closed; `nil` for as long as that takes.
    /// - Returns: Whether connections are left.
    @discardableResult
    public func abort(timeout: Duration? = .seconds(5)) async -> ConnectionPoolShutdownResult {
        await engine.abort(timeout: timeout)
    }
}
