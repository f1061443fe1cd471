public import BurstPool
import Synchronization

extension LockFreeSwiftCore {
    /// Changes the limits; `false` if the core has been shut down.
    public func resize(_ newLimits: _PoolCoreLimits) -> Bool {
        let new = UInt64(low: newLimits.maxSize, high: newLimits.hardLimit)
        var limits = books.pointee.limits.load(ordering: .sequentiallyConsistent)
        while !limits.isShutDown {
            // Pairs with release and joinWait, which read the limits after they have written.
            let (changed, found) = books.pointee.limits.compareExchange(
                expected: limits,
                desired: new | limits & .keepsExcess,
                ordering: .sequentiallyConsistent
            )
            if changed { return true }
            limits = found
        }
        return false
    }

    /// Nothing is leased, opened or waited for from now on, and all idle connections are excess.
    public func shutdown() {
        // With limits of 0 no permit is given out and every idle connection is excess. Pairs with the look at the limits
        // in joinWait and in release: either they see this, or the caller's reconciling sees the waiter or the connection.
        books.pointee.limits.store(.shutDown, ordering: .sequentiallyConsistent)
        changeWaiting { ($0 | .shutDown) & ~.paused }
    }

    /// Nothing is leased and no permit given out until ``resume()``. Without effect after ``shutdown()``.
    public func pause() {
        changeWaiting { $0.isShutDown ? $0 : $0 | .paused }
    }

    /// Ends the pause.
    public func resume() {
        // Whoever has set something free, or joined, before this, and saw the pause in reconciling, did it before it looked;
        // so the caller's reconciling finds it.
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
        return _PoolCoreLimits(maxSize: Int(limits.low & ~UInt32(UInt64.keepsExcess)), hardLimit: Int(limits.high))
    }

    /// Idle, leased, opening and closing, in O(1).
    public var total: Int { Int(books.pointee.places.load(ordering: .acquiring).low) }

    /// Counts all. O(slots).
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

    /// A look at a slot; `nil` if so many were never used. O(1).
    public func slot(at index: Int) -> _PoolCoreSlot<LockFreeSwiftLease>? {
        guard (0..<books.pointee.slots.used).contains(index), let slot = books.pointee.slot(at: index) else {
            return nil
        }
        let word = slot.pointee.word.load(ordering: .acquiring)
        let lease = LockFreeSwiftLease(slot: slot, serial: Slot.serial(of: word))
        return _PoolCoreSlot(state: Slot.state(of: word).seen, lease: lease, serial: lease.serial)
    }

    /// Looks at all leases, at most once in the interval, so that ``oldestLeaseAge(now:)`` knows them.
    public func observeLeases(now: UInt64, interval: UInt64) {
        guard books.pointee.observations.begin(now: now, interval: interval) else { return }
        forEachSlot { index, word in
            guard Slot.state(of: word) == .leased else { return }
            books.pointee.observations.observe(index, serial: Slot.serial(of: word), now: now)
        }
    }

    /// For how long the lease observed longest ago has been out at the least; 0 if none of those observed is out.
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
