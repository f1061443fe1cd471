import Synchronization

/// What a pool notes about a connection, in the same slot, in front of it.
///
/// Slots begin as zeros, which are a header without anything noted, and a header is never taken down: so it can be looked at
/// in any slot at any time. All of it is atomic, because the maintenance of the pool looks at and flags connections that are
/// in use.
@usableFromInline
struct ConnectionHeader: ~Copyable {
    /// Zero where nothing is special, which is all that leasing and returning look at.
    @usableFromInline let flags: Atomic<UInt32>
    /// If it is marked as evicted, the number of that eviction, as ``_PoolEngine/evictions`` counts them.
    let evictedAs: Atomic<UInt32>
    /// When the connection is too old, on the pool's clock; 0: never.
    let expiresAt: Atomic<UInt64>
    /// Taken out by whoever calls it, or by whoever closes the connection.
    let abortHandle: Atomic<Unmanaged<AbortHandle>?>
}

/// What aborts an attempt to open a connection, or the use of one.
final class AbortHandle: Sendable {
    let abort: @Sendable () -> Void

    init(_ abort: @escaping @Sendable () -> Void) {
        self.abort = abort
    }
}

extension ConnectionHeader {
    /// Puts a handle in, unless there is one.
    func storeAbortHandle(_ abort: @escaping @Sendable () -> Void) {
        let handle = Unmanaged.passRetained(AbortHandle(abort))
        // Releasing and acquiring: pairs with the exchange below, which takes the handle over.
        if !abortHandle.compareExchange(expected: nil, desired: handle, ordering: .acquiringAndReleasing).exchanged {
            handle.release()
        }
    }

    func takeAbortHandle() -> AbortHandle? {
        abortHandle.exchange(nil, ordering: .acquiringAndReleasing)?.takeRetainedValue()
    }
}

/// What can be special about a connection or about its lease.
///
/// Set with relaxed operations: a mark that a caller misses at one instant is seen by the next one, and where that is not
/// enough (``_PoolEngine/evictAll(over:)``) the idle stack's own barriers order it.
@usableFromInline
struct ConnectionFlags: OptionSet, Sendable {
    @usableFromInline let rawValue: UInt32

    @inlinable
    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // For the whole life of a connection, if the configuration says so.

    /// Who leases it notes where in the source that was.
    @inlinable static var isTracked: Self { Self(rawValue: 1 << 0) }
    /// Who leases it for the length of a body notes which task that is.
    @inlinable static var isOwned: Self { Self(rawValue: 1 << 11) }
    /// Who leases it while it is idle counts that.
    @inlinable static var isCounted: Self { Self(rawValue: 1 << 12) }
    /// The observer is told of each lease.
    @inlinable static var isObserved: Self { Self(rawValue: 1 << 1) }
    /// It is reset when it comes back.
    @inlinable static var isReset: Self { Self(rawValue: 1 << 2) }

    // For a while.

    /// It has been idle for so long that it must be validated before it is handed out.
    @inlinable static var isStale: Self { Self(rawValue: 1 << 3) }
    /// The first lease is that of the caller for whom it was opened.
    static var isFresh: Self { Self(rawValue: 1 << 4) }
    /// The present lease has been reported as overdue.
    @inlinable static var isOverdue: Self { Self(rawValue: 1 << 5) }
    /// It is no longer in the slot: its lease only gives the place back.
    @inlinable static var isDetached: Self { Self(rawValue: 1 << 6) }
    /// When it expires, that is because it is evicted.
    static var isLeaving: Self { Self(rawValue: 1 << 7) }

    // It is not to be handed out any more, and closed when it comes back.

    @inlinable static var isTooOld: Self { Self(rawValue: 1 << 8) }
    @inlinable static var isEvicted: Self { Self(rawValue: 1 << 9) }
    @inlinable static var isDiscarded: Self { Self(rawValue: 1 << 10) }

    @inlinable static var isRetired: Self { isTooOld.union(isEvicted).union(isDiscarded) }

    @inlinable static var all: Self { Self(rawValue: .max) }
    /// What keeps it from being handed out as it is.
    @inlinable static var concernTaking: Self { isStale.union(isRetired) }
    /// What whoever has leased it has to see to.
    @inlinable static var concernLease: Self { isNotedAtOnce.union(isOwned).union(isObserved) }
    /// So little to see to that it is done on the hot path.
    @inlinable static var isNotedAtOnce: Self { isTracked.union(isCounted) }
    /// Both: what a caller who takes it has to see to.
    @inlinable static var concernCaller: Self { concernTaking.union(concernLease) }
    /// What whoever gives it back has to see to.
    @inlinable static var concernReturn: Self {
        isOwned.union(isObserved).union(isReset).union(isOverdue).union(isDetached).union(isRetired)
    }

    /// Why it is closed, if that is what the flags are for.
    var closeReason: ConnectionCloseReason? {
        if contains(.isDiscarded) { return .discarded }
        if contains(.isEvicted) { return .evicted }
        return contains(.isTooOld) ? .maxLifetime : nil
    }
}

extension ConnectionHeader {
    @inlinable @inline(__always)
    func flags(_ concern: ConnectionFlags) -> ConnectionFlags {
        ConnectionFlags(rawValue: flags.load(ordering: .relaxed)).intersection(concern)
    }

    func set(_ new: ConnectionFlags) {
        flags.bitwiseOr(new.rawValue, ordering: .relaxed)
    }

    func clear(_ old: ConnectionFlags) {
        flags.bitwiseAnd(~old.rawValue, ordering: .relaxed)
    }
}
