import Synchronization

/// What a pool notes about a connection, in the same slot, in front of it.
///
/// Slots begin as zeros, which are a header without anything noted, and a header is never taken down: so it can be looked at
/// in any slot at any time. All of it is atomic, because the upkeep of the pool looks at and marks connections that are
/// in use.
@usableFromInline
struct ConnectionHeader: ~Copyable {
    /// Zero where nothing is special, which is all that leasing and returning look at.
    @usableFromInline let marks: Atomic<UInt32>
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
struct ConnectionMarks: OptionSet, Sendable {
    @usableFromInline let rawValue: UInt32

    @usableFromInline
    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // For the whole life of a connection, if the configuration says so.

    /// Who leases it notes where in the source that was.
    @usableFromInline static var isTracked: Self { Self(rawValue: 1) }
    /// The observer is told of each lease.
    @usableFromInline static var isObserved: Self { Self(rawValue: 2) }
    /// It is reset when it comes back.
    static var isReset: Self { Self(rawValue: 4) }

    // For a while.

    /// It has been idle for so long that it must be validated before it is handed out.
    @usableFromInline static var isStale: Self { Self(rawValue: 8) }
    /// The first lease is that of the caller for whom it was opened.
    static var isFresh: Self { Self(rawValue: 16) }
    /// The present lease has been reported as overdue.
    static var isOverdue: Self { Self(rawValue: 32) }
    /// It is no longer in the slot: its lease only gives the place back.
    static var isDetached: Self { Self(rawValue: 64) }
    /// When it expires, that is because it is evicted.
    static var isLeaving: Self { Self(rawValue: 1024) }

    // It is not to be handed out any more, and closed when it comes back.

    static var isTooOld: Self { Self(rawValue: 128) }
    static var isEvicted: Self { Self(rawValue: 256) }
    static var isDiscarded: Self { Self(rawValue: 512) }

    static var isRetired: Self { [.isTooOld, .isEvicted, .isDiscarded] }

    @usableFromInline static var all: Self { Self(rawValue: .max) }
    /// What whoever takes it out of the idle ones has to see to.
    @usableFromInline static var concernTaking: Self { [isStale, isRetired] }
    /// What whoever has leased it has to see to.
    @usableFromInline static var concernLease: Self { [isTracked, isObserved] }
    /// What whoever gives it back has to see to.
    @usableFromInline static var concernReturn: Self { [isObserved, isReset, isOverdue, isDetached, isRetired] }

    /// Why it is closed, if that is what the marks are for.
    var closeReason: ConnectionCloseReason? {
        if contains(.isDiscarded) { return .discarded }
        if contains(.isEvicted) { return .evicted }
        return contains(.isTooOld) ? .maxLifetime : nil
    }
}

extension ConnectionHeader {
    @inlinable @inline(__always)
    func marks(_ concern: ConnectionMarks) -> ConnectionMarks {
        ConnectionMarks(rawValue: marks.load(ordering: .relaxed)).intersection(concern)
    }

    func mark(_ new: ConnectionMarks) {
        marks.bitwiseOr(new.rawValue, ordering: .relaxed)
    }

    func unmark(_ old: ConnectionMarks) {
        marks.bitwiseAnd(~old.rawValue, ordering: .relaxed)
    }
}
