// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Synchronization

/// What the budget of a group asks of a pool.
protocol GroupPool: AnyObject, Sendable {
    /// Opens a connection in a place for the oldest waiter that needs one. Sets the place to `nil` if it was used. Returns
    /// whether it was.
    func openGranted(_ place: inout Place?) -> Bool
    /// Whether a waiter needs a new connection that the limits of the pool allow.
    var needsPlace: Bool { get }
    /// Makes everything that makes a connection idle reconcile, also while no caller of this pool waits.
    func reportIdle(_ reports: Bool)
    /// Returns whether a slot holds an idle connection, and its serial number; `nil` if it holds none.
    func observe(_ slot: Int) -> (isIdle: Bool, serial: UInt64)?
    /// Closes the connection in a slot if it is idle and still has this serial number. Returns whether it is being closed.
    func reclaim(_ slot: Int, serial: UInt64) -> Bool
}

/// A pool's part in the budget of its group: whether it waits for a place, and its account.
@usableFromInline
final class GroupShare: Sendable {
    let budget: PlaceBudget
    let weight: Int
    /// The cell of the key. Its memory lives as long as the budget.
    let cell: KeyCellPointerBox
    /// Set once, before the first use. Weak, because the pool retains its share.
    nonisolated(unsafe) private(set) weak var pool: (any GroupPool)?

    /// The ticket of the pool in the queue for places; 0 while it is not in the queue.
    private let ticket = Atomic<UInt64>(0)
    private let places = Atomic(0)
    /// The number of places that the pool has, plus 1 for each entry in the queue.
    private let interest = Atomic(0)
    /// How many leases in a row the pool has served to its own waiters while another pool waited.
    private let leasesInTurn = Atomic(0)
    /// Whether everything that makes a connection idle reconciles.
    private let reportsIdle = Atomic(false)

    /// What the pool counts as in the budget's numbers of needy and starving pools.
    private let need = Atomic(Need.none.rawValue)

    private enum Need: Int {
        case none, needy, starving
    }

    private let grants = Atomic(0)
    private let yields = Atomic(0)
    private let reclaims = Atomic(0)
    private let longestWait = Atomic<UInt64>(0)

    init(_ budget: PlaceBudget, weight: Int, cell: KeyCellPointer) {
        self.budget = budget
        self.weight = weight
        self.cell = KeyCellPointerBox(pointer: cell)
    }

    func setPool(_ pool: any GroupPool) {
        self.pool = pool
    }

    // MARK: The account

    /// The number of connections, including opening and closing ones.
    var held: Int { places.load(ordering: .sequentiallyConsistent) }

    /// How many places the pool is entitled to, if every pool that has places or waits for one wants as many as it can get.
    var entitlement: Int {
        let (product, overflow) = budget.maxTotal.multipliedReportingOverflow(by: weight)
        let sum = max(weight, budget.activeWeight.load(ordering: .relaxed))
        return max(1, overflow ? budget.maxTotal : product / sum)
    }

    var account: ConnectionPoolKeyAccount {
        ConnectionPoolKeyAccount(
            weight: weight,
            places: held,
            isWaiting: isQueued,
            grants: grants.load(ordering: .relaxed),
            yields: yields.load(ordering: .relaxed),
            reclaims: reclaims.load(ordering: .relaxed),
            longestWait: .nanoseconds(Int64(clamping: longestWait.load(ordering: .relaxed)))
        )
    }

    private func raiseInterest() {
        if interest.add(1, ordering: .relaxed).oldValue == 0 { budget.activeWeight.add(weight, ordering: .relaxed) }
    }

    private func lowerInterest() {
        if interest.subtract(1, ordering: .relaxed).newValue == 0 {
            budget.activeWeight.subtract(weight, ordering: .relaxed)
        }
    }

    /// Brings the budget's numbers of needy and starving pools up to date. Called after the pool has joined or left the queue,
    /// or has got or lost a place.
    ///
    /// Another thread may store an older need between two steps of this one. It then finds that it has changed something, and
    /// looks again.
    private func noteNeed() {
        var hasChanged: Bool
        repeat {
            let held = held
            let new: Need = !isQueued ? .none : held == 0 ? .starving : held < entitlement ? .needy : .none
            let old = Need(rawValue: need.exchange(new.rawValue, ordering: .sequentiallyConsistent)) ?? .none
            hasChanged = old != new
            let needy = (new == .none ? 0 : 1) - (old == .none ? 0 : 1)
            let starving = (new == .starving ? 1 : 0) - (old == .starving ? 1 : 0)
            if needy != 0 { budget.needy.add(needy, ordering: .sequentiallyConsistent) }
            if starving != 0 { budget.starving.add(starving, ordering: .sequentiallyConsistent) }
        } while hasChanged
    }

    // MARK: Places

    func takePlace() -> Place? { budget.takePlace() }

    func releasePlace(_ place: Place) { budget.release(place) }

    /// Notes that a connection of the pool occupies a place.
    func occupy(_ place: Place, slot: Int, serial: UInt64) {
        places.add(1, ordering: .sequentiallyConsistent)
        raiseInterest()
        noteNeed()
        budget.occupy(place, cell: cell.pointer, slot: slot, serial: serial)
        // A pool that has joined the queue before has looked at the places without finding this one.
        if budget.hasDemand { lookOutForIdle() }
    }

