import Synchronization

/// How many connections may be opened at the same time.
///
/// Whoever finds no turn goes away, and whoever gives one back settles; between the two nobody is forgotten, for giving
/// back is a full barrier, and so is making room for a connection: one of both sees the other.
@usableFromInline
final class ConnectTurns: Sendable {
    private let limit: Int
    private let taken = Atomic(0)

    init(limit: Int) {
        self.limit = limit
    }

    @usableFromInline
    func take() -> Bool {
        var found = taken.load(ordering: .sequentiallyConsistent)
        while found < limit {
            let (exchanged, original) = taken.compareExchange(
                expected: found,
                desired: found + 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return true }
            found = original
        }
        return false
    }

    @usableFromInline
    func giveBack() {
        taken.subtract(1, ordering: .sequentiallyConsistent)
        // Pairs with the load in take(), which follows what made room: orders what the caller looks at next.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }
}
