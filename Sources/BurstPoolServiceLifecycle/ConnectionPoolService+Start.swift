// SPDX-License-Identifier: Apache-2.0

import BurstPool
import ServiceLifecycle

extension ConnectionPoolService {
    /// Opens the first connections as the configuration asks for.
    ///
    /// - Throws: `CancellationError` if the task was cancelled or the service is shutting down gracefully.
    func start() async throws {
        try await cancelWhenGracefulShutdown { [pool, configuration] in
            if configuration.waitsUntilHealthy {
                try await pool.waitUntilHealthy(timeout: configuration.startTimeout)
            }
            if configuration.prewarmedConnections > 0 {
                try await Self.prewarm(pool, configuration)
            }
        }
    }

    private static func prewarm(
        _ pool: ConnectionPool<Strategy>,
        _ configuration: ConnectionPoolServiceConfiguration
    ) async throws {
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