    /// Releases a place after its connection has been closed, or has not opened.
    func vacate(_ place: Place, isReclaimed: Bool) {
        budget.vacate(place)
        places.subtract(1, ordering: .sequentiallyConsistent)
        lowerInterest()
        noteNeed()
        if isReclaimed {
            reclaims.add(1, ordering: .relaxed)
            budget.reclaiming.subtract(1, ordering: .sequentiallyConsistent)
        }
        budget.release(place)
    }

    // MARK: The queue

    /// Whether the pool is in the queue for places.
    var isQueued: Bool { ticket.load(ordering: .sequentiallyConsistent) != 0 }

    /// Joins the queue for places unless the pool is in it. The caller reconciles the budget afterwards.
    ///
    /// Two threads may join at the same time. Both have an entry for a moment, and the second one withdraws its own.
    func enqueue() {
        guard !isQueued else { return }
        raiseInterest()
        guard let entry = budget.join(self) else { return lowerInterest() }
        let (isFirst, _) = ticket.compareExchange(
            expected: 0,
            desired: entry.ticket.value,
            ordering: .sequentiallyConsistent
        )
        if isFirst {
            // The entry may have been served before the ticket was stored: then noteLeft(_:) has not removed it. Pairs with
            // the order there: it notes in the entry first that it has left, and looks at the ticket then.
            if entry.hasLeft.load(ordering: .sequentiallyConsistent) { removeTicket(entry.ticket) }
            noteNeed()
        } else if budget.leave(entry.ticket) {
            lowerInterest()
        }
    }

    /// Notes that an entry of the pool has left the queue because a place is free for it.
    func noteLeft(_ ticket: _ConcurrencyKitCore.Ticket) {
        removeTicket(ticket)
        lowerInterest()
        noteNeed()
    }

    private func removeTicket(_ ticket: _ConcurrencyKitCore.Ticket) {
        _ = self.ticket.compareExchange(expected: ticket.value, desired: 0, ordering: .sequentiallyConsistent)
    }

    func noteWaited(since began: UInt64, now: UInt64) {
        grants.add(1, ordering: .relaxed)
        let waited = now.subtractingSaturated(began)
        var longest = longestWait.load(ordering: .relaxed)
        while waited > longest {
            let (exchanged, found) = longestWait.compareExchange(
                expected: longest,
                desired: waited,
                ordering: .relaxed
            )
            if exchanged { return }
            longest = found
        }
    }

    /// Leaves the queue if no waiter of the pool needs a place any more, because its wait has ended in another way.
    @usableFromInline
    func noteWaitEnded() {
        let value = ticket.load(ordering: .sequentiallyConsistent)
        guard value != 0, pool?.needsPlace == false else { return }
        let ticket = _ConcurrencyKitCore.Ticket(value: value)
        guard budget.leave(ticket) else { return }
        noteLeft(ticket)
        // A caller that joined the pool's queue meanwhile may have found the pool in the queue for places.
        if pool?.needsPlace == true { enqueue() }
        budget.reconcile()
    }

    // MARK: Connections that become idle

    /// Makes everything that makes a connection of this pool idle reconcile. The caller reads then which connections are idle.
    ///
    /// Not skipped if another thread has stored the flag: that thread may be stopped before it has told the pool.
    func lookOutForIdle() {
        reportsIdle.store(true, ordering: .sequentiallyConsistent)
        pool?.reportIdle(true)
    }

    /// Looks, after the pool has reconciled, whether another pool needs a connection that is idle.
    @usableFromInline
    func noteReconciled() {
        guard reportsIdle.load(ordering: .sequentiallyConsistent) else { return }
        if budget.hasDemand { return budget.noteIdle() }
        pool?.reportIdle(false)
        reportsIdle.store(false, ordering: .sequentiallyConsistent)
        // A pool may have joined the queue for places before the flag was cleared.
        guard budget.hasDemand else { return }
        lookOutForIdle()
        budget.noteIdle()
    }

    // MARK: Taking turns

    /// Whether the pool closes a connection that its own waiter could get, so that a waiting pool gets the place.
    ///
    /// - A pool with more places than it is entitled to yields to one that has fewer.
    /// - A pool whose waiters have had their turn yields to one that has none: then there are more such pools than places.
    ///
    /// If this returns `true` the caller closes the connection as reclaimed.
    @usableFromInline
    func yieldsConnection() -> Bool {
        guard budget.hasDemand else {
            if leasesInTurn.load(ordering: .relaxed) != 0 { leasesInTurn.store(0, ordering: .relaxed) }
            return false
        }
        // What the pool is entitled to may have changed because of other pools.
        if isQueued { noteNeed() }
        let leases = leasesInTurn.add(1, ordering: .relaxed).newValue
        let hasTooMany = budget.needy.load(ordering: .sequentiallyConsistent) > 0 && held > entitlement
        let hasHadItsTurn =
            leases > budget.leasesPerTurn * weight && budget.starving.load(ordering: .sequentiallyConsistent) > 0
        guard hasTooMany || hasHadItsTurn, budget.reserveReclaim() else { return false }
        leasesInTurn.store(0, ordering: .relaxed)
        yields.add(1, ordering: .relaxed)
        return true
    }
}

/// The address of a cell, which any thread may have: all that is behind it is accessed as ``KeyCell`` says.
struct KeyCellPointerBox: @unchecked Sendable {
    let pointer: KeyCellPointer
}
