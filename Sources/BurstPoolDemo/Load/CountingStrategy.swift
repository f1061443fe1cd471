// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Counts the connections of another strategy, independently of the pool's own counts.
final class CountingStrategy<Base: ConnectionStrategy>: ConnectionStrategy {
    typealias Connection = Base.Connection

    let counts = ConnectionCounts()
    private let base: Base

    init(_ base: Base) {
        self.base = base
    }

    func makeConnection() async throws -> sending Base.Connection {
        counts.opens()
        do {
            let connection = try await base.makeConnection()
            counts.hasOpened()
            return connection
        } catch {
            counts.hasFailedToOpen()
            throw error
        }
    }

    func connectionIsClosed(_ connection: Base.Connection) throws -> Bool {
        let isClosed = try base.connectionIsClosed(connection)
        if isClosed { counts.hasFoundDead() }
        return isClosed
    }

    func closeConnection(_ connection: sending Base.Connection) async throws {
        defer { counts.hasClosed() }
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
