import Synchronization

/// A connection that is not `Sendable`, as most are.
final class TestConnection {
    let remote: Remote
    /// Unprotected on purpose: the pool has to see to it that one party at a time touches it.
    var uses = 0

    init(_ remote: Remote) {
        self.remote = remote
    }

    var id: Int { remote.id }

    /// Uses the connection for as long as the body runs, and notices if somebody else does.
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

/// The far end of a connection, which tests hold while the connection is in the pool.
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

    /// The pool has given the connection to `closeConnection`. Returns how often it had done so before.
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

    /// Whether two parties had the connection at the same time, or one after it was closed.
    var wasMisused: Bool { wasShared.load(ordering: .relaxed) }
    var isInUse: Bool { users.load(ordering: .acquiring) != 0 }
}
