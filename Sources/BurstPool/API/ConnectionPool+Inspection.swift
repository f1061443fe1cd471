// SPDX-License-Identifier: Apache-2.0

// What a pool says about itself while it is running.

extension ConnectionPool {
    // MARK: Health

    /// What the pool has seen of its server and of its load. Answers at once and does nothing to the connections.
    ///
    /// O(connections + greatest number of waiters at a time). To find out whether the server works although nobody uses the
    /// pool, call ``checkHealth(timeout:)``.
    public var health: ConnectionPoolHealth { engine.currentHealth }

    /// Finds out whether the pool can serve callers, for a readiness probe.
    ///
    /// The check uses the first of these that it can:
    /// 1. It validates an idle connection (``ConnectionStrategy/validateConnection(_:)``).
    /// 2. It opens a connection, if there is room and none is being opened, and validates it. The pause after a failed attempt
    ///    does not apply, so that a pool that is checked every second recovers within a second of its server. An open circuit
    ///    breaker, and the pause after a permanent error, do apply.
    /// 3. It watches whether the connections of other callers come back. A saturated pool is healthy as long as they do.
    ///
    /// The check never joins the wait queue. A strategy that does not implement `validateConnection` makes the first of
    /// these say nothing, because the default finds every connection valid.
    ///
    /// - Parameter timeout: How long the check may take. Choose more than a connection is usually in use: a pool in which
    ///   callers wait and no connection comes back within this time counts as
    ///   ``ConnectionPoolHealth/Status-swift.enum/unresponsive``. Default: 2 seconds. Cancelling the task ends the check.
    public func checkHealth(timeout: Duration = .seconds(2)) async -> ConnectionPoolHealth {
        await engine.checkHealth(timeout: timeout)
    }

    /// Returns when ``checkHealth(timeout:)`` finds the pool healthy: for the start of a server whose database may still be
    /// starting. Checks are repeated after growing pauses of at most a second.
    ///
    /// - Parameter timeout: How long to try; `nil` for as long as it takes.
    /// - Throws: The latest error when the time has passed; at once, an error that the strategy calls permanent,
    ///   `.poolShutDown`, and `CancellationError`.
    public func waitUntilHealthy(timeout: Duration? = .seconds(30)) async throws {
        try await engine.waitUntilHealthy(timeout: timeout)
    }

    // MARK: Who holds the connections

    /// The connections in use, the one that has been in use for the longest time first.
    ///
    /// Places in the source and names of tasks need ``ConnectionPoolConfiguration/tracksLeases``. O(connections).
    public var leases: [ConnectionLeaseDescription] { engine.leases }

    /// The callers that wait, the one that has waited for the longest time first.
    ///
    /// Places in the source and names of tasks need ``ConnectionPoolConfiguration/tracksLeases``. O(greatest number of waiters
    /// at a time).
    public var waiters: [ConnectionWaiterDescription] { engine.waiters }

    /// The health, the leases and the waiters of the pool, which print as several lines of text.
    public var snapshot: ConnectionPoolSnapshot {
        ConnectionPoolSnapshot(
            poolName: engine.settings.name,
            health: health,
            leases: leases,
            waiters: waiters
        )
    }

    // MARK: Every connection

    /// Runs a body once on every connection that exists when this is called: on idle ones at once, and on those in use when
    /// they are released. For example after a change of the schema, or to authenticate again.
    ///
    /// The body runs in the current task, on one connection after the other, and the pool withholds only that one from its
    /// callers. A connection that closes meanwhile is left out. Connections that open later are new, and are not visited.
    /// Works during a ``pause()``. A shutdown ends it. A second call waits for the first one.
    ///
    /// Do not call this inside a body of `withConnection`: it would wait for the connection that the body holds. Pools that
    /// detect nested acquires leave that connection out, and say so in the result.
    ///
    /// - Parameter body: Uses the connection. If it throws, the pool closes the connection and continues.
    /// - Returns: How many connections were visited, and the errors of the body. Cancelling the task ends the wait for
    ///   connections in use.
    @discardableResult
    public func forEachConnection(
        _ body: (inout sending Strategy.Connection) async throws -> Void
    ) async -> ConnectionVisitResult {
        await engine.forEachConnection(body)
    }
}

extension ConnectionPool: CustomStringConvertible {
    /// The description of the ``snapshot``.
    public var description: String { snapshot.description }
}
