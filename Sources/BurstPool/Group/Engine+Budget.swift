// SPDX-License-Identifier: Apache-2.0

import Synchronization

// How a pool of a group opens and closes connections within the total of the group. A pool of its own has no share, and comes
// here only to find that out, on paths that open or close a connection.

extension _PoolEngine {
    // MARK: Opening

    /// Opens a connection for the oldest waiter that needs one, if the group has a place for it. If it has none, the pool waits
    /// for a place, and the thread that frees one opens the connection.
    @usableFromInline
    func openWithinBudget(_ ownTicket: Core.Ticket?) -> Bool {
        // A pool that waits for a place is served in its turn.
        guard let share, !share.isQueued else { return false }
        guard core.hasPermitForWaiter else {
            noteNoPermit()
            return false
        }
        var place: Place?
        let goesOn = openForOldestWaiter(ownTicket, &place)
        if let place { share.releasePlace(place) }
        return goesOn
    }

    private func openForOldestWaiter(_ ownTicket: Core.Ticket?, _ place: inout Place?) -> Bool {
        if let gate { return openThroughGate(gate, ownTicket, &place) }
        guard takePlace(&place) else { return false }
        switch core.beginOpen() {
        case .opening(let ticket, let permit):
            open(permit, for: ticket, nil, in: place.take(), inheritingTask: isSame(ticket, ownTicket))
            return true
        case .outOfMemory:
            failOldestWaiterWithoutMemory()
            return true
        case .nothing:
            return false
        }
    }

    /// Makes sure that a connection which is going to be opened for a waiter has a place. Returns `false` if there is none; the
    /// pool waits for one then. Returns `true` in a pool that belongs to no group.
    func takePlace(_ place: inout Place?) -> Bool {
        guard let share, place == nil else { return true }
        place = share.takePlace()
        if place != nil { return true }
        share.enqueue()
        share.budget.reconcile()
        return false
    }

    /// Notes that a connection which is going to be opened occupies a place.
    func occupy(_ place: Place, with permit: Core.Lease) {
        placeMemory(of: permit).initialize(to: place)
        var slot = 0
        while let other = core.slot(at: slot), core.element(of: other.lease) != core.element(of: permit) { slot += 1 }
        share?.occupy(place, slot: slot, serial: core.serial(of: permit))
    }

    // MARK: Freeing a slot. The place is released after the slot is free: the connection counts until then.

    func freeSlotAfterFailure(_ permit: Core.Lease) {
        guard let share else { return core.cancelOpen(permit) }
        let occupied = placeMemory(of: permit).pointee
        core.cancelOpen(permit)
        share.vacate(occupied, isReclaimed: false)
    }

    func freeSlotAfterClose(_ lease: Core.Lease, _ reason: ConnectionCloseReason) {
        guard let share else { return core.finishClose(lease) }
        let occupied = placeMemory(of: lease).pointee
        core.finishClose(lease)
        share.vacate(occupied, isReclaimed: reason == .reclaimed)
    }

    func freeSlotAfterDetach(_ lease: Core.Lease) {
        guard let share else { return core.detach(lease) }
        let occupied = placeMemory(of: lease).pointee
        core.detach(lease)
        share.vacate(occupied, isReclaimed: false)
    }

    private func placeMemory(of lease: Core.Lease) -> UnsafeMutablePointer<Place> {
        (core.element(of: lease) + Self.placeOffset(settings)).assumingMemoryBound(to: Place.self)
    }
}

extension _PoolEngine: GroupPool where Core == _ConcurrencyKitCore {
    func openGranted(_ place: inout Place?) -> Bool {
        // The loop goes on after a waiter was failed because opening a connection is pointless.
        while place != nil, openForOldestWaiter(nil, &place) {}
        return place == nil
    }

    var needsPlace: Bool { core.hasPermitForWaiter }

    func reportIdle(_ reports: Bool) { core.alwaysReconcile(reports) }

    func observe(_ slot: Int) -> (isIdle: Bool, serial: UInt64)? {
        guard let slot = core.slot(at: slot) else { return nil }
        return (slot.state == .idle, slot.serial)
    }

    func reclaim(_ slot: Int, serial: UInt64) -> Bool {
        guard let wanted = core.slot(at: slot), wanted.state == .idle, wanted.serial == serial else { return false }
        let element = core.element(of: wanted.lease)
        minimumIdle.internalUse.begin()
        defer { endInternalUse() }
        var isFound = false
        var left = core.counts.idle
        while !isFound, left > 0, let lease = core.sweepNext() {
            left -= 1
            // The connection may have been used since it was chosen, and is then no longer the one that was idle for longest.
            isFound = core.element(of: lease) == element && core.serial(of: lease) == serial + 1
            if isFound {
                closeInBackground(lease, .reclaimed)
            } else if core.sweepKeep(lease) {
                serveWaiters()
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { serveWaiters() }
        }
        return isFound
    }

    /// Reconciles without looking for what other pools need: the caller does that.
    private func serveWaiters() {
        _ = serveWaitersAndShrink(mayCloseInline: false, nil)
    }
}
