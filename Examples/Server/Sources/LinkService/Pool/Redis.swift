// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis

typealias RedisPool = ConnectionPool<RedisConnectionStrategy>

/// A Redis server, used through a pool. Every use updates ``Reachability`` and the acquire latencies.
struct Redis: Sendable {
    /// The name of the pool in metrics, in logs and on the page.
    let name: String
    let pool: RedisPool
    let reachability: Reachability
    let latencies = AcquireLatencies()

    func use<Result: Sendable>(
        _ body: (inout sending RedisConnection) async throws -> sending Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await pool.withConnection { connection in
                latencies.add(ContinuousClock.now - start)
                return try await body(&connection)
            }
            reachability.succeeded()
            return result
        } catch let error as RedisError {
            if error.isOutage { reachability.failed(error) }
            throw error
        } catch let error as ConnectionPoolError {
            latencies.add(ContinuousClock.now - start)
            // Otherwise all connections are busy or the service is stopping, which says nothing about Redis.
            if let cause = error.underlyingError ?? (error.code == .connectTimedOut ? error : nil) {
                reachability.failed(cause)
            }
            throw error
        }
    }

    /// Checks whether Redis answers.
    ///
    /// - Throws: The errors of ``use(_:)``.
    func ping() async throws {
        try await use { connection in
            _ = try await connection.send("PING")
        }
    }
}
