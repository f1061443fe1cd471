// SPDX-License-Identifier: Apache-2.0

/// The operations of a pool's core: slots, idle connections, permits and the wait queue.
///
/// A core keeps the state and suspends nobody: a waiter is an opaque context, and a slot's element is raw memory. All
/// operations may be called from any thread at the same time. `bp_pool.h`, whose calls these are, specifies each of them.
///
/// Not API: public so that the cores for benchmarks can live in a module of their own.
public protocol _PoolCore: Sendable {
    /// The right to a slot. Before the slot has a connection, the lease is a permit: permission to open one.
    associatedtype Lease: Sendable
    /// One wait of one caller.
    associatedtype Ticket: Sendable

    /// - Throws: ``_PoolCoreFailure/outOfMemory``.
    init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure)
    /// Frees the core. No connection may be left, and no call may be under way.
    func destroy()

    // MARK: The fast path

    /// Takes an idle connection if one is there and no caller waits.
    func tryAcquire() -> Lease?
    /// Makes a connection idle. Returns whether the caller must reconcile.
    func release(_ lease: Lease) -> Bool
    /// Makes a connection idle, unless callers wait: then ``releaseToWaiter(_:)`` gives it to one of them. A core that lacks that
    /// operation makes every connection idle.
    func releaseUnlessAwaited(_ lease: Lease) -> _PoolCoreRelease
    /// The slot's own memory, at the same address for every lease of the slot. It contains zeros at first.
    func element(of lease: Lease) -> UnsafeMutableRawPointer
    /// The serial number of a lease, which no other lease of the slot has.
    func serial(of lease: Lease) -> UInt64

    // MARK: Opening and closing

    /// Takes a permit for the oldest waiter that has none.
    func beginOpen() -> _PoolCoreOpening<Ticket, Lease>
    /// Takes a permit for no waiter. Returns `nil` if a waiter needs one, or if none is free.
    func beginOpenUnrequested() -> Lease?
    func finishOpen(_ permit: Lease)
    func cancelOpen(_ permit: Lease)
    func beginClose(_ lease: Lease)
    /// Begins to close a connection if there is an excess one. Returns whether there was.
    func beginCloseExcess(_ lease: Lease) -> Bool
    /// Begins to close a connection if there are more than the hard limit. Returns whether there were.
    func beginCloseAboveHardLimit(_ lease: Lease) -> Bool
    /// Frees the slot of a connection that is closing.
    func finishClose(_ lease: Lease)
    /// Takes the connection out of the pool: its slot is free.
    func detach(_ lease: Lease)

    // MARK: Waiting

    /// - Throws: ``_PoolCoreFailure``.
    func prepareWait() throws(_PoolCoreFailure) -> Ticket
    func joinWait(_ ticket: Ticket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining
    /// Ends a wait. Returns its context, unless the waiter had not joined the queue yet.
    func claimWait(_ ticket: Ticket) -> _PoolCoreClaim
    /// Makes a waiter whose connection did not open wait for a permit again, in its old place. Reconcile afterwards.
    ///
    /// - Returns: `false` if the waiter has left.
    func requeueWait(_ ticket: Ticket) -> Bool
    /// Ends the wait of the oldest waiter. Returns its context.
    func handOff() -> UnsafeRawPointer?
    /// Ends the wait of the oldest waiter, and leases a connection that is in use to it. Nothing is to be reconciled afterwards.
    ///
    /// - Returns: The waiter's context and its lease. `nil` if nobody waits, if there are more connections than the hard limit, or
    ///   if the core lacks the operation: the lease goes on.
    func releaseToWaiter(_ lease: Lease) -> (waiter: UnsafeRawPointer, lease: Lease)?
    /// Ends the waits whose deadline has passed, and passes each context to `resume`.
    ///
    /// - Returns: When to call again, if the caller must see to that.
    func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64?
    /// No wait expires before this moment; `nil` if none ever expires.
    var nextDeadline: UInt64? { get }
    /// The number of waiters. O(1).
    var waiting: Int { get }
    /// The number of waiters for whom no connection is being opened. O(1).
    var queued: Int { get }
    /// A number that no other wait ever has.
    func number(of ticket: Ticket) -> UInt64

    // MARK: Reconciling

    var hasWaiters: Bool { get }
    /// Whether a waiter has no permit although one is free.
    var hasPermitForWaiter: Bool { get }
    /// Whether more connections exist than the core keeps: more than the soft limit, or than the hard limit if the core keeps
    /// excess connections.
    var hasExcess: Bool { get }
    /// Takes an idle connection although callers may be waiting.
    func takeIdle() -> Lease?
    /// Returns a connection that ``takeIdle()`` has taken.
    func returnIdle(_ lease: Lease)

    // MARK: Sweeping

    /// Takes the next idle connection that the sweep has not looked at.
    func sweepNext() -> Lease?
    /// Returns a connection that the sweep has looked at. Returns whether the caller must reconcile.
    func sweepKeep(_ lease: Lease) -> Bool
    /// Ends a sweep step by step. Returns whether the caller must reconcile; `nil` after the last step.
    func sweepEnd() -> Bool?

    // MARK: Administration

    /// Leases nothing and gives out no permit until ``resume()``. No effect after ``shutdown()``.
    func pause()
    /// Ends the pause. Reconcile afterwards.
    func resume()
    var isPaused: Bool { get }
    /// - Returns: `false` if the core has been shut down.
    func resize(_ limits: _PoolCoreLimits) -> Bool
    func shutdown()
    var isShutDown: Bool { get }
    /// The limits in force; both 0 after ``shutdown()``. O(1).
    var limits: _PoolCoreLimits { get }
    /// The number of connections, including opening and closing ones. O(1).
    var total: Int { get }
    /// Counts the connections in each state. O(slots).
    var counts: _PoolCoreCounts { get }
    /// Looks at a slot; `nil` if fewer slots were ever used. O(1).
    func slot(at index: Int) -> _PoolCoreSlot<Lease>?
    /// Records which leases exist, unless that was done within `interval` nanoseconds.
    func observeLeases(now: UInt64, interval: UInt64)
    /// The least age of the oldest recorded lease, in nanoseconds; 0 if there is none.
    func oldestLeaseAge(now: UInt64) -> UInt64
}

