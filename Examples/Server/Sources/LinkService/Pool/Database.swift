// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A database server, used through a pool. Every use updates ``Reachability`` and the acquire latencies.
struct Database<Strategy: ConnectionStrategy>: Sendable {
    /// The name of the pool in metrics, in logs and on the page.
    let name: String
    let pool: ConnectionPool<Strategy>
    let reachability: Reachability
    let latencies = AcquireLatencies()

    func use<Result: Sendable>(
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await pool.withConnection { connection in
                latencies.add(ContinuousClock.now - start)
                return try await body(&connection)
            }
            reachability.succeeded()
            return result
        } catch let error as any DatabaseError {
            if error.isOutage { reachability.failed(error) }
            throw error
        } catch let error as ConnectionPoolError {
            latencies.add(ContinuousClock.now - start)
            // Otherwise all connections are busy or the service is stopping, which says nothing about the database.
            if let cause = error.underlyingError ?? (error.code == .connectTimedOut ? error : nil) {
                reachability.failed(cause)
            }
            throw error
        }
    }
}

extension Database where Strategy.Connection: LinkConnection {
    /// Checks whether the database answers and is ready to store links.
    ///
    /// - Throws: The errors of ``use(_:)``.
    func check() async throws {
        try await use { connection in try await connection.checkLinks() }
    }
}
