public import BurstPool
import Synchronization

/// A pool's core of plain collections behind one lock: the naive baseline. For comparisons, not for production.
///
/// Written as one would write a pool without thinking of locks at all: each operation takes the one `Mutex`, and leasing,
/// returning, joining, leaving and handing over are O(1) in it.
public final class MutexCore: _PoolCore {
    private let books: Mutex<MutexBooks>
    private let elementSize: Int
    private let elementAlignment: Int
    /// Only kept, and released.
    private nonisolated(unsafe) let owner: Unmanaged<AnyObject>

    /// Makes a core without connections, which holds the owner from now on. It never throws: where memory is short, Swift's
    /// collections end the program.
    public init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        books = Mutex(
            MutexBooks(
                limits: configuration.limits,
                keepsExcess: configuration.keepsExcess,
                maxWaiters: configuration.maxWaiters
            )
        )
        elementSize = max(configuration.elementSize, 1)
        elementAlignment = configuration.elementAlignment
        owner = configuration.owner
    }

    /// Frees the elements, and releases the owner.
    public func destroy() {
        books.withLock { books in
            assert(books.total == 0 && books.line.isEmpty, "connections or waiters are left")
            for slot in books.slots { slot.element.deallocate() }
            books.slots = []
            books.vacant = []
        }
        owner.release()
    }

    /// Bytes that the core has of the system, about.
    public var memory: Int {
        books.withLock { books in
            books.slots.capacity * MemoryLayout<MutexBooks.Slot>.stride + books.slots.count * elementSize
                + (books.idle.capacity + books.swept.capacity + books.vacant.capacity) * MemoryLayout<Int>.stride
                + books.line.memory + books.prepared.capacity * MemoryLayout<UInt64>.stride
        }
    }

    // MARK: The hot path

    /// Takes an idle connection, unless somebody waits for one.
    public func tryAcquire() -> MutexLease? {
        books.withLock { books in
            books.isShutDown || books.isPaused || !books.line.isEmpty ? nil : books.takeIdle()
        }
    }

    /// Returns a connection, which is idle afterwards.
    public func release(_ lease: MutexLease) -> Bool {
        books.withLock { books in
            books.returnIdle(lease)
            return books.needsReconciling
        }
    }

    /// The element of a slot, for whoever holds the lease.
    public func element(of lease: MutexLease) -> UnsafeMutableRawPointer { lease.element }

    /// The serial number of a lease, which no other lease of the slot has.
    public func serial(of lease: MutexLease) -> UInt64 { lease.serial }

    // MARK: Opening and closing

    /// Takes a permit for the oldest waiter that has none.
    public func beginOpen() -> _PoolCoreOpening<MutexTicket, MutexLease> {
        books.withLock { books in
            guard books.hasPermitForWaiter, let ticket = books.line.givePermit() else { return .nothing }
            let permit = books.takePlace(elementSize: elementSize, elementAlignment: elementAlignment)
            return .opening(MutexTicket(number: ticket), permit: permit)
        }
    }

    /// Takes a permit for nobody who waits; `nil` if somebody waits for one, or none is to be had.
    public func beginOpenUnrequested() -> MutexLease? {
        books.withLock { books in
            guard !books.isPaused, books.line.countWithoutPermit == 0, books.total < books.limits.hardLimit else {
                return nil
            }
            return books.takePlace(elementSize: elementSize, elementAlignment: elementAlignment)
        }
    }

    /// The connection is open, its element written: the permit is a lease now.
    public func finishOpen(_ permit: MutexLease) {
        books.withLock { books in
            books.move(permit, from: .opening, to: .leased)
            books.opening -= 1
            books.leased += 1
        }
    }

    /// The connection did not open: the place is free, and the permit has ended.
    public func cancelOpen(_ permit: MutexLease) {
        books.withLock { books in
            books.move(permit, from: .opening, to: .vacant)
            books.opening -= 1
            books.vacant.append(permit.index)
        }
    }

    /// The connection of this lease is going to be closed.
    public func beginClose(_ lease: MutexLease) {
        books.withLock { books in
            books.move(lease, from: .leased, to: .closing)
            books.leased -= 1
            books.closing += 1
        }
    }

    /// The same, only if there is a excess.
    public func beginCloseExcess(_ lease: MutexLease) -> Bool {
        books.withLock { books in
            guard books.hasExcess else { return false }
            books.move(lease, from: .leased, to: .closing)
            books.leased -= 1
            books.closing += 1
            return true
        }
    }

    /// Frees the slot of a connection that is closing.
    public func finishClose(_ lease: MutexLease) {
        books.withLock { books in
            books.move(lease, from: .closing, to: .vacant)
            books.closing -= 1
            books.vacant.append(lease.index)
        }
    }

    /// Takes the connection out of the pool: its place is free.
    public func detach(_ lease: MutexLease) {
        books.withLock { books in
            books.move(lease, from: .leased, to: .vacant)
            books.leased -= 1
            books.vacant.append(lease.index)
        }
    }

    // MARK: Waiting

    /// Gives out a ticket, so that the wait can be cancelled from now on.
    public func prepareWait() throws(_PoolCoreFailure) -> MutexTicket {
        let ticket: MutexTicket? = books.withLock { books in
            guard !books.isShutDown else { return nil }
            books.lastTicket += 1
            books.prepared.insert(books.lastTicket)
            return MutexTicket(number: books.lastTicket)
        }
        guard let ticket else { throw .shutDown }
        return ticket
    }

    /// Joins the line at its end.
    public func joinWait(_ ticket: MutexTicket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining {
        let address = UInt(bitPattern: context)
        return books.withLock { books in
            guard books.prepared.remove(ticket.number) != nil else { return .cancelled }
            guard !books.isShutDown else { return .shutDown }
            guard !books.lineIsFull else { return .tooManyWaiters }
            return .joined(isEarliest: books.line.append(ticket.number, context: address, deadline: deadline))
        }
    }

    /// Makes this waiter go, wherever it stands in the line.
    public func claimWait(_ ticket: MutexTicket) -> _PoolCoreClaim {
        books.withLock { books in
            if books.prepared.remove(ticket.number) != nil { return .claimedBeforeJoining }
            return books.line.remove(ticket.number).map { .claimed($0) } ?? .tooLate
        }
    }

    /// The waiter whose connection did not open waits for a permit again, in its old place.
    public func requeueWait(_ ticket: MutexTicket) -> Bool {
        books.withLock { $0.line.takePermitBack(ticket.number) }
    }

    /// Makes the oldest waiter go.
    public func handOff() -> UnsafeRawPointer? {
        books.withLock { $0.line.removeFirst() }
    }

    /// Makes waiters go whose deadline has passed.
    public func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        let (expired, next) = books.withLock { books in
            (books.line.removeExpired(now: now), books.line.earliestDeadline)
        }
        expired.forEach(resume)
        return next == .max ? nil : next
    }

    /// No later than the earliest deadline of those who wait.
    public var nextDeadline: UInt64? {
        let deadline = books.withLock { $0.line.earliestDeadline }
        return deadline == .max ? nil : deadline
    }

    /// How many callers wait.
    public var waiting: Int { books.withLock { $0.line.count } }

    /// How many of these have no permit.
    public var queued: Int { books.withLock { $0.line.countWithoutPermit } }

    /// A number that no other wait ever has.
    public func number(of ticket: MutexTicket) -> UInt64 { ticket.number }

    // MARK: Reconciling

    /// Whether somebody waits for a connection, and the core is not paused.
    public var hasWaiters: Bool { books.withLock { $0.hasWaiters } }

    /// Whether somebody waits who has no permit, there is room for one more connection, and the core is not paused.
    public var hasPermitForWaiter: Bool { books.withLock { $0.hasPermitForWaiter } }

    /// Whether more connections exist, those closing not counted, than the soft limit.
    public var hasExcess: Bool { books.withLock { $0.hasExcess } }

    /// Takes an idle connection though somebody may wait.
    public func takeIdle() -> MutexLease? { books.withLock { $0.takeIdle() } }

    /// Puts back what ``takeIdle()`` took.
    public func returnIdle(_ lease: MutexLease) { books.withLock { $0.returnIdle(lease) } }

    // MARK: Sweeping

    /// Takes an idle connection that the sweep has not come by.
    public func sweepNext() -> MutexLease? { books.withLock { $0.sweepNext() } }

    /// Returns a connection to those that a sweep has looked at.
    public func sweepKeep(_ lease: MutexLease) -> Bool {
        books.withLock { books in
            books.sweepKeep(lease)
            return books.needsReconciling
        }
    }

    /// Ends a sweep: puts back what it has put aside.
    public func sweepEnd() -> Bool? {
        books.withLock { books in
            books.sweepEnd() ? books.needsReconciling : nil
        }
    }

    // MARK: Administration

    /// Nothing is leased and no permit given out until ``resume()``.
    public func pause() { books.withLock { $0.isPaused = !$0.isShutDown } }

    /// Ends the pause.
    public func resume() { books.withLock { $0.isPaused = false } }

    /// Whether the core is paused.
    public var isPaused: Bool { books.withLock { $0.isPaused } }

    /// Changes the limits; `false` if the core has been shut down.
    public func resize(_ limits: _PoolCoreLimits) -> Bool {
        books.withLock { books in
            guard !books.isShutDown else { return false }
            books.limits = limits
            return true
        }
    }

    /// Nothing is leased, opened or waited for from now on, and all idle connections are excess.
    public func shutdown() {
        books.withLock { books in
            books.isShutDown = true
            books.isPaused = false
            books.limits = _PoolCoreLimits(maxSize: 0, hardLimit: 0)
            books.keepsExcess = false
        }
    }

    /// The limits in force.
    public var limits: _PoolCoreLimits { books.withLock { $0.limits } }

    /// Whether ``shutdown()`` was called.
    public var isShutDown: Bool { books.withLock { $0.isShutDown } }

    /// Idle, leased, opening and closing.
    public var total: Int { books.withLock { $0.total } }

    /// Counts all.
    public var counts: _PoolCoreCounts {
        books.withLock { books in
            _PoolCoreCounts(
                idle: books.idle.count + books.swept.count,
                leased: books.leased,
                opening: books.opening,
                closing: books.closing,
                waiting: books.line.count,
                limits: books.limits
            )
        }
    }

    /// A look at a slot; `nil` if so many were never used.
    public func slot(at index: Int) -> _PoolCoreSlot<MutexLease>? {
        books.withLock { books in
            guard books.slots.indices.contains(index) else { return nil }
            let slot = books.slots[index]
            let lease = MutexLease(index: index, serial: slot.serial, element: slot.element)
            return _PoolCoreSlot(state: slot.state, lease: lease, serial: slot.serial)
        }
    }

    /// Looks at all leases, at most once in the interval, so that ``oldestLeaseAge(now:)`` knows them.
    public func observeLeases(now: UInt64, interval: UInt64) {
        books.withLock { books in
            guard books.observedAt == 0 || (now > books.observedAt && now - books.observedAt >= interval) else {
                return
            }
            books.observedAt = now
            for index in books.slots.indices where books.slots[index].state == .leased {
                guard books.slots[index].observedSerial != books.slots[index].serial else { continue }
                books.slots[index].observedSerial = books.slots[index].serial
                books.slots[index].observedAt = now
            }
        }
    }

    /// For how long the lease observed longest ago has been out at the least; 0 if none of those observed is out.
    public func oldestLeaseAge(now: UInt64) -> UInt64 {
        books.withLock { books in
            books.slots.reduce(0) { age, slot in
                guard slot.state == .leased, slot.observedSerial == slot.serial, slot.observedAt <= now else {
                    return age
                }
                return max(age, now - slot.observedAt)
            }
        }
    }
}