extension _PoolCore {
    @inlinable @inline(__always)
    public func releaseUnlessAwaited(_ lease: Lease) -> _PoolCoreRelease {
        release(lease) ? .reconcile : .released
    }

    public func releaseToWaiter(_ lease: Lease) -> (waiter: UnsafeRawPointer, lease: Lease)? { nil }

    /// Calls `visit` for every slot that was ever used, in the order of the slots. O(slots).
    func forEachSlot(_ visit: (_ index: Int, _ slot: _PoolCoreSlot<Lease>) -> Void) {
        var index = 0
        while let slot = slot(at: index) {
            visit(index, slot)
            index += 1
        }
    }

    /// Records which leases exist now, so that an error can name the age of the oldest one if a wait takes too long.
    @inlinable
    func observeLeases(now: UInt64) {
        // This reads all slots, which takes some nanoseconds for each. It runs at most once in 10 microseconds times the
        // number of slots, and so takes less than a thousandth of the time. That is recent enough for an error: only a lease
        // that began after the latest record has no age yet.
        let total = total
        if total > 0 { observeLeases(now: now, interval: UInt64(total) * 10_000) }
    }
}

/// What ``_PoolCore/releaseUnlessAwaited(_:)`` has done.
@frozen
public enum _PoolCoreRelease: Sendable {
    case released
    /// The connection is released, and the caller must reconcile.
    case reconcile
    /// Callers wait, so the lease goes on: see ``_PoolCore/releaseToWaiter(_:)``.
    case awaited
}

/// The soft and the hard limit of a core.
public struct _PoolCoreLimits: Sendable, Hashable {
    public var maxSize: Int
    public var hardLimit: Int

    public init(maxSize: Int, hardLimit: Int) {
        self.maxSize = maxSize
        self.hardLimit = hardLimit
    }
}

/// What a core is created with.
public struct _PoolCoreConfiguration {
    public var limits: _PoolCoreLimits
    /// Whether excess connections stay idle until maintenance closes them. Those above a lowered hard limit do not stay.
    public var keepsExcess: Bool
    /// The most callers that may wait without a permit while none is free, at least 1; `nil` for as many as a core can
    /// number.
    public var maxWaiters: Int?
    public var elementSize: Int
    public var elementAlignment: Int
    /// The number of stripes of idle connections; `nil` for as many as suit the number of CPUs. A hint.
    public var stripes: Int?
    /// The number of slots that get memory at once; `nil` for as many as suit the limits. A hint.
    public var firstSlots: Int?
    /// The strategy, retained. The core releases it when it is destroyed, or when it could not be created.
    public var owner: Unmanaged<AnyObject>

    public init(
        limits: _PoolCoreLimits,
        keepsExcess: Bool = false,
        maxWaiters: Int? = nil,
        elementSize: Int,
        elementAlignment: Int,
        stripes: Int? = nil,
        firstSlots: Int? = nil,
        owner: Unmanaged<AnyObject>
    ) {
        self.limits = limits
        self.keepsExcess = keepsExcess
        self.maxWaiters = maxWaiters
        self.elementSize = elementSize
        self.elementAlignment = elementAlignment
        self.stripes = stripes
        self.firstSlots = firstSlots
        self.owner = owner
    }
}

/// Why a core cannot do what it was asked to do.
public enum _PoolCoreFailure: Error {
    case outOfMemory
    case tooManyWaiters
    case shutDown
}

/// The answer to a request for a permit on behalf of a waiter.
public enum _PoolCoreOpening<Ticket, Lease> {
    case opening(Ticket, permit: Lease)
    /// No waiter needs a permit, or none is free.
    case nothing
    case outOfMemory
}

/// The answer to a caller that joins the queue.
public enum _PoolCoreJoining {
    /// The caller waits. `isEarliest`: its deadline is the earliest of all.
    case joined(isEarliest: Bool)
    case cancelled
    case shutDown
    case tooManyWaiters
}

/// The answer to a request to end a wait.
public enum _PoolCoreClaim {
    case claimed(UnsafeRawPointer)
    /// The waiter had not joined the queue yet, and will not.
    case claimedBeforeJoining
    case tooLate
}

/// The state of a slot at one moment.
public enum _PoolCoreSlotState: Sendable {
    case vacant, opening, idle, leased, closing
}

/// What a slot looked like at one moment.
public struct _PoolCoreSlot<Lease: Sendable>: Sendable {
    public let state: _PoolCoreSlotState
    /// The present lease, which belongs to another holder.
    public let lease: Lease
    /// Changes whenever the slot changes hands.
    public let serial: UInt64

    public init(state: _PoolCoreSlotState, lease: Lease, serial: UInt64) {
        self.state = state
        self.lease = lease
        self.serial = serial
    }
}

/// The numbers of connections and waiters at one moment.
public struct _PoolCoreCounts: Sendable {
    public var idle: Int
    public var leased: Int
    public var opening: Int
    public var closing: Int
    public var waiting: Int
    public var limits: _PoolCoreLimits

    public init(idle: Int, leased: Int, opening: Int, closing: Int, waiting: Int, limits: _PoolCoreLimits) {
        self.idle = idle
        self.leased = leased
        self.opening = opening
        self.closing = closing
        self.waiting = waiting
        self.limits = limits
    }
}
