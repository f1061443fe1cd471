// SPDX-License-Identifier: Apache-2.0

import BurstPool
import ServiceLifecycle

/// What a service does with a pool, exclusive or shared.
protocol ServedPool: AnyObject, Sendable {
    var configuration: ConnectionPoolConfiguration { get }
    var statistics: ConnectionPoolStatistics { get }
    func waitUntilHealthy(timeout: Duration?) async throws
    func prewarm(_ count: Int?) async throws
    func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult
    func abort(timeout: Duration?) async -> ConnectionPoolShutdownResult
}

extension ConnectionPool: ServedPool {}
extension SharedConnectionPool: ServedPool {}

/// The start and the end of a pool in a group of services.
struct PoolLifecycle<Pool: ServedPool>: Sendable {
    let pool: Pool
    let configuration: ConnectionPoolServiceConfiguration

    /// Starts the pool, waits for the graceful shutdown of the group, and shuts the pool down.
    func run() async throws {
        do {
            try await start()
        } catch {
            await abort()
            // A start that was interrupted by a shutdown has not failed.
            if error is CancellationError, Task.isCancelled || Task.isShuttingDownGracefully { return }
            throw error
        }
        do {
            try await gracefulShutdown()
        } catch {
            // The task was cancelled, so there is no time to drain.
            return await abort()
        }
        let result = await pool.shutdown(drainFor: configuration.drainTimeout)
        if !result.isComplete { await abort() }
    }

    /// Aborts the pool in a new task, because a cancelled task could not wait for the connections.
    private func abort() async {
        let timeout = configuration.abortTimeout
        _ = await Task { [pool] in await pool.abort(timeout: timeout) }.value
    }

    /// Opens the first connections as the configuration asks for.
    ///
    /// - Throws: `CancellationError` if the task was cancelled or the service is shutting down gracefully.
    private func start() async throws {
        try await cancelWhenGracefulShutdown {
            if configuration.waitsUntilHealthy {
                try await pool.waitUntilHealthy(timeout: configuration.startTimeout)
            }
            if configuration.prewarmedConnections > 0 { try await prewarm() }
        }
    }

    private func prewarm() async throws {
        let count = configuration.prewarmedConnections
        guard let timeout = configuration.startTimeout else { return try await pool.prewarm(count) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await pool.prewarm(count)
                return true
            }
            group.addTask {
                try await configuration.clock.sleep(for: min(timeout, .longestSleep))
                return false
            }
            defer { group.cancelAll() }
            if try await group.next() == false {
                throw ConnectionPoolServiceError.prewarmTimedOut(
                    pool.configuration.name,
                    wanted: count,
                    timeout: timeout,
                    statistics: pool.statistics
                )
            }
        }
    }
}
