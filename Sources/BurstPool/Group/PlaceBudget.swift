// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A place for one connection within the total of a group.
@usableFromInline
typealias Place = _ConcurrencyKitCore.Lease

/// The total of a group: its places, and the pools that wait for one.
///
/// The budget is a core of its own, the same code that a pool runs on. Its connections are the places: a permit of this core is
/// the right to have one connection in one of the pools. Its waiters are pools: a pool that needs a place and finds none joins
/// the wait queue, once, however many of its callers wait. So the properties that matter are those of the core, which are checked
/// by machine: the total is never exceeded, no pool overtakes one that waits, and no wake-up is lost between a thread that
/// returns a place and one that joins the queue.
///
/// - ``takePlace()``: a permit for no waiter, which the core refuses while a pool waits.
/// - ``join(_:)``: a wait of a pool, followed by ``reconcile()``.
/// - ``release(_:)``: the end of a permit, followed by ``reconcile()``.
///
/// A place that becomes free goes to the pool at the head of the queue. A pool that needs more than one place joins again, at
/// the end, so pools that wait take turns.
@usableFromInline
final class PlaceBudget: Sendable {
    /// What a waiting pool has in the queue.
    final class Entry: Sendable {
        let share: GroupShare
        let ticket: _ConcurrencyKitCore.Ticket
        let began: UInt64
        /// Whether the entry has left the queue.
        let hasLeft = Atomic(false)

        init(_ share: GroupShare, _ ticket: _ConcurrencyKitCore.Ticket, began: UInt64) {
            self.share = share
            self.ticket = ticket
            self.began = began
        }
    }

    let core: _ConcurrencyKitCore
    let cells: KeyCells
    let maxTotal: Int
    let clock: PoolClock
    /// How many leases in a row a pool with a weight of 1 may serve its own waiters while a pool without a place waits.
    let leasesPerTurn: Int
    /// The connections that are being closed so that a waiting pool gets the place, or for which one is being looked for.
    let reclaiming = Atomic(0)
    /// Changes whenever a connection may have become idle while a pool waits, and whenever a pool begins to wait.
    let idleNews = Atomic(0)
    /// The number of waiting pools with fewer places than they are entitled to, and of waiting pools without any place.
    let needy = Atomic(0)
    let starving = Atomic(0)
    /// The sum of the weights of the pools that have a place or wait for one.
    let activeWeight = Atomic(0)
    /// The number of connections that were opened.
    let opened = Atomic<UInt64>(0)
    /// Fires when a place was returned, for shutdowns.
    let returned = Broadcast()

    init(maxTotal: Int, leasesPerTurn: Int, clock: PoolClock, cells: KeyCells) throws(_PoolCoreFailure) {
        self.maxTotal = maxTotal
        self.leasesPerTurn = leasesPerTurn
        self.clock = clock
        self.cells = cells
        final class NoOwner {}
        core = try _ConcurrencyKitCore(
            _PoolCoreConfiguration(
                limits: _PoolCoreLimits(maxSize: maxTotal, hardLimit: maxTotal),
                elementSize: MemoryLayout<PlaceRecord>.size,
                elementAlignment: MemoryLayout<PlaceRecord>.alignment,
                stripes: 1,
                owner: Unmanaged<AnyObject>.passRetained(NoOwner())
            )
        )
    }

    deinit {
        // Every pool with a place or in the queue retains the budget.
        core.destroy()
    }

    /// The connections of all pools.
    var total: Int { core.total }

    /// Whether a pool waits for a place.
    var hasDemand: Bool { core.queued > 0 }

    // MARK: Taking and returning

    /// Takes a free place. Returns `nil` if there is none, or if a pool waits for one.
    func takePlace() -> Place? { core.beginOpenUnrequested() }

    func release(_ place: Place) {
        core.cancelOpen(place)
        returned.fire()
        reconcile()
    }

    /// Gives free places to the pools that wait, and then, if some still wait, closes idle connections of other pools for them.
    func reconcile() {
        serve()
        if hasDemand { reclaim() }
    }

