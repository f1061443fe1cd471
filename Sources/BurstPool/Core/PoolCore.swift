/// The operations of a pool's core, on which one pool runs whatever the core is made of.
///
/// Not API: it is public so that the cores for benchmarks can live in a module of their own. What each operation means,
/// and which may run at the same time (all of them may), is told in `bp_pool.h`, whose calls these are.
///
/// A core keeps the books and wakes nobody: callers that wait are opaque contexts, and a slot's element is raw memory.
public protocol _PoolCore: Sendable {
    /// The right to a slot; also, before its connection is open, a permit.
    associatedtype Lease: Sendable
    /// One wait of one caller.
    associatedtype Ticket: Sendable

    /// - Throws: ``_PoolCoreFailure/outOfMemory``.
    init(_ configuration: _PoolCoreConfiguration) throws(_PoolCoreFailure)
    /// Frees all. No connection may be left, and no call may be under way.
    func destroy()

    // The hot path.
    func tryAcquire() -> Lease?
    /// - Returns: Whether to reconcile.
    func release(_ lease: Lease) -> Bool
    /// Memory of the slot's own, at the same address for each lease of it, and zeros at first.
    func element(of lease: Lease) -> UnsafeMutableRawPointer

    // Opening and closing.
    func beginOpen() -> _PoolCoreOpening<Ticket, Lease>
    /// Takes a permit for nobody who waits; `nil` if somebody waits for one, or none is to be had.
    func beginOpenUnrequested() -> Lease?
    func finishOpen(_ permit: Lease)
    func cancelOpen(_ permit: Lease)
    func beginClose(_ lease: Lease)
    func beginCloseExcess(_ lease: Lease) -> Bool
    /// - Returns: Whether the lease was still closing; two may try, and one of them frees the place.
    @discardableResult func finishClose(_ lease: Lease) -> Bool
    /// Takes the connection out of the pool: its place is free.
    func detach(_ lease: Lease)

    // Waiting.
    /// - Throws: ``_PoolCoreFailure``.
    func prepareWait() throws(_PoolCoreFailure) -> Ticket
    func joinWait(_ ticket: Ticket, context: UnsafeRawPointer, deadline: UInt64) -> _PoolCoreJoining
    /// - Returns: Whether the waiter went, and its context unless it had not joined yet.
    func claimWait(_ ticket: Ticket) -> _PoolCoreClaim
    /// The waiter whose connection did not open waits for a permit again, in its old place. Reconcile afterwards.
    ///
    /// - Returns: `false` if it has gone.
    func requeueWait(_ ticket: Ticket) -> Bool
    func handOff() -> UnsafeRawPointer?
    /// Makes waiters go whose deadline has passed, and gives each context to `resume`.
    /// - Returns: When to call again, if it is for the caller to see to that.
    func expire(now: UInt64, _ resume: (UnsafeRawPointer) -> Void) -> UInt64?
    var nextDeadline: UInt64? { get }
    /// How many callers wait, in O(1).
    var waiting: Int { get }
    /// Of these, those for whom no connection is being opened. O(1).
    var queued: Int { get }
    /// A number that no other wait ever has.
    func number(of ticket: Ticket) -> UInt64

    // Reconciling.
    var hasWaiters: Bool { get }
    /// Somebody waits who has no permit, and there is room for one more connection.
    var hasPermitForWaiter: Bool { get }
    var hasExcess: Bool { get }
    func takeIdle() -> Lease?
    func returnIdle(_ lease: Lease)

    // Sweeping: `while let lease = sweepNext()` it is looked at and put back with `sweepKeep`, or closed; in the end,
    // `while let needsReconciling = sweepEnd()` reconcile if so.
    /// Takes an idle connection that the sweep has not come by.
    func sweepNext() -> Lease?
    /// Returns a connection to those that a sweep has looked at.
    ///
    /// - Returns: Whether to reconcile.
    func sweepKeep(_ lease: Lease) -> Bool
    /// Ends a sweep, call by call: puts one connection that it has put aside back among the others, or several as one step.
    ///
    /// - Returns: Whether to reconcile; `nil` if none is left.
    func sweepEnd() -> Bool?

