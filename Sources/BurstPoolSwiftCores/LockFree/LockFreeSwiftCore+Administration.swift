// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

extension LockFreeSwiftCore {
    /// Changes the limits. Returns `false` if the core has been shut down.
    public func resize(_ newLimits: _PoolCoreLimits) -> Bool {
        var limits = books.pointee.limits.load(ordering: .sequentiallyConsistent)
        while !limits.isShutDown {
            // Pairs with release and joinWait, which read the limits after they have written.
            let (changed, found) = books.pointee.limits.compareExchange(
                expected: limits,
                desired: UInt64(newLimits, keepsExcess: limits & .keepsExcess != 0),
                ordering: .sequentiallyConsistent
            )
            if changed { return true }
            limits = found
        }
        return false
    }

    /// Shuts the core down: from now on nothing is leased, opened or waited for, and all idle connections are excess.
    public func shutdown() {
        // With limits of 0 the core gives out no permit, and every idle connection is excess. Pairs with the load of
        // the limits in joinWait and in release: either they see this store, or the caller's reconciling sees the
        // waiter or the connection.
        books.pointee.limits.store(.shutDown, ordering: .sequentiallyConsistent)
        changeWaiting { ($0 | .shutDown) & ~.paused }
    }

    /// Pauses the core: it leases nothing and gives out no permit until ``resume()``. No effect after ``shutdown()``.
    public func pause() {
        changeWaiting { $0.isShutDown ? $0 : $0 | .paused }
    }

    /// Ends the pause.
    public func resume() {
        // A thread that saw the pause while it reconciled had freed a slot, or joined, before it looked. So the
        // caller's reconciling finds its work.
        changeWaiting { $0 & ~.paused }
    }

    /// Whether the core is paused.
    public var isPaused: Bool { books.pointee.waiting.load(ordering: .sequentiallyConsistent).isPaused }

    private func changeWaiting(_ change: (UInt64) -> UInt64) {
        var before = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        while true {
            let (changed, found) = books.pointee.waiting.compareExchange(
                expected: before,
                desired: change(before),
                ordering: .sequentiallyConsistent
            )
            if changed { return }
            before = found
        }
    }

    /// Whether ``shutdown()`` was called.
    public var isShutDown: Bool { books.pointee.limits.load(ordering: .sequentiallyConsistent).isShutDown }

    /// The limits in force.
    public var limits: _PoolCoreLimits {
        let limits = books.pointee.limits.load(ordering: .acquiring)
        return _PoolCoreLimits(maxSize: Int(limits.maxSize), hardLimit: Int(limits.hardLimit))
    }

    /// The number of connections, including opening and closing ones. O(1).
    public var total: Int { Int(books.pointee.total.load(ordering: .acquiring).low) }

    /// Counts the connections in each state. O(slots).
    public var counts: _PoolCoreCounts {
        var counts = _PoolCoreCounts(
            idle: 0,
            leased: 0,
            opening: 0,
            closing: 0,
            waiting: Int(books.pointee.waiting.load(ordering: .acquiring).low),
            limits: limits
        )
        forEachSlot { _, word in
            switch Slot.state(of: word) {
            case .vacant: break
            case .idle: counts.idle += 1
            case .leased: counts.leased += 1
            case .opening: counts.opening += 1
            case .closing: counts.closing += 1
            }
        }
        return counts
    }

    /// Looks at a slot, or returns `nil` if fewer slots were ever used. O(1).
    public func slot(at index: Int) -> _PoolCoreSlot<LockFreeSwiftLease>? {
        guard (0..<books.pointee.slots.used).contains(index), let slot = books.pointee.slot(at: index) else {
            return nil
        }
        let word = slot.pointee.word.load(ordering: .acquiring)
        let lease = LockFreeSwiftLease(slot: slot, serial: Slot.serial(of: word))
        return _PoolCoreSlot(state: Slot.state(of: word).seen, lease: lease, serial: lease.serial)
    }

    /// Records which leases exist, unless that was done within `interval` nanoseconds, for ``oldestLeaseAge(now:)``.
    public func observeLeases(now: UInt64, interval: UInt64) {
        guard books.pointee.observations.begin(now: now, interval: interval) else { return }
        forEachSlot { index, word in
            guard Slot.state(of: word) == .leased else { return }
            books.pointee.observations.observe(index, serial: Slot.serial(of: word), now: now)
        }
    }

    /// The least age of the oldest recorded lease that has not ended, in nanoseconds, or 0 if there is none.
    public func oldestLeaseAge(now: UInt64) -> UInt64 {
        var oldest = now
        forEachSlot { index, word in
            guard Slot.state(of: word) == .leased else { return }
            guard let at = books.pointee.observations.time(index, serial: Slot.serial(of: word)) else { return }
            oldest = min(oldest, at)
        }
        return now - oldest
    }

    private func forEachSlot(_ body: (_ index: Int, _ word: UInt64) -> Void) {
        for index in 0..<books.pointee.slots.used {
            guard let slot = books.pointee.slot(at: index) else { continue }
            body(index, slot.pointee.word.load(ordering: .relaxed))
        }
    }
}

extension Slot.State {
    fileprivate var seen: _PoolCoreSlotState {
        switch self {
        case .vacant: .vacant
        case .opening: .opening
        case .idle: .idle
        case .leased: .leased
        case .closing: .closing
        }
    }
}
