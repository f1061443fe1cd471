// SPDX-License-Identifier: Apache-2.0

import Synchronization

// When all places are taken and a pool waits for one, the connection of another pool that has been idle for longest is closed.
//
// No lease reads a clock or writes to anything shared, so nothing knows when a connection was last used. Each look at the
// places compares the serial numbers of the slots, which every lease raises. A connection has been idle at least since the
// first look that saw its present number. Looks happen when a connection is opened, when a pool waits, and in each sweep.

extension PlaceBudget {
    /// A connection that is idle.
    private struct Candidate {
        let since: UInt64
        let number: UInt64
        let cell: KeyCellPointer
        let slot: Int
        let serial: UInt64
    }

    /// Closes idle connections until as many are being closed as pools wait.
    func reclaim() {
        while true {
            let news = idleNews.load(ordering: .sequentiallyConsistent)
            guard reserveReclaim() else { return }
            if closeLongestIdle() { continue }
            reclaiming.subtract(1, ordering: .sequentiallyConsistent)
            // A thread that made a connection idle meanwhile may have found the reservation and have left it to this thread.
            // Pairs with noteIdle(): it counts first, and looks at the reservations then.
            if idleNews.load(ordering: .sequentiallyConsistent) == news { return }
        }
    }

    /// Reserves the close of a connection. Returns `false` if no pool waits for which none is being closed.
    func reserveReclaim() -> Bool {
        var found = reclaiming.load(ordering: .sequentiallyConsistent)
        while found < core.queued {
            let (exchanged, original) = reclaiming.compareExchange(
                expected: found,
                desired: found + 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return true }
            found = original
        }
        return false
    }

    /// Notes that a connection may have become idle while a pool waits.
    func noteIdle() {
        idleNews.add(1, ordering: .sequentiallyConsistent)
        reclaim()
    }

    /// Closes the connection that has been idle for longest. Returns `false` if none is idle.
    private func closeLongestIdle() -> Bool {
        var candidates: [Candidate] = []
        look { candidates.append($0) }
        candidates.sort { ($0.since, $0.number) < ($1.since, $1.number) }
        return candidates.contains { candidate in
            candidate.cell.withShare { $0.pool?.reclaim(candidate.slot, serial: candidate.serial) } ?? false
        }
    }

    /// Looks at all places, and notes which connections have been used since the last look. O(places).
    func look() {
        look { _ in }
    }

    /// Calls `visit` with every idle connection, except those of pools that wait themselves: they have waiters of their own.
    private func look(_ visit: (Candidate) -> Void) {
        let now = clock.now
        let isWanted = hasDemand
        var index = 0
        while let slot = core.slot(at: index) {
            index += 1
            guard slot.state == .opening else { continue }
            let record = record(of: slot.lease)
            let address = record.pointee.cell.load(ordering: .sequentiallyConsistent)
            guard let cell = KeyCellPointer(bitPattern: address) else { continue }
            let slot = record.pointee.slot.load(ordering: .relaxed)
            let candidate = cell.withShare { share -> Candidate? in
                // Before the state of the connection is read: if the connection is in use then, its release reconciles.
                if isWanted { share.lookOutForIdle() }
                guard let seen = share.pool?.observe(slot) else { return nil }
                var since = record.pointee.since.load(ordering: .relaxed)
                if !seen.isIdle || record.pointee.serial.load(ordering: .relaxed) != seen.serial {
                    since = now
                    record.pointee.since.store(since, ordering: .relaxed)
                    record.pointee.serial.store(seen.serial, ordering: .relaxed)
                }
                guard seen.isIdle, !share.isQueued else { return nil }
                let number = record.pointee.number.load(ordering: .relaxed)
                return Candidate(since: since, number: number, cell: cell, slot: slot, serial: seen.serial)
            }
            if let candidate { visit(candidate) }
        }
    }
}