    // Administration.
    /// Nothing is leased and no permit given out until ``resume()``. Without effect after ``shutdown()``.
    func pause()
    /// Ends the pause. Reconcile afterwards.
    func resume()
    var isPaused: Bool { get }
    /// - Returns: `false` if the core has been shut down.
    func resize(maxSize: Int, hardLimit: Int) -> Bool
    func shutdown()
    var isShutDown: Bool { get }
    var total: Int { get }
    var counts: _PoolCoreCounts { get }
    /// A look at a slot, from index 0; `nil` if so many were never used. O(1).
    func slot(at index: Int) -> _PoolCoreSlot<Lease>?
    func observeLeases(now: UInt64, interval: UInt64)
    func oldestLeaseAge(now: UInt64) -> UInt64
}

/// What a core is made with.
public struct _PoolCoreConfiguration {
    public var maxSize: Int
    public var hardLimit: Int
    /// How many callers may wait at the same time for whom no connection is being opened or can be opened at once: at
    /// least 1; `nil` for as many as a core can number.
    public var maxWaiters: Int?
    public var elementSize: Int
    public var elementAlignment: Int
    /// The strategy, retained; the core holds it and releases it when it is destroyed, or could not be made.
    public var owner: Unmanaged<AnyObject>

    public init(
        maxSize: Int,
        hardLimit: Int,
        maxWaiters: Int? = nil,
        elementSize: Int,
        elementAlignment: Int,
        owner: Unmanaged<AnyObject>
    ) {
        self.maxSize = maxSize
        self.hardLimit = hardLimit
        self.maxWaiters = maxWaiters
        self.elementSize = elementSize
        self.elementAlignment = elementAlignment
        self.owner = owner
    }
}

/// Why a core cannot do what it was asked to.
public enum _PoolCoreFailure: Error {
    case outOfMemory
    case tooManyWaiters
    case shutDown
}

/// What became of the wish to open a connection for somebody who waits.
public enum _PoolCoreOpening<Ticket, Lease> {
    case opening(Ticket, permit: Lease)
    /// Nobody waits for a permit, or none is free.
    case nothing
    case outOfMemory
}

/// What became of the wish to join the queue.
public enum _PoolCoreJoining {
    /// The caller waits. `armTimer`: its deadline is the earliest of all.
    case joined(armTimer: Bool)
    case cancelled
    case shutDown
    /// As many wait as may.
    case tooManyWaiters
}

/// What became of the wish to make a waiter go.
public enum _PoolCoreClaim {
    case claimed(UnsafeRawPointer)
    /// It had not joined yet, and will not.
    case claimedBeforeJoining
    case tooLate
}

/// What a slot is at one moment.
public enum _PoolCoreSlotState: Sendable {
    case vacant, opening, idle, leased, closing
}

/// A look at a slot, which may be outdated when it is read.
public struct _PoolCoreSlot<Lease: Sendable>: Sendable {
    public let state: _PoolCoreSlotState
    /// Somebody else's, if it is anybody's.
    public let lease: Lease
    /// Another one each time the slot changes hands.
    public let serial: UInt64

    public init(state: _PoolCoreSlotState, lease: Lease, serial: UInt64) {
        self.state = state
        self.lease = lease
        self.serial = serial
    }
}

/// Counts at one moment.
public struct _PoolCoreCounts: Sendable {
    public var idle: Int
    public var leased: Int
    public var opening: Int
    public var closing: Int
    public var waiting: Int
    public var maxSize: Int
    public var hardLimit: Int

    public init(
        idle: Int,
        leased: Int,
        opening: Int,
        closing: Int,
        waiting: Int,
        maxSize: Int,
        hardLimit: Int
    ) {
        self.idle = idle
        self.leased = leased
        self.opening = opening
        self.closing = closing
        self.waiting = waiting
        self.maxSize = maxSize
        self.hardLimit = hardLimit
    }
}
