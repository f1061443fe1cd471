// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

extension LockFreeSwiftCore {
    /// Takes a permit for the oldest waiter that has none.
    public func beginOpen() -> _PoolCoreOpening<LockFreeSwiftTicket, LockFreeSwiftLease> {
        while books.pointee.waiting.load(ordering: .sequentiallyConsistent).permitsAreDue,
            books.pointee.queue.exists(.waiting)
        {
            let permit: LockFreeSwiftLease
            do {
                guard let taken = try reserveSlot() else { return .nothing }
                permit = taken
            } catch {
                return .outOfMemory
            }
            if let ticket = books.pointee.queue.beginOpening() {
                books.pointee.waiting.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
                return .opening(ticket, permit: permit)
            }
            // All waiters have left meanwhile. Another caller may have joined while this thread held the slot, so look
            // again.
            cancelOpen(permit)
        }
        return .nothing
    }

    /// Takes a permit for no waiter. Returns `nil` if a caller waits for one, or if none is free.
    public func beginOpenUnrequested() -> LockFreeSwiftLease? {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        guard !waiting.isShutDown, !waiting.isPaused else { return nil }
        guard waiting.high == 0 || !books.pointee.queue.exists(.waiting) else { return nil }
        return try? reserveSlot()
    }

    /// Reserves a slot for one more connection. Returns `nil` at the hard limit.
    private func reserveSlot() throws(_PoolCoreFailure) -> LockFreeSwiftLease? {
        var total = books.pointee.total.load(ordering: .sequentiallyConsistent)
        while true {
            guard total.low < books.pointee.limits.load(ordering: .sequentiallyConsistent).hardLimit else { return nil }
            let (taken, found) = books.pointee.total.compareExchange(
                expected: total,
                desired: total + 1,
                ordering: .sequentiallyConsistent
            )
            if taken { break }
            total = found
        }
        if let slot = books.pointee.vacant.take() {
            return LockFreeSwiftLease(taking: slot.assumingMemoryBound(to: Slot.self), as: .opening)
        }
        do throws(_PoolCoreFailure) {
            guard let index = try books.pointee.slots.extend(limit: TypeStableTable.capacity),
                let slot = books.pointee.slot(at: index)
            else { throw .outOfMemory }
            return LockFreeSwiftLease(taking: slot, as: .opening)
        } catch {
            books.pointee.total.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            throw error
        }
    }

    /// Frees a reserved slot that is vacant. First the slot and then the count, so that a thread that reserves a slot
    /// finds a vacant one.
    ///
    /// What the caller reads next (whether a caller waits) is read after it, because all of these are sequentially
    /// consistent.
    private func freeSlot(_ slot: UnsafeMutablePointer<Slot>, _ count: UInt64) {
        books.pointee.vacant.put(UnsafeMutableRawPointer(slot))
        books.pointee.total.wrappingSubtract(count, ordering: .sequentiallyConsistent)
    }

    /// Turns a permit into a lease. The caller has opened the connection and written its element.
    public func finishOpen(_ permit: LockFreeSwiftLease) {
        if !permit.move(from: .opening, to: .leased) { Self.leaseHasEnded() }
    }

    /// Ends a permit whose connection did not open, and frees its slot.
    public func cancelOpen(_ permit: LockFreeSwiftLease) {
        guard permit.move(from: .opening, to: .vacant) else { return Self.leaseHasEnded() }
        freeSlot(permit.slot, 1)
    }

    // A close is counted before the state of the lease changes. Otherwise another thread could finish it before it is
    // counted.

    /// Begins to close the connection of this lease.
    public func beginClose(_ lease: LockFreeSwiftLease) {
        books.pointee.total.wrappingAdd(.highOne, ordering: .sequentiallyConsistent)
        _ = beginCountedClose(lease)
    }

    /// Begins to close the connection of this lease if more connections exist than the soft limit, also where excess
    /// connections are kept: a sweep has decided to close this one.
    public func beginCloseExcess(_ lease: LockFreeSwiftLease) -> Bool {
        beginClose(lease) { $0.maxSize }
    }

    /// Begins to close the connection of this lease if more connections exist than the hard limit.
    public func beginCloseAboveHardLimit(_ lease: LockFreeSwiftLease) -> Bool {
        beginClose(lease) { $0.hardLimit }
    }

    private func beginClose(_ lease: LockFreeSwiftLease, above limit: (UInt64) -> UInt32) -> Bool {
        var total = books.pointee.total.load(ordering: .sequentiallyConsistent)
        while Self.exceeds(total, limit(books.pointee.limits.load(ordering: .sequentiallyConsistent))) {
            let (counted, found) = books.pointee.total.compareExchange(
                expected: total,
                desired: total + .highOne,
                ordering: .sequentiallyConsistent
            )
            if counted { return beginCountedClose(lease) }
            total = found
        }
        return false
    }

    private func beginCountedClose(_ lease: LockFreeSwiftLease) -> Bool {
        if lease.move(from: .leased, to: .closing) { return true }
        books.pointee.total.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
        Self.leaseHasEnded()
        return false
    }

    /// Frees the slot of a connection that is closing.
    public func finishClose(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .closing, to: .vacant) else { return Self.leaseHasEnded() }
        freeSlot(lease.slot, 1 + .highOne)
    }

    /// Removes the connection from the pool, and frees its slot.
    public func detach(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .leased, to: .vacant) else { return Self.leaseHasEnded() }
        freeSlot(lease.slot, 1)
    }
}
