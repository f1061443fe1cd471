// SPDX-License-Identifier: Apache-2.0

// What a shared pool says about itself while it is running.

extension SharedConnectionPool {
    // MARK: Health

    /// What the pool has seen of its server and of its load. Answers at once and does nothing to the connections.
    ///
    /// As ``ConnectionPool/health``: a pool whose leases are all in use is healthy as long as leases end.
    /// O(connections + leases + greatest number of waiters at a time).
    public var health: ConnectionPoolHealth { engine.health }

    /// Finds out whether the pool can serve callers, for a readiness probe.
    ///
    /// As ``ConnectionPool/checkHealth(timeout:)``, with one difference: the check validates a connection
    /// (``SharedConnectionStrategy/validateConnection(_:)``) while other callers use it, with a lease like theirs. If the
    /// validation fails, no more leases of that connection begin.
    ///
    /// - Parameter timeout: How long the check may take. Choose more than a lease usually lasts. Default: 2 seconds. Cancelling
    ///   the task ends the check.
    public func checkHealth(timeout: Duration = .seconds(2)) async -> ConnectionPoolHealth {
        await engine.checkHealth(timeout: timeout)
    }

    /// Returns when ``checkHealth(timeout:)`` finds the pool healthy, as ``ConnectionPool/waitUntilHealthy(timeout:)``.
    ///
    /// - Parameter timeout: How long to try; `nil` for as long as it takes.
    /// - Throws: The latest error when the time has passed; at once, an error that the strategy calls permanent,
    ///   `.poolShutDown`, and `CancellationError`.
    public func waitUntilHealthy(timeout: Duration? = .seconds(30)) async throws {
        try await engine.waitUntilHealthy(timeout: timeout)
    }

    // MARK: Who holds the leases

    /// The leases that callers hold, the oldest first.
    ///
    /// Places in the source and ages need ``ConnectionPoolConfiguration/tracksLeases``. Names of tasks are not recorded.
    /// O(leases).
    public var leases: [ConnectionLeaseDescription] { engine.leases }

    /// The callers that wait, the one that has waited for the longest time first.
    ///
    /// Places in the source need ``ConnectionPoolConfiguration/tracksLeases``. O(greatest number of waiters at a time).
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
}

extension SharedConnectionPool: CustomStringConvertible {
    /// The description of the ``snapshot``.
    public var description: String { snapshot.description }
}
