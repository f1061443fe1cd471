// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the immediate evictions of all connections, and paces the looks for evicted connections that are still in use.
@usableFromInline
final class Evictions: Sendable {
    private let count = Atomic<UInt32>(0)
    private let pause = Atomic<UInt64>(0)

    /// The number of immediate evictions. It may wrap around.
    @usableFromInline var generation: UInt32 { count.load(ordering: .relaxed) }

    /// Begins an immediate eviction of all connections.
    func begin() {
        count.add(1, ordering: .relaxed)
        pause.store(0, ordering: .relaxed)
    }

    /// Begins an immediate eviction on behalf of a connection, unless one has begun since the opening of the connection began.
    /// Returns whether it has begun.
    func begin(ifOpenedIn generation: UInt32) -> Bool {
        let began = count.compareExchange(
            expected: generation,
            desired: generation &+ 1,
            ordering: .relaxed
        ).exchanged
        if began { pause.store(0, ordering: .relaxed) }
        return began
    }

    /// Returns when to look again for evicted connections that are not closed yet: after 1 millisecond, then each time after
    /// twice as long, but at most after 1 second.
    func nextLook(now: UInt64) -> UInt64 {
        let next = min(max(pause.load(ordering: .relaxed) * 2, 1_000_000), 1_000_000_000)
        pause.store(next, ordering: .relaxed)
        return now.addingSaturated(next)
    }

    /// Notes that no evicted connection is left, so that the next eviction begins with short pauses.
    func noteNothingLeft() {
        if pause.load(ordering: .relaxed) != 0 { pause.store(0, ordering: .relaxed) }
    }
}

extension _PoolEngine {
    /// Replaces all connections that are open or being opened: at once, or one after the other over a period.
    public func evictAll(over period: Duration?) {
        guard let period, period > .zero else {
            evictions.begin()
            return evictLiveConnections()
        }
        let now = clock.now
        // Limited to half of the range of the clock, 146 years, so that the sums below do not overflow.
        let length = min(period.nanoseconds, UInt64(Int64.max) / 2)
        let live = liveSlots()
        let step = length / UInt64(max(1, live.count))
        for (position, slot) in live.enumerated() {
            let header = header(of: slot.lease)
            header.pointee.lowerExpiry(to: now + step * UInt64(position + 1))
            header.pointee.set(.isLeaving)
        }
        maintain()
    }

    /// Discards a connection that leads to the wrong server, and evicts all others, unless an eviction has begun since the
    /// opening of this connection began.
    @usableFromInline
    func evictAllOnce(becauseOf lease: Core.Lease) {
        discard(lease)
        let generation = header(of: lease).pointee.generation.load(ordering: .relaxed)
        if evictions.begin(ifOpenedIn: generation) { evictLiveConnections() }
    }

    private func evictLiveConnections() {
        for slot in liveSlots() { evict(header(of: slot.lease)) }
        // Pairs with the exchange that takes an idle connection: a caller that takes a connection after this fence sees its
        // flags.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        maintain()
    }

    func evict(_ header: UnsafeMutablePointer<ConnectionHeader>) {
        header.pointee.set(.isEvicted)
    }

    /// Whether the opening of a connection began before one of the first `generation` immediate evictions. A caller that waits
    /// passes the number of immediate evictions that had begun when its wait began.
    @usableFromInline
    func wasOpened(_ lease: Core.Lease, before generation: UInt32) -> Bool {
        Int32(bitPattern: generation &- header(of: lease).pointee.generation.load(ordering: .relaxed)) > 0
    }

    // MARK: Connections that close by themselves

    /// Passes the strategy a closure with which it reports that a connection has closed.
    func watchForClose(_ lease: Core.Lease) {
        let number = header(of: lease).pointee.number.load(ordering: .relaxed)
        strategy.notifyWhenClosed(connection(of: lease).pointee) { [weak self] in
            self?.connectionDidClose(lease, number)
        }
    }

    private func connectionDidClose(_ lease: Core.Lease, _ number: UInt64) {
        let header = header(of: lease)
        guard header.pointee.number.load(ordering: .relaxed) == number else { return }
        header.pointee.set(.hasClosed)
        // Meanwhile the slot may have got another connection, which must not keep the flag.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard header.pointee.number.load(ordering: .relaxed) == number else {
            return header.pointee.clear(.hasClosed)
        }
        // This look closes the connection if it is idle. A connection in use is closed when it is released.
        maintain()
    }
}
