// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// Counts the connections of another strategy, independently of the pool's own counts.
final class CountingStrategy<Base: ConnectionStrategy>: ConnectionStrategy {
    typealias Connection = Base.Connection

    private let base: Base
    private let openedCount = Atomic<Int>(0)
    private let failedCount = Atomic<Int>(0)
    private let closedCount = Atomic<Int>(0)
    private let foundDeadCount = Atomic<Int>(0)
    private let current = Atomic<Int>(0)
    private let peakCount = Atomic<Int>(0)

    init(_ base: Base) {
        self.base = base
    }

    /// The number of opened connections.
    var opened: Int { openedCount.load(ordering: .acquiring) }
    /// The number of failed attempts to open a connection.
    var failedToOpen: Int { failedCount.load(ordering: .acquiring) }
    /// The number of closed connections.
    var closed: Int { closedCount.load(ordering: .acquiring) }
    /// The number of connections that the server had closed and that were found before a lease.
    var foundDead: Int { foundDeadCount.load(ordering: .acquiring) }
    /// The largest number of connections at a time, including opening and closing ones.
    var peak: Int { peakCount.load(ordering: .acquiring) }

    func makeConnection() async throws -> sending Base.Connection {
        let count = current.add(1, ordering: .acquiringAndReleasing).newValue
        _ = peakCount.max(count, ordering: .acquiringAndReleasing)
        do {
            let connection = try await base.makeConnection()
            openedCount.add(1, ordering: .acquiringAndReleasing)
            return connection
        } catch {
            failedCount.add(1, ordering: .acquiringAndReleasing)
            current.subtract(1, ordering: .acquiringAndReleasing)
            throw error
        }
    }

    func connectionIsClosed(_ connection: Base.Connection) throws -> Bool {
        let isClosed = try base.connectionIsClosed(connection)
        if isClosed { foundDeadCount.add(1, ordering: .relaxed) }
        return isClosed
    }

    func closeConnection(_ connection: sending Base.Connection) async throws {
        defer {
            closedCount.add(1, ordering: .acquiringAndReleasing)
            current.subtract(1, ordering: .acquiringAndReleasing)
        }
        try await base.closeConnection(connection)
    }

    // MARK: - Forwarded to the other strategy

    func prepareConnection(_ connection: inout Base.Connection) async throws {
        try await base.prepareConnection(&connection)
    }

    func connectErrorIsPermanent(_ error: any Error) -> Bool { base.connectErrorIsPermanent(error) }

    func connectionLifetime(_ connection: Base.Connection) -> Duration? { base.connectionLifetime(connection) }

    func notifyWhenClosed(_ connection: Base.Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {
        base.notifyWhenClosed(connection, connectionDidClose)
    }

    func resetConnection(_ connection: inout Base.Connection) async throws {
        try await base.resetConnection(&connection)
    }

    func validateConnection(_ connection: inout Base.Connection) async throws -> Bool {
        try await base.validateConnection(&connection)
    }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict { base.connectionVerdict(after: error) }

    func abortHandle(for connection: Base.Connection) -> (@Sendable () -> Void)? { base.abortHandle(for: connection) }
}
