// SPDX-License-Identifier: Apache-2.0

public import BurstPool
public import ServiceLifecycle

/// Runs a pool in a `ServiceGroup`. It opens the first connections or reports why that failed, and it shuts the pool down
/// after all services that use it.
///
/// ```swift
/// let group = ServiceGroup(
///     configuration: .init(
///         services: [.init(service: ConnectionPoolService(pool: pool)), .init(service: server)],
///         gracefulShutdownSignals: [.sigterm],
///         logger: logger
///     )
/// )
/// try await group.run()
/// ```
///
/// A group shuts its services down in reverse order, and each one after the next has ended. So put the pool **before** the
/// services that use it. A server that completes its requests then still receives connections for them.
///
/// The pool can be used before the service runs, and without it. When ``run()`` returns or throws, the pool is shut down.
public struct ConnectionPoolService<Strategy: ConnectionStrategy>: Service {
    /// The pool.
    public let pool: ConnectionPool<Strategy>

    let configuration: ConnectionPoolServiceConfiguration

    public init(
        pool: ConnectionPool<Strategy>,
        configuration: ConnectionPoolServiceConfiguration = ConnectionPoolServiceConfiguration()
    ) {
        self.pool = pool
        self.configuration = configuration
    }

    /// Starts the pool, waits for the graceful shutdown of the group, and shuts the pool down.
    ///
    /// - At a graceful shutdown, the pool hands out no more connections and waits for those in use, for at most
    ///   ``ConnectionPoolServiceConfiguration/drainTimeout``. Then it aborts them. A graceful shutdown during the start ends
    ///   the start.
    /// - When the task is cancelled, the pool aborts all connections immediately.
    ///
    /// - Throws: An error of the strategy or ``ConnectionPoolServiceError`` if the pool could not start. The pool has been shut
    ///   down then.
    public func run() async throws {
        try await PoolLifecycle(pool: pool, configuration: configuration).run()
    }
}

/// Runs a shared pool in a `ServiceGroup`, as ``ConnectionPoolService`` runs an exclusive one.
///
/// Put the pool before the services that use it.
public struct SharedConnectionPoolService<Strategy: SharedConnectionStrategy>: Service {
    /// The pool.
    public let pool: SharedConnectionPool<Strategy>

    let configuration: ConnectionPoolServiceConfiguration

    public init(
        pool: SharedConnectionPool<Strategy>,
        configuration: ConnectionPoolServiceConfiguration = ConnectionPoolServiceConfiguration()
    ) {
        self.pool = pool
        self.configuration = configuration
    }

    /// Starts the pool, waits for the graceful shutdown of the group, and shuts the pool down, as
    /// ``ConnectionPoolService/run()``.
    ///
    /// - Throws: An error of the strategy or ``ConnectionPoolServiceError`` if the pool could not start. The pool has been shut
    ///   down then.
    public func run() async throws {
        try await PoolLifecycle(pool: pool, configuration: configuration).run()
    }
}
