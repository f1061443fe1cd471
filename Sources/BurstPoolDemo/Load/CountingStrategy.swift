import BurstPool
import Synchronization

/// Keeps books about another strategy's connections, independent of the pool's.
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

    /// Connections that were opened.
    var opened: Int { openedCount.load(ordering: .acquiring) }
    /// Attempts to open one that failed.
    var failedToOpen: Int { failedCount.load(ordering: .acquiring) }
    /// Connections that were closed.
    var closed: Int { closedCount.load(ordering: .acquiring) }
    /// Connections that turned out to be closed before they were handed out.
    var foundDead: Int { foundDeadCount.load(ordering: .acquiring) }
    /// The most connections there were at a time, those being opened and closed included.
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
}
