// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A connection that is not `Sendable`, as most are.
final class TestConnection {
    let remote: Remote
    /// Unprotected on purpose, because the pool must let one caller use it at a time.
    var uses = 0

    init(_ remote: Remote) {
        self.remote = remote
    }

    var id: Int { remote.id }

    /// Uses the connection while the body runs, and notices other uses at the same time.
    func use<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        remote.enter()
        defer { remote.exit() }
        uses += 1
        return try await body()
    }

    func use() {
        remote.enter()
        uses += 1
        remote.exit()
    }
}

/// The remote end of a connection. A test keeps it while the connection is in the pool.
final class Remote: Sendable {
    let id: Int
    private let closed = Atomic<Bool>(false)
    private let users = Atomic<Int>(0)
    private let wasShared = Atomic<Bool>(false)
    private let disposals = Atomic<Int>(0)

    init(id: Int) {
        self.id = id
    }

    /// Whether the peer has closed the connection.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// The peer closes the connection.
    func hangUp() {
        closed.store(true, ordering: .releasing)
    }

    /// Called when the pool passes the connection to `closeConnection`. Returns how often that had happened before.
    func dispose() -> Int {
        disposals.add(1, ordering: .relaxed).oldValue
    }

    var isDisposedOf: Bool { disposals.load(ordering: .acquiring) > 0 }

    func enter() {
        if users.add(1, ordering: .acquiringAndReleasing).oldValue != 0 || isDisposedOf {
            wasShared.store(true, ordering: .relaxed)
        }
    }

    func exit() {
        users.subtract(1, ordering: .acquiringAndReleasing)
    }

    /// Whether two callers had the connection at the same time, or one used it after it was closed.
    var wasMisused: Bool { wasShared.load(ordering: .relaxed) }
    var isInUse: Bool { users.load(ordering: .acquiring) != 0 }
}
