// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many connections the pool itself is using that will be idle afterwards: connections that are being reset, looked at,
/// or validated, or that have just opened. No other connections need to be opened in their place.
///
/// A thread that counts idle connections sees those in internal use neither as idle nor as opening. To miss none of them, it
/// takes all that were in internal use at any time during the count: those that had begun by its end, minus those that had
/// ended by its beginning. That can be too many. A thread that would have opened connections without them therefore asks for
/// another count when one of them ends.
struct InternalUse: ~Copyable, Sendable {
    private let begun = Atomic(0)
    private let ended = Atomic(0)
    private let isAwaited = Atomic(false)

    struct Count<Counts> {
        let counts: Counts
        /// The most connections that were in internal use during the count.
        let inUse: Int
        fileprivate let endedBefore: Int
    }

    /// Notes that internal use of a connection begins. Call this before the connection ceases to be idle or opening.
    func begin() {
        begun.add(1, ordering: .relaxed)
        // Pairs with the fence in counting(_:): a thread that finds the connection leased finds the use begun.
        atomicMemoryFence(ordering: .releasing)
    }

    /// Notes that internal use of a connection ends. Call this once the connection is idle or will not become idle.
    ///
    /// - Returns: Whether the caller must count again.
    func end() -> Bool {
        // Releasing: a thread that finds the use ended in counting(_:) finds the connection idle. Sequentially consistent:
        // this write comes before the load, as the write in awaitEnd(since:) comes before its load, so one of the two
        // threads sees the other.
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

    /// Asks for another count when a use ends.
    ///
    /// - Returns: Whether one has ended already, so that the caller must count again itself.
    func awaitEnd<Counts>(since count: Count<Counts>) -> Bool {
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        return ended.load(ordering: .sequentiallyConsistent) != count.endedBefore
    }
}
