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
                guard let taken = try takePlace() else { return .nothing }
                permit = taken
            } catch {
                return .outOfMemory
            }
            if let ticket = books.pointee.queue.beginOpening() {
                books.pointee.waiting.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
                return .opening(ticket, permit: permit)
            }
            // They have all gone meanwhile. Another may join while the place is in hand, so look again after.
            cancelOpen(permit)
        }
        return .nothing
    }

    /// Takes a permit for nobody who waits; `nil` if somebody waits for one, or none is to be had.
    public func beginOpenUnrequested() -> LockFreeSwiftLease? {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        guard !waiting.isShutDown, !waiting.isPaused else { return nil }
        guard waiting.high == 0 || !books.pointee.queue.exists(.waiting) else { return nil }
        return try? takePlace()
    }

    /// Takes a place for one more connection, and a slot for it; `nil` at the limit.
    private func takePlace() throws(_PoolCoreFailure) -> LockFreeSwiftLease? {
        var places = books.pointee.places.load(ordering: .sequentiallyConsistent)
        while true {
            guard places.low < books.pointee.limits.load(ordering: .sequentiallyConsistent).high else { return nil }
            let (taken, found) = books.pointee.places.compareExchange(
                expected: places,
                desired: places + 1,
                ordering: .sequentiallyConsistent
            )
            if taken { break }
            places = found
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
            books.pointee.places.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            throw error
        }
    }

    /// Gives back a place whose slot is vacant. The slot first, so that whoever takes the place finds one.
    ///
    /// What the caller reads next (does somebody wait?) is read after it, all being sequentially consistent.
    private func giveBack(_ slot: UnsafeMutablePointer<Slot>, _ place: UInt64) {
        books.pointee.vacant.put(UnsafeMutableRawPointer(slot))
        books.pointee.places.wrappingSubtract(place, ordering: .sequentiallyConsistent)
    }

    /// The connection is open, its element written: the permit is a lease now.
    public func finishOpen(_ permit: LockFreeSwiftLease) {
        if !permit.move(from: .opening, to: .leased) { Self.leaseHasEnded() }
    }

    /// The connection did not open: the place is free, and the permit has ended.
    public func cancelOpen(_ permit: LockFreeSwiftLease) {
        guard permit.move(from: .opening, to: .vacant) else { return Self.leaseHasEnded() }
        giveBack(permit.slot, 1)
    }

    // A close is counted before the lease is in closing: else another thread could finish it before it is counted.

    /// The connection of this lease is going to be closed.
    public func beginClose(_ lease: LockFreeSwiftLease) {
        books.pointee.places.wrappingAdd(.highOne, ordering: .sequentiallyConsistent)
        _ = beginCountedClose(lease)
    }

    /// The same, only if there is an excess: also where excess connections are kept, because a sweep has decided to close it.
    public func beginCloseExcess(_ lease: LockFreeSwiftLease) -> Bool {
        var places = books.pointee.places.load(ordering: .sequentiallyConsistent)
        while Self.isExcess(
            places: places,
            limits: books.pointee.limits.load(ordering: .sequentiallyConsistent) & ~.keepsExcess
        ) {
            let (counted, found) = books.pointee.places.compareExchange(
                expected: places,
                desired: places + .highOne,
                ordering: .sequentiallyConsistent
            )
            if counted { return beginCountedClose(lease) }
            places = found
        }
        return false
    }

    private func beginCountedClose(_ lease: LockFreeSwiftLease) -> Bool {
        if lease.move(from: .leased, to: .closing) { return true }
        books.pointee.places.wrappingSubtract(.highOne, ordering: .sequentiallyConsistent)
        Self.leaseHasEnded()
        return false
    }

    /// Frees the slot of a connection that is closing.
    public func finishClose(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .closing, to: .vacant) else { return Self.leaseHasEnded() }
        giveBack(lease.slot, 1 + .highOne)
    }

    /// Takes the connection out of the pool: its place is free.
    public func detach(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .leased, to: .vacant) else { return Self.leaseHasEnded() }
        giveBack(lease.slot, 1)
    }
}
