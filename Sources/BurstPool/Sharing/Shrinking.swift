// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// After how many releases to count leases again, to find out whether the pool can do with one connection less.
///
/// If the leases in use are too many by `n` for the other connections, then at least `n` of them must end before one connection
/// can go. So the leases need not be counted at every release of a burst.
final class Shrinking: Sendable {
    private let released = Atomic(0)
    private let threshold = Atomic(0)
    private let counting = OneAtATime()

    /// More leases than there can be: nothing changes before the next ``reset()``.
    static let untilReset = 1 << 40

    /// Notes a release. Returns whether enough leases have ended to count them.
    func noteRelease() -> Bool {
        released.add(1, ordering: .sequentiallyConsistent).newValue >= threshold.load(ordering: .sequentiallyConsistent)
    }

    /// Makes the next release count the leases, and a count that is under way repeat itself.
    func reset() {
        released.store(2 * Self.untilReset, ordering: .sequentiallyConsistent)
    }

    /// Runs `count` on one thread at a time. It returns how many leases must end before it is worth while to count again.
    func perform(_ count: () -> Int) {
        counting.perform {
            repeat {
                threshold.store(0, ordering: .sequentiallyConsistent)
                released.store(0, ordering: .sequentiallyConsistent)
                atomicMemoryFence(ordering: .sequentiallyConsistent)
                threshold.store(count(), ordering: .sequentiallyConsistent)
                // Releases during the count may not have been seen by it.
            } while released.load(ordering: .sequentiallyConsistent)
                >= threshold.load(ordering: .sequentiallyConsistent)
        }
    }
}

/// The leases of one connection, as they were counted at one moment.
struct SharingUsage {
    let header: UnsafeMutablePointer<SharingHeader>
    let state: SharingState
    var inUse = 0
    /// Changes whenever a lease of the connection is acquired.
    var serials: UInt64 = 0
}

extension SharedPoolEngine {
    /// Counts the leases of each connection that is checked out. O(connections + leases).
    func countUsage() -> [UInt: SharingUsage] {
        var usage: [UInt: SharingUsage] = [:]
        forEachCheckout { header, _ in
            usage[UInt(bitPattern: header)] = SharingUsage(header: header, state: header.pointee.state)
        }
        core.forEachSlot { _, slot in
            guard slot.state == .idle || slot.state == .leased else { return }
            let address = headerAddress(of: slot.lease).pointee.load(ordering: .acquiring)
            usage[address]?.serials &+= slot.serial
            if slot.state == .leased { usage[address]?.inUse += 1 }
        }
        return usage
    }

    /// Notes that there may be more connections than `maxSize`.
    func noteBurst() {
        guard connections.core.hasExcess else { return }
        shrinking.reset()
        attention.bitwiseOr(Attention.isBursting, ordering: .sequentiallyConsistent)
    }

    /// Winds down connections while there are more than `maxSize`, nobody waits, and the leases in use fit into the others.
    func shrink() {
        guard attention.load(ordering: .sequentiallyConsistent) & Attention.isBursting != 0 else { return }
        guard connections.core.hasExcess else {
            attention.bitwiseAnd(~Attention.isBursting, ordering: .sequentiallyConsistent)
            return noteBurst()
        }
        guard shrinking.noteRelease(), !core.hasWaiters else { return }
        shrinking.perform {
            while true {
                guard !core.hasWaiters, connections.core.hasExcess else { return 1 }
                let usage = countUsage().values
                let staying = usage.filter { !isLeaving($0) }
                let counts = connections.core.counts
                let excess =
                    counts.idle + counts.leased + counts.opening - (usage.count - staying.count) - counts.limits.maxSize
                // Whatever makes more connections stay calls reset().
                guard excess > 0, let coldest = staying.min(by: { $0.inUse < $1.inUse }) else {
                    return Shrinking.untilReset
                }
                let missing = excessLeases(without: coldest, staying)
                if missing > 0 { return missing }
                windDown(coldest.header)
            }
        }
    }

    /// By how much the leases in use exceed what the other connections can have.
    func excessLeases(without one: SharingUsage, _ usage: [SharingUsage]) -> Int {
        let capacity = usage.reduce(0) { $0 + possibleLeases(of: $1) } - possibleLeases(of: one)
        return usage.reduce(0) { $0 + $1.inUse } - capacity
    }

    /// How many leases a connection can have. With the policy `fewestLeases` that is more than it has.
    private func possibleLeases(of one: SharingUsage) -> Int {
        guard settings.spreadsLeases else { return one.state.leases }
        return min(max(0, one.header.pointee.knownLimit.load(ordering: .relaxed)), Self.mostLeases)
    }

    /// Whether the connection is winding down, or will be closed.
    func isLeaving(_ usage: SharingUsage) -> Bool {
        if usage.state.contains(SharingState.isWindingDown) { return true }
        let flags = (UnsafeMutableRawPointer(usage.header) - Connections.recordOffset)
            .assumingMemoryBound(to: ConnectionHeader.self)
        return !flags.pointee.flags(.isRetired).isEmpty
    }

    /// Makes a connection give up its leases when they are idle, and then return. The caller attends to the sweep.
    func windDown(_ header: UnsafeMutablePointer<SharingHeader>) {
        let change = header.pointee.change { state in
            state.isEmpty || state.contains(SharingState.isWindingDown) ? nil : state.with(SharingState.isWindingDown)
        }
        guard change != nil else { return }
        windingDown.add(1, ordering: .sequentiallyConsistent)
        loseLeases(header)
        sweeps.request()
    }
}
