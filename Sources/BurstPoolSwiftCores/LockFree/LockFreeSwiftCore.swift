public import BurstPool
import Synchronization

/// A pool's core without locks in Swift alone, on `Synchronization`. For comparisons with the core in C, not for
/// production.
///
/// The algorithms are those of `CBurstPool`: striped idle stacks, a Michael and Scott queue of waiters with Harris's
/// removal, type-stable memory, counters that the hot path only reads. What differs is told where it does. The core in C
/// answers misuse (a second release, a lease of another pool) with a status; here a lease that has ended is refused, and
/// stops the program in debug builds.
///
/// A thread stopped for ever anywhere in here keeps the others from nothing but the one slot or waiter it has in hand.
@frozen
public struct LockFreeSwiftCore: _PoolCore, @unchecked Sendable {
    // Sendable: all that is written after init is atomic, or of a slot or node that has one owner.
    @usableFromInline let books: UnsafeMutablePointer<PoolBooks>

    /// Makes a core without connections, which holds the owner from now on, also if this throws.
    public init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure) {
        let memory: UnsafeMutableRawPointer
        let made: PoolBooks
        do throws(_PoolCoreFailure) {
            memory = try ZeroedMemory.allocate(byteCount: MemoryLayout<PoolBooks>.stride, alignment: 128)
        } catch {
            configuration.owner.release()
            throw error
        }
        do throws(_PoolCoreFailure) {
            made = try PoolBooks(configuration)
        } catch {
            ZeroedMemory.deallocate(memory)
            configuration.owner.release()
            throw error
        }
        books = memory.bindMemory(to: PoolBooks.self, capacity: 1)
        books.initialize(to: made)
    }

    /// Frees all, and releases the owner.
    public func destroy() {
        assert(
            total == 0 && books.pointee.waiting.load(ordering: .acquiring).low == 0,
            "connections or waiters are left"
        )
        books.deinitialize(count: 1)
        ZeroedMemory.deallocate(UnsafeMutableRawPointer(books))
    }

    /// Bytes that the core has of the system, those not yet touched included.
    public var memory: Int { books.pointee.memory }

    // MARK: The hot path

    /// Takes an idle connection, unless somebody waits for one: two exchanges on lines that the calling thread owns.
    @inlinable @inline(__always)
    public func tryAcquire() -> LockFreeSwiftLease? {
        if books.pointee.waiting.load(ordering: .relaxed) != 0, !mayPass() { return nil }
        guard let slot = books.pointee.idle.take() else { return nil }
        return LockFreeSwiftLease(taking: slot, as: .leased)
    }

    /// Returns a connection, which is idle afterwards.
    @inlinable @inline(__always)
    public func release(_ lease: LockFreeSwiftLease) -> Bool {
        guard lease.endExclusively() else {
            Self.leaseHasEnded()
            return false
        }
        books.pointee.idle.put(lease.slot)
        // Pairs with joinWait, which counts and appends itself before it looks for idle connections, and with resize and
        // shutdown, which lower the limits before the idle connections are looked through. Each of them writes, and then
        // reads what the other has written; all four are sequentially consistent, so one of both sees the other.
        // Any flag of the waiting word counts, too: in a core that is paused or shut down, every release reconciles.
        return books.pointee.waiting.load(ordering: .sequentiallyConsistent) != 0 || hasExcess
    }

    /// The element of a slot, for whoever holds the lease.
    @inlinable @inline(__always)
    public func element(of lease: LockFreeSwiftLease) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(lease.slot) + books.pointee.elementOffset
    }

    /// The count of waiters is not 0: for a moment too high, or does somebody wait? Or is it not the count?
    @usableFromInline @inline(never)
    func mayPass() -> Bool {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        return !waiting.isShutDown && !waiting.isPaused && !hasWaiters
    }

    // MARK: Reconciling

    /// Whether somebody waits for a connection, and the core is not paused.
    public var hasWaiters: Bool {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        return !waiting.isPaused && waiting.low != 0 && books.pointee.queue.exists(.inQueue)
    }

    /// Whether somebody waits who has no permit, there is room for one more connection, and the core is not paused.
    public var hasPermitForWaiter: Bool {
        books.pointee.waiting.load(ordering: .sequentiallyConsistent).permitsAreDue
            && books.pointee.places.load(ordering: .sequentiallyConsistent).low
                < books.pointee.limits.load(ordering: .sequentiallyConsistent).high
            && books.pointee.queue.exists(.waiting)
    }

    /// Whether more connections exist, those closing not counted, than the soft limit.
    @inlinable
    public var hasExcess: Bool {
        Self.isExcess(
            places: books.pointee.places.load(ordering: .sequentiallyConsistent),
            limits: books.pointee.limits.load(ordering: .sequentiallyConsistent)
        )
    }

    @inlinable
    static func isExcess(places: UInt64, limits: UInt64) -> Bool {
        places.low &- places.high > limits.low
    }

    /// Takes an idle connection though somebody may wait.
    public func takeIdle() -> LockFreeSwiftLease? {
        books.pointee.idle.takeThoroughly().map { LockFreeSwiftLease(taking: $0, as: .leased) }
    }

    /// Puts back what ``takeIdle()`` took.
    @inlinable @inline(__always)
    public func returnIdle(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .leased, to: .idle) else { return Self.leaseHasEnded() }
        books.pointee.idle.put(lease.slot)
    }

    // MARK: Sweeping

    /// Takes an idle connection that the sweep has not come by.
    public func sweepNext() -> LockFreeSwiftLease? {
        books.pointee.idle.sweepNext().map { LockFreeSwiftLease(taking: $0, as: .leased) }
    }

    /// Returns a connection to those that a sweep has looked at.
    public func sweepKeep(_ lease: LockFreeSwiftLease) -> Bool {
        guard lease.move(from: .leased, to: .idle) else {
            Self.leaseHasEnded()
            return false
        }
        books.pointee.idle.sweepKeep(lease.slot)
        return needsReconciling
    }

    /// Ends a sweep, call by call: puts one connection that it has put aside back among the others.
    public func sweepEnd() -> Bool? {
        books.pointee.idle.sweepEnd() ? needsReconciling : nil
    }

    /// Whether a caller waits, excess connections exist, or the core is paused or shut down.
    ///
    /// As in ``release(_:)``: a caller that joined while this thread held the slot may have searched everything else.
    private var needsReconciling: Bool {
        books.pointee.waiting.load(ordering: .sequentiallyConsistent) != 0 || hasExcess
    }

    @usableFromInline @inline(never)
    static func leaseHasEnded() {
        assertionFailure("the lease has ended, or what it holds is not in the state that this call needs")
    }
}
