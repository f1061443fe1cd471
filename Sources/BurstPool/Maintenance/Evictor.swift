// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many times all connections were evicted at once, and how often to look for connections that were not released yet.
@usableFromInline
final class Evictions: Sendable {
    private let count = Atomic<UInt32>(0)
    private let pause = Atomic<UInt64>(0)

    /// The number of immediate evictions; it may wrap.
    @usableFromInline var generation: UInt32 { count.load(ordering: .relaxed) }

    /// Begins an immediate eviction of all connections.
    func begin() {
        count.add(1, ordering: .relaxed)
        pause.store(0, ordering: .relaxed)
    }

    /// Begins an eviction on behalf of a connection, unless one has begun since that connection was opened.
    func begin(ifOpenedIn generation: UInt32) -> Bool {
        let began = count.compareExchange(
            expected: generation,
            desired: generation &+ 1,
            ordering: .relaxed
        ).exchanged
        if began { pause.store(0, ordering: .relaxed) }
        return began
    }

    /// Returns when to look again for connections that are evicted and have not come back: after 1 millisecond, then after
    /// twice as long each time, at most after 1 second.
    func nextLook(now: UInt64) -> UInt64 {
        let next = min(max(pause.load(ordering: .relaxed) * 2, 1_000_000), 1_000_000_000)
        pause.store(next, ordering: .relaxed)
        return now.addingSaturated(next)
    }

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
        // A period that is longer than the clock can tell is some hundred years.
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

    /// Evicts all connections because one of them leads to the wrong place, unless that has happened since it was opened.
    @usableFromInline
    func evictAllOnce(becauseOf lease: Core.Lease) {
        discard(lease)
        let generation = header(of: lease).pointee.generation.load(ordering: .relaxed)
        if evictions.begin(ifOpenedIn: generation) { evictLiveConnections() }
    }

    private func evictLiveConnections() {
        for slot in liveSlots() { evict(header(of: slot.lease)) }
        // Pairs with the exchange that takes an idle connection: a caller that takes one after this sees its flags.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        maintain()
    }

    func evict(_ header: UnsafeMutablePointer<ConnectionHeader>) {
        header.pointee.set(.isEvicted)
    }

    /// Whether a connection was opened before an immediate eviction that the caller knew of when it began to wait.
    @usableFromInline
    func wasOpened(_ lease: Core.Lease, before generation: UInt32) -> Bool {
        Int32(bitPattern: generation &- header(of: lease).pointee.generation.load(ordering: .relaxed)) > 0
    }

    // MARK: Connections that close by themselves

    /// Gives the strategy a way to report that a connection has closed.
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
        // The slot may have been given to another connection in between, which then loses the flag again.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard header.pointee.number.load(ordering: .relaxed) == number else {
            return header.pointee.clear(.hasClosed)
        }
        // A connection in use is closed when it is released. An idle one is found by this look.
        maintain()
    }
}
