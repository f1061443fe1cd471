// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

/// A pool's core without locks in pure Swift, on `Synchronization`. For comparisons with the core in C, not for
/// production.
///
/// The algorithms are those of `CBurstPool`: striped idle stacks, Michael and Scott's queue with Harris's removal for
/// the waiters, type-stable memory, and counters that the fast path only reads. Comments say where the two cores differ.
/// The core in C returns a status for misuse (a second release, a lease of another pool). This core rejects a lease
/// that has ended, and stops the program in debug builds.
///
/// A thread that is stopped anywhere in this code withholds nothing from the others but the slot or waiter that it
/// holds.
@frozen
public struct LockFreeSwiftCore: _PoolCore, @unchecked Sendable {
    // Sendable, because everything that is written after init is atomic, or belongs to a slot or node with one owner.
    @usableFromInline let books: UnsafeMutablePointer<PoolBooks>

    /// Creates a core without connections. It holds the owner from now on, even if this throws.
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

    /// Frees all memory, and releases the owner.
    public func destroy() {
        assert(
            total == 0 && books.pointee.waiting.load(ordering: .acquiring).low == 0,
            "connections or waiters are left"
        )
        books.deinitialize(count: 1)
        ZeroedMemory.deallocate(UnsafeMutableRawPointer(books))
    }

    /// The number of bytes that the core has allocated, whether they were touched or not.
    public var memory: Int { books.pointee.memory }

    // MARK: The fast path

    /// Takes an idle connection, unless a caller waits for one: two exchanges on cache lines of the calling thread.
    @inlinable @inline(__always)
    public func tryAcquire() -> LockFreeSwiftLease? {
        if books.pointee.waiting.load(ordering: .relaxed) != 0, !mayPass() { return nil }
        guard let slot = books.pointee.idle.take() else { return nil }
        return LockFreeSwiftLease(taking: slot, as: .leased)
    }

    /// Makes the connection of a lease idle.
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

    /// Returns the element of a slot. The caller must hold the lease.
    @inlinable @inline(__always)
    public func element(of lease: LockFreeSwiftLease) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(lease.slot) + books.pointee.elementOffset
    }

    /// The serial number of a lease, which no other lease of the slot has.
    public func serial(of lease: LockFreeSwiftLease) -> UInt64 { lease.serial }

    /// Decides whether an acquire may continue although the word of the waiters is not 0: no caller may be waiting, and
    /// the core must be neither paused nor shut down. The count may be too high for a moment.
    @usableFromInline @inline(never)
    func mayPass() -> Bool {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        return !waiting.isShutDown && !waiting.isPaused && !hasWaiters
    }

    // MARK: Reconciling

    /// Whether a caller waits for a connection, and the core is not paused.
    public var hasWaiters: Bool {
        let waiting = books.pointee.waiting.load(ordering: .sequentiallyConsistent)
        return !waiting.isPaused && waiting.low != 0 && books.pointee.queue.exists(.inQueue)
    }

    /// Whether a waiter has no permit although a slot is free, and the core is not paused.
    public var hasPermitForWaiter: Bool {
        books.pointee.waiting.load(ordering: .sequentiallyConsistent).permitsAreDue
            && books.pointee.total.load(ordering: .sequentiallyConsistent).low
                < books.pointee.limits.load(ordering: .sequentiallyConsistent).hardLimit
            && books.pointee.queue.exists(.waiting)
    }

    /// Whether more connections exist than the core keeps. Closing connections do not count.
    @inlinable
    public var hasExcess: Bool {
        Self.exceeds(
            books.pointee.total.load(ordering: .sequentiallyConsistent),
            books.pointee.limits.load(ordering: .sequentiallyConsistent).low
        )
    }

    /// Whether more connections exist than this limit, those closing not counted. It adds and does not subtract: while a call
    /// with a lease that has ended is being refused, more connections than exist may count as closing.
    @inlinable
    static func exceeds(_ total: UInt64, _ limit: UInt32) -> Bool {
        total.low > limit &+ total.high
    }

    /// Takes an idle connection although callers may be waiting.
    public func takeIdle() -> LockFreeSwiftLease? {
        books.pointee.idle.takeThoroughly().map { LockFreeSwiftLease(taking: $0, as: .leased) }
    }

    /// Returns a connection that ``takeIdle()`` has taken.
    @inlinable @inline(__always)
    public func returnIdle(_ lease: LockFreeSwiftLease) {
        guard lease.move(from: .leased, to: .idle) else { return Self.leaseHasEnded() }
        books.pointee.idle.put(lease.slot)
    }

    // MARK: Sweeping

    /// Takes the next idle connection that the sweep has not looked at.
    public func sweepNext() -> LockFreeSwiftLease? {
        books.pointee.idle.sweepNext().map { LockFreeSwiftLease(taking: $0, as: .leased) }
    }

    /// Returns a connection that the sweep has looked at. Returns whether the caller must reconcile.
    public func sweepKeep(_ lease: LockFreeSwiftLease) -> Bool {
        guard lease.move(from: .leased, to: .idle) else {
            Self.leaseHasEnded()
            return false
        }
        books.pointee.idle.sweepKeep(lease.slot)
        return needsReconciling
    }

    /// Ends a sweep step by step. Returns whether the caller must reconcile, or `nil` after the last step.
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
