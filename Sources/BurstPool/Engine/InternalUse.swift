import Synchronization

/// How many connections the pool itself uses for a while that are idle afterwards: being reset, looked at, validated, or
/// just opened. No others need be opened for them.
///
/// A connection in such use is neither idle nor being opened for whoever counts those. To miss none of them, who counts
/// takes all that were in use at any time of the count: those that had begun by its end, less those that had ended by its
/// beginning. That may be too many; so who would have found too few idle without them has it counted again when one ends.
struct InternalUse: ~Copyable, Sendable {
    private let begun = Atomic(0)
    private let ended = Atomic(0)
    private let isAwaited = Atomic(false)

    struct Count<Counts> {
        let counts: Counts
        /// The most that were in use meanwhile.
        let inUse: Int
        fileprivate let endedBefore: Int
    }

    /// Before the connection ceases to be idle, or to be one that is being opened.
    func begin() {
        begun.add(1, ordering: .relaxed)
        // Pairs with the fence of who counts: if that finds the connection in use, it finds the use begun.
        atomicMemoryFence(ordering: .releasing)
    }

    /// Once the connection is idle, or is not going to be.
    ///
    /// - Returns: Whether it is to be counted again.
    func end() -> Bool {
        // Releasing, for who counts: if that finds the use ended, it finds the connection idle. And before the load, as the
        // store is before the load of who awaits this: one of both sees the other.
        ended.add(1, ordering: .sequentiallyConsistent)
        return isAwaited.load(ordering: .sequentiallyConsistent)
            && isAwaited.exchange(false, ordering: .acquiringAndReleasing)
    }

    func counting<Counts>(_ count: () -> Counts) -> Count<Counts> {
        let endedBefore = ended.load(ordering: .acquiring)
        let counts = count()
        atomicMemoryFence(ordering: .acquiring)
        return Count(counts: counts, inUse: begun.load(ordering: .relaxed) - endedBefore, endedBefore: endedBefore)
    }

    /// Has it counted again when a use ends.
    ///
    /// - Returns: Whether one has, and it is for the caller.
    func awaitEnd<Counts>(since count: Count<Counts>) -> Bool {
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return ended.load(ordering: .sequentiallyConsistent) != count.endedBefore
    }
}
