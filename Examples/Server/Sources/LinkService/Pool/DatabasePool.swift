// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A pool as the service uses it: exclusive, or with connections that several requests share.
protocol DatabasePool<Connection>: AnyObject, Sendable {
    associatedtype Connection

    /// Acquires a lease of a connection, runs a body with the connection, and releases the lease.
    func use<Result>(
        _ body: (inout sending Connection) async throws -> sending Result
    ) async throws -> sending Result

    var statistics: ConnectionPoolStatistics { get }
    var health: ConnectionPoolHealth { get }
    var snapshot: ConnectionPoolSnapshot { get }
    func checkHealth(timeout: Duration) async -> ConnectionPoolHealth
    @discardableResult func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult
    /// Whether several requests use one connection at the same time.
    var isShared: Bool { get }
}

extension ConnectionPool: DatabasePool {
    typealias Connection = Strategy.Connection

    var isShared: Bool { false }

    func use<Result>(
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await withConnection(body)
    }
}

extension SharedConnectionPool: DatabasePool {
    typealias Connection = Strategy.Connection

    var isShared: Bool { true }

    func use<Result>(
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        try await withConnection { connection in
            var connection = connection
            return try await body(&connection)
        }
    }
}
