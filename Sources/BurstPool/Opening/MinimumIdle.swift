// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many connections the pool opens before callers ask for them: the configured minimum of idle connections, and the
/// target of calls of `prewarm` that are under way.
@usableFromInline
final class MinimumIdle: Sendable {
    let minimum: Int
    let internalUse = InternalUse()
    /// Fires whenever an attempt to open a connection has ended, or a slot has become free, for callers of `prewarm` and for health
    /// checks.
    let attemptEnded = Broadcast()
    private let refilling = OneAtATime()
    @usableFromInline let isActive: Atomic<Bool>
    /// The number of calls of `prewarm` under way in the upper half, and the greatest number of connections that one of them
    /// asks for in the lower half. One word, so that the end of one call does not undo the beginning of another.
    private let warming = Atomic<UInt64>(0)

    init(minimum: Int) {
        self.minimum = minimum
        isActive = Atomic(minimum > 0)
    }

    /// Whether there may be connections to open: from the start if there is a minimum, else from the first `prewarm` on.
    @inlinable var mayHaveWork: Bool { isActive.load(ordering: .relaxed) }

    /// Whether connections are wanted now.
    var isWanted: Bool { minimum > 0 || warmTarget > 0 }

    /// Returns how many connections to open.
    ///
    /// - Parameters:
    ///   - count: Counts the connections.
    ///   - maxSize: The most connections to have.
    ///   - countAgain: Called if the count was uncertain and a connection in internal use has come back since.
    func missing(
        _ count: () -> _PoolCoreCounts,
        maxSize: Int,
        countAgain: () -> Void
    ) -> Int {
        let count = internalUse.counting(count)
        let counts = count.counts
        let open = counts.idle + counts.leased + counts.opening
        let notIdle = minimum - counts.idle - counts.opening
        if notIdle > 0, count.inUse > 0, internalUse.awaitEnd(since: count) { countAgain() }
        return min(max(notIdle - count.inUse, warmTarget - open), maxSize - open - counts.closing)
    }

    /// Runs `refill` on one thread at a time: two that have counted the same would open twice as many.
    func perform(_ refill: () -> Void) {
        refilling.perform(refill)
    }

    // MARK: Warming

    private static let oneCall: UInt64 = 1 << 32

    /// How many connections should be open because of calls of `prewarm` that are under way.
    var warmTarget: Int { Int(UInt32(truncatingIfNeeded: warming.load(ordering: .sequentiallyConsistent))) }

    func beginWarming(_ count: Int) {
        isActive.store(true, ordering: .relaxed)
        changeWarming { $0 + Self.oneCall + UInt64(max(0, count - Int(UInt32(truncatingIfNeeded: $0)))) }
    }

    /// The target ends with the last call: a lasting one would undo the idle timeout.
    func endWarming() {
        changeWarming { $0 < 2 * Self.oneCall ? 0 : $0 - Self.oneCall }
    }

    private func changeWarming(_ change: (UInt64) -> UInt64) {
        var before = warming.load(ordering: .relaxed)
        while true {
            let (changed, found) = warming.compareExchange(
                expected: before,
                desired: change(before),
                ordering: .sequentiallyConsistent
            )
            if changed { return }
            before = found
        }
    }
}
