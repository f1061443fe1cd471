// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

/// A pool's core of plain collections behind one lock: the naive baseline. For comparisons, not for production.
///
/// Each operation takes the one `Mutex`, as in a pool that is written without regard to the cost of locks. Acquiring,
/// releasing, joining, leaving and handing off are O(1).
public final class MutexCore: _PoolCore {
    private let books: Mutex<MutexBooks>
    private let elementSize: Int
    private let elementAlignment: Int
    /// Only held, and released in `destroy()`.
    private nonisolated(unsafe) let owner: Unmanaged<AnyObject>

    /// Creates a core without connections. It holds the owner from now on. It never throws, because Swift's collections
    /// end the program when memory is short.
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
            assert(books.total == 0 && books.queue.isEmpty, "connections or waiters are left")
            for slot in books.slots { slot.element.deallocate() }
            books.slots = []
            books.vacant = []
        }
        owner.release()
    }

    /// The approximate number of bytes that the core has allocated.
    public var memory: Int {
        books.withLock { books in
            books.slots.capacity * MemoryLayout<MutexBooks.Slot>.stride + books.slots.count * elementSize
                + (books.idle.capacity + books.swept.capacity + books.vacant.capacity) * MemoryLayout<Int>.stride
                + books.queue.memory + books.prepared.capacity * MemoryLayout<UInt64>.stride
        }
    }

    // MARK: The fast path

    /// Takes an idle connection, unless a caller waits for one.
    public func tryAcquire() -> MutexLease? {
        books.withLock { books in
            books.isShutDown || books.isPaused || !books.queue.isEmpty ? nil : books.takeIdle()
        }
    }

    /// Makes the connection of a lease idle.
    public func release(_ lease: MutexLease) -> Bool {
        books.withLock { books in
            books.returnIdle(lease)
            return books.needsReconciling
        }
    }

    /// Returns the element of a slot. The caller must hold the lease.
    public func element(of lease: MutexLease) -> UnsafeMutableRawPointer { lease.element }

    /// The serial number of a lease, which no other lease of the slot has.
    public func serial(of lease: MutexLease) -> UInt64 { lease.serial }

    // MARK: Opening and closing

    /// Takes a permit for the oldest waiter that has none.
    public func beginOpen() -> _PoolCoreOpening<MutexTicket, MutexLease> {
        books.withLock { books in
            guard books.hasPermitForWaiter, let ticket = books.queue.giveOutPermit() else { return .nothing }
            let permit = books.reserveSlot(elementSize: elementSize, elementAlignment: elementAlignment)
            return .opening(MutexTicket(number: ticket), permit: permit)
        }
    }

    /// Takes a permit for no waiter. Returns `nil` if a caller waits for one, or if none is free.
    public func beginOpenUnrequested() -> MutexLease? {
        books.withLock { books in
            guard !books.isPaused, books.queue.countWithoutPermit == 0, books.total < books.limits.hardLimit else {
                return nil
            }
            return books.reserveSlot(elementSize: elementSize, elementAlignment: elementAlignment)
        }
    }

    /// Turns a permit into a lease. The caller has opened the connection and written its element.
    public func finishOpen(_ permit: MutexLease) {
        books.withLock { books in
            books.move(permit, from: .opening, to: .leased)
            books.opening -= 1
            books.leased += 1
        }
    }

    /// Ends a permit whose connection did not open, and frees its slot.
    public func cancelOpen(_ permit: MutexLease) {
        books.withLock { books in
            books.move(permit, from: .opening, to: .vacant)
            books.opening -= 1
            books.vacant.append(permit.index)
        }
    }

    /// Begins to close the connection of this lease.
    public func beginClose(_ lease: MutexLease) {
        books.withLock { books in
            books.move(lease, from: .leased, to: .closing)
            books.leased -= 1
            books.closing += 1
        }
    }

    /// Begins to close the connection of this lease if more connections exist than the soft limit.
    public func beginCloseExcess(_ lease: MutexLease) -> Bool {
        beginClose(lease) { $0.maxSize }
    }

    /// Begins to close the connection of this lease if more connections exist than the hard limit.
    public func beginCloseAboveHardLimit(_ lease: MutexLease) -> Bool {
        beginClose(lease) { $0.hardLimit }
    }

    private func beginClose(_ lease: MutexLease, above limit: (_PoolCoreLimits) -> Int) -> Bool {
        books.withLock { books in
            guard books.total - books.closing > limit(books.limits) else { return false }
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

    /// Removes the connection from the pool, and frees its slot.
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

    /// Joins the queue at its end.
    public func joinWait(_ ticket: MutexTicket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining {
        let address = UInt(bitPattern: context)
        return books.withLock { books in
            guard books.prepared.remove(ticket.number) != nil else { return .cancelled }
            guard !books.isShutDown else { return .shutDown }
            guard !books.lineIsFull else { return .tooManyWaiters }
            return .joined(isEarliest: books.queue.append(ticket.number, context: address, deadline: deadline))
        }
    }

    /// Removes this waiter, wherever it is in the queue.
    public func claimWait(_ ticket: MutexTicket) -> _PoolCoreClaim {
        books.withLock { books in
            if books.prepared.remove(ticket.number) != nil { return .claimedBeforeJoining }
            return books.queue.remove(ticket.number).map { .claimed($0) } ?? .tooLate
        }
    }

    /// Makes a waiter whose connection did not open wait for a permit again, at its position in the queue.
    public func requeueWait(_ ticket: MutexTicket) -> Bool {
        books.withLock { $0.queue.requeue(ticket.number) }
    }

    /// Removes the oldest waiter.
    public func handOff() -> UnsafeRawPointer? {
        books.withLock { $0.queue.removeFirst() }
    }

    /// Removes waiters whose deadline has passed.
    public func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64? {
        let (expired, next) = books.withLock { books in
            (books.queue.removeExpired(now: now), books.queue.earliestDeadline)
        }
        expired.forEach(resume)
        return next == .max ? nil : next
    }

    /// A time no later than the earliest deadline of the waiters.
    public var nextDeadline: UInt64? {
        let deadline = books.withLock { $0.queue.earliestDeadline }
        return deadline == .max ? nil : deadline
    }

    /// The number of waiters.
    public var waiting: Int { books.withLock { $0.queue.count } }

    /// The number of waiters without a permit.
    public var queued: Int { books.withLock { $0.queue.countWithoutPermit } }

    /// A number that no other wait ever has.
    public func number(of ticket: MutexTicket) -> UInt64 { ticket.number }

    // MARK: Reconciling

    /// Whether a caller waits for a connection, and the core is not paused.
    public var hasWaiters: Bool { books.withLock { $0.hasWaiters } }

    /// Whether a waiter has no permit although a slot is free, and the core is not paused.
    public var hasPermitForWaiter: Bool { books.withLock { $0.hasPermitForWaiter } }

    /// Whether more connections exist than the soft limit. Closing connections do not count.
    public var hasExcess: Bool { books.withLock { $0.hasExcess } }

    /// Takes an idle connection although callers may be waiting.
    public func takeIdle() -> MutexLease? { books.withLock { $0.takeIdle() } }

    /// Returns a connection that ``takeIdle()`` has taken.
    public func returnIdle(_ lease: MutexLease) { books.withLock { $0.returnIdle(lease) } }

    // MARK: Sweeping

    /// Takes the next idle connection that the sweep has not looked at.
    public func sweepNext() -> MutexLease? { books.withLock { $0.sweepNext() } }

    /// Returns a connection that the sweep has looked at. Returns whether the caller must reconcile.
    public func sweepKeep(_ lease: MutexLease) -> Bool {
        books.withLock { books in
            books.sweepKeep(lease)
            return books.needsReconciling
        }
    }

    /// Ends a sweep: returns the connections that it has set aside. Returns whether the caller must reconcile.
    public func sweepEnd() -> Bool? {
        books.withLock { books in
            books.sweepEnd() ? books.needsReconciling : nil
        }
    }

    // MARK: Administration

    /// Pauses the core: it leases nothing and gives out no permit until ``resume()``.
    public func pause() { books.withLock { $0.isPaused = !$0.isShutDown } }

    /// Ends the pause.
    public func resume() { books.withLock { $0.isPaused = false } }

    /// Whether the core is paused.
    public var isPaused: Bool { books.withLock { $0.isPaused } }

    /// Changes the limits. Returns `false` if the core has been shut down.
    public func resize(_ limits: _PoolCoreLimits) -> Bool {
        books.withLock { books in
            guard !books.isShutDown else { return false }
            books.limits = limits
            return true
        }
    }

    /// Shuts the core down: from now on nothing is leased, opened or waited for, and all idle connections are excess.
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

    /// The number of connections, including opening and closing ones.
    public var total: Int { books.withLock { $0.total } }

    /// Counts the connections in each state.
    public var counts: _PoolCoreCounts {
        books.withLock { books in
            _PoolCoreCounts(
                idle: books.idle.count + books.swept.count,
                leased: books.leased,
                opening: books.opening,
                closing: books.closing,
                waiting: books.queue.count,
                limits: books.limits
            )
        }
    }

    /// Looks at a slot, or returns `nil` if fewer slots were ever used.
    public func slot(at index: Int) -> _PoolCoreSlot<MutexLease>? {
        books.withLock { books in
            guard books.slots.indices.contains(index) else { return nil }
            let slot = books.slots[index]
            let lease = MutexLease(index: index, serial: slot.serial, element: slot.element)
            return _PoolCoreSlot(state: slot.state, lease: lease, serial: slot.serial)
        }
    }

    /// Records which leases exist, unless that was done within `interval` nanoseconds, for ``oldestLeaseAge(now:)``.
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

    /// The least age of the oldest recorded lease that has not ended, in nanoseconds, or 0 if there is none.
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
