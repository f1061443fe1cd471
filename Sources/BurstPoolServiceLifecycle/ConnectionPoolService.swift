public import BurstPool
public import ServiceLifecycle

/// Runs a pool in a `ServiceGroup`: starts it, or says why it cannot start; and shuts it down after all that use it.
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
/// A group shuts its services down in the reverse order of the list, each after the one before has ended. So the pool stands
/// **before** whatever uses it: a server that finishes its requests then still gets connections for them.
///
/// The pool can be used before the service runs, and without: only the start and the end are here. When ``run()`` has ended,
/// in whichever way, the pool is shut down.
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
    /// - At a graceful shutdown no connection is handed out any more, and those in use are waited for, until
    ///   ``ConnectionPoolServiceConfiguration/drainTimeout``; then they are aborted. During the start it ends the start.
    /// - When the task is cancelled, all connections are aborted at once.
    ///
    /// - Throws: What kept the pool from starting: an error of the strategy, or ``ConnectionPoolServiceError``. The pool has
    ///   been shut down then.
    public func run() async throws {
        do {
            try await start()
        } catch {
            await abort()
            // Asked to end while it started, it has not failed.
            if error is CancellationError, Task.isCancelled || Task.isShuttingDownGracefully { return }
            throw error
        }
        do {
            try await gracefulShutdown()
            await pool.shutdown(drainFor: configuration.drainTimeout)
        } catch {
            // Cancelled: there is no time to drain.
        }
        // Connections can be left because the time was up, or because the wait was cancelled.
        if pool.statistics.total > 0 { await abort() } else { await pool.shutdown(drainFor: .zero) }
    }

    /// In a task of its own: one that has been cancelled cannot wait.
    private func abort() async {
        let timeout = configuration.abortTimeout
        await Task { [pool] in await pool.abort(timeout: timeout) }.value
    }
}
