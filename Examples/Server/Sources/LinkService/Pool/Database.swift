// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A database server, used through a pool. Every use updates ``Reachability`` and the acquire latencies.
struct Database<Pool: DatabasePool>: LinkSource where Pool.Connection: LinkReader {
    /// The name of the pool in metrics, in logs and on the page.
    let name: String
    let pool: Pool
    /// Shared by the pools that lead to the same server.
    let reachability: Reachability
    let latencies = AcquireLatencies()

    func use<Result: Sendable>(
        _ body: (inout sending Pool.Connection) async throws -> sending Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await pool.use { connection in
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

    func find(_ code: LinkCode) async throws -> Link? {
        try await use { connection in try await connection.findLink(code) }
    }

    func check() async throws {
        try await use { connection in try await connection.checkLinks() }
    }
}
