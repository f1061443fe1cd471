// SPDX-License-Identifier: Apache-2.0

/// What the engine of the connections tells the engine of the leases, and what it asks.
protocol SharingEngine: AnyObject, Sendable {
    /// The numbers of connections, leases and waiters, as the callers of the shared pool see them.
    var statistics: ConnectionPoolStatistics { get }
    /// When the wait of the oldest caller began; `nil` if no caller waits.
    var earliestWait: UInt64? { get }
    /// Returns whether a lease was released after a use since this was last called. O(leases).
    func hasReleasedSinceInspection() -> Bool
    /// Validates a connection that callers share, for a health check. Returns `nil` if no lease is idle.
    func startValidation() -> OneShot?
    /// Flags of connections may have changed: they are too old, evicted, or closed by the server.
    func connectionsWereFlagged()
    func leaseLimitsChanged()
}

/// The strategy of the engine that holds the connections of a shared pool: the user's strategy, for connections that are
/// leased as a whole.
@usableFromInline
final class SharingStrategy<Base: SharedConnectionStrategy>: ConnectionStrategy {
    @usableFromInline typealias Connection = Base.Connection

    private let base: Base
    private let poolName: String
    /// Set once, before the strategy is used.
    nonisolated(unsafe) private weak var sharing: (any SharingEngine)?

    init(_ base: Base, poolName: String) {
        self.base = base
        self.poolName = poolName
    }

    /// Names the engine that is told of changed limits. Call this method once, before all others.
    func setEngine(_ sharing: any SharingEngine) {
        self.sharing = sharing
    }

    @usableFromInline
    func makeConnection() async throws -> sending Connection { try await base.makeConnection() }

    @usableFromInline
    func prepareConnection(_ connection: inout Connection) async throws {
        try await base.prepareConnection(connection)
        guard base.leaseLimit(of: connection) > 0 else { throw ConnectionPoolError.noLeases(poolName: poolName) }
    }

    @usableFromInline
    func connectionIsClosed(_ connection: Connection) throws -> Bool {
        try base.leaseLimit(of: connection) <= 0 || base.connectionIsClosed(connection)
    }

    @usableFromInline
    func closeConnection(_ connection: sending Connection) async throws { try await base.closeConnection(connection) }

    @usableFromInline
    func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {
        base.notifyWhenClosed(connection, connectionDidClose)
        base.notifyWhenLeaseLimitChanges(connection) { [weak sharing] in sharing?.leaseLimitsChanged() }
    }

    @usableFromInline
    func validateConnection(_ connection: inout Connection) async throws -> Bool {
        try await base.validateConnection(connection)
    }

    @usableFromInline
    func connectErrorIsPermanent(_ error: any Error) -> Bool { base.connectErrorIsPermanent(error) }

    @usableFromInline
    func connectionLifetime(_ connection: Connection) -> Duration? { base.connectionLifetime(connection) }

    @usableFromInline
    func connectionVerdict(after error: any Error) -> ConnectionVerdict { base.connectionVerdict(after: error) }

    @usableFromInline
    func abortHandle(for connection: Connection) -> (@Sendable () -> Void)? { base.abortHandle(for: connection) }
}

/// Passes on the events of connections, and keeps those of the callers back: in the engine of the connections, the callers are
/// parts of the pool itself.
struct SharingObserver: ConnectionPoolObserver {
    let base: any ConnectionPoolObserver

    func connectionPool(named name: String, did event: ConnectionPoolEvent) {
        switch event {
        case .waitBegan, .acquired, .acquireFailed, .released, .limitReached:
            break
        case .opened(let duration, _):
            base.connectionPool(named: name, did: .opened(duration: duration, wait: nil))
        case .openFailed(let error, let duration, let willRetry, _):
            base.connectionPool(
                named: name,
                did: .openFailed(error, duration: duration, willRetry: willRetry, wait: nil)
            )
        default:
            base.connectionPool(named: name, did: event)
        }
    }
}