    /// Puts a pool into the queue. Returns `nil` if there is no memory.
    func join(_ share: GroupShare) -> Entry? {
        guard let ticket = try? core.prepareWait() else { return nil }
        let entry = Entry(share, ticket, began: clock.now)
        let context = Unmanaged.passRetained(entry)
        guard case .joined = core.joinWait(ticket, context: context.toOpaque(), deadline: .max) else {
            context.release()
            return nil
        }
        // For a thread that looks for an idle connection on behalf of a pool that no longer waits: it looks again.
        idleNews.add(1, ordering: .sequentiallyConsistent)
        return entry
    }

    /// Takes a pool out of the queue. Returns whether it was still there.
    func leave(_ ticket: _ConcurrencyKitCore.Ticket) -> Bool {
        guard case .claimed(let context) = core.claimWait(ticket) else { return false }
        Unmanaged<Entry>.fromOpaque(context).takeRetainedValue().hasLeft.store(true, ordering: .sequentiallyConsistent)
        return true
    }

    /// Gives free places to the pools that wait, the oldest first.
    ///
    /// This is the loop of reconciling, with pools in the place of callers. It never waits for another thread. When it finds
    /// nothing to do it returns, because the thread that returns the next place, or that joins the queue, runs it again.
    private func serve() {
        /// How many more pools with more than their part may be sent to the end of the queue.
        var deferrals = core.queued
        while case .opening(let ticket, let place) = core.beginOpen() {
            guard case .claimed(let context) = core.claimWait(ticket) else {
                core.cancelOpen(place)
                continue
            }
            let entry = Unmanaged<Entry>.fromOpaque(context).takeRetainedValue()
            let share = entry.share
            entry.hasLeft.store(true, ordering: .sequentiallyConsistent)
            share.noteLeft(ticket)
            if deferrals > 0, share.held >= share.entitlement, needy.load(ordering: .sequentiallyConsistent) > 0 {
                deferrals -= 1
                // In this order: while the pool is in no queue, the place is not free for a pool that comes now.
                share.enqueue()
                core.cancelOpen(place)
                continue
            }
            share.noteWaited(since: entry.began, now: clock.now)
            var granted: Place? = place
            let pool = share.pool
            let hasOpened = pool?.openGranted(&granted) ?? false
            if let unused = granted { core.cancelOpen(unused) }
            // Callers that have found the pool in the queue rely on this thread.
            if hasOpened, pool?.needsPlace == true { share.enqueue() }
        }
    }
}

/// Which connection occupies a place, stored in the budget's slot for the place. Any thread may read it at any time: what it
/// says is checked against the pool before anything is done.
struct PlaceRecord: ~Copyable {
    /// The address of the cell of the key; 0 while the place is free.
    let cell: Atomic<UInt>
    /// The index of the connection's slot in its pool.
    let slot: Atomic<Int>
    /// The serial number that the slot had when it was last looked at, and the moment of the first look that saw that number.
    let serial: Atomic<UInt64>
    let since: Atomic<UInt64>
    /// The number of the connection in the order in which the connections of the group were opened.
    let number: Atomic<UInt64>
}

extension PlaceBudget {
    func record(of place: Place) -> UnsafeMutablePointer<PlaceRecord> {
        core.element(of: place).assumingMemoryBound(to: PlaceRecord.self)
    }

    /// Notes which connection occupies a place.
    func occupy(_ place: Place, cell: KeyCellPointer, slot: Int, serial: UInt64) {
        let record = record(of: place)
        record.pointee.slot.store(slot, ordering: .relaxed)
        record.pointee.serial.store(serial, ordering: .relaxed)
        record.pointee.since.store(clock.now, ordering: .relaxed)
        record.pointee.number.store(opened.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
        // Sequentially consistent: the caller looks next whether a pool waits. Pairs with the read in lookForIdle(), which
        // comes after a pool has joined the queue.
        record.pointee.cell.store(UInt(bitPattern: cell), ordering: .sequentiallyConsistent)
    }

    func vacate(_ place: Place) {
        record(of: place).pointee.cell.store(0, ordering: .sequentiallyConsistent)
    }
}
