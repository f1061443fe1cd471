// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// Counts connections, which lead nowhere, and which it opens and closes in a given time.
public final class CountingStrategy: ConnectionStrategy {
    public let connectTime: Duration
    private let openedCount = Atomic(0)
    private let closedCount = Atomic(0)

    public init(connectTime: Duration = .zero) {
        self.connectTime = connectTime
    }

    public var opened: Int { openedCount.load(ordering: .relaxed) }
    public var closed: Int { closedCount.load(ordering: .relaxed) }

    public func makeConnection() async throws -> sending Connection {
        if connectTime > .zero { try await Task.sleep(for: connectTime) }
        openedCount.add(1, ordering: .relaxed)
        return Connection()
    }

    @inlinable
    public func connectionIsClosed(_ connection: Connection) throws -> Bool {
        false
    }

    public func closeConnection(_ connection: sending Connection) async throws {
        closedCount.add(1, ordering: .relaxed)
    }
}
