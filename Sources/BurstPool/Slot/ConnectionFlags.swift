// SPDX-License-Identifier: Apache-2.0

/// What can be special about a connection or about its lease.
///
/// The flags are set and read with relaxed operations. A caller that misses a flag at one instant leaves it to the next
/// caller. Where that is not enough (``_PoolEngine/evictAll(over:)``), the barriers of the idle stack order the flags.
@usableFromInline
struct ConnectionFlags: OptionSet, Sendable {
    @usableFromInline let rawValue: UInt32

    @inlinable
    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // MARK: For the whole life of a connection, as the configuration says

    /// The caller notes where in the source it acquires the connection.
    @inlinable static var isTracked: Self { Self(rawValue: 1 << 0) }
    /// The observer learns of every lease.
    @inlinable static var isObserved: Self { Self(rawValue: 1 << 1) }
    /// The connection is reset when it is released.
    @inlinable static var isReset: Self { Self(rawValue: 1 << 2) }
    /// A caller that acquires the connection while it is idle counts that.
    @inlinable static var isCounted: Self { Self(rawValue: 1 << 12) }

    /// A caller that acquires the connection notes the name of its task.
    @inlinable static var isNamed: Self { Self(rawValue: 1 << 16) }

    // MARK: For a while

    /// The connection has been idle for so long that it must be validated before the next use.
    @inlinable static var isStale: Self { Self(rawValue: 1 << 3) }
    /// The first lease belongs to the caller for whom the connection was opened.
    static var isFresh: Self { Self(rawValue: 1 << 4) }
    /// The present lease has been reported as overdue.
    @inlinable static var isOverdue: Self { Self(rawValue: 1 << 5) }
    /// The connection has left the pool; the end of its lease only frees the slot.
    @inlinable static var isDetached: Self { Self(rawValue: 1 << 6) }
    /// When the connection expires, it counts as evicted.
    static var isLeaving: Self { Self(rawValue: 1 << 7) }
    /// The next lease or release of the connection wakes maintenance, which may be resting.
    @inlinable static var wakesMaintenance: Self { Self(rawValue: 1 << 13) }
    /// The attempt to open the connection has exceeded its time limit and has not ended yet.
    static var isLate: Self { Self(rawValue: 1 << 15) }

    /// ``_PoolEngine/forEachConnection(_:)`` has not run its body on the connection yet.
    @inlinable static var awaitsVisit: Self { Self(rawValue: 1 << 17) }

    // MARK: The connection is not handed out again, and closed when it is released

    @inlinable static var isTooOld: Self { Self(rawValue: 1 << 8) }
    @inlinable static var isEvicted: Self { Self(rawValue: 1 << 9) }
    @inlinable static var isDiscarded: Self { Self(rawValue: 1 << 10) }
    /// The strategy has reported that the connection is closed.
    @inlinable static var hasClosed: Self { Self(rawValue: 1 << 14) }

    /// A validation that ran beside the leases of a shared connection has failed.
    @inlinable static var isInvalid: Self { Self(rawValue: 1 << 11) }

    @inlinable static var isRetired: Self {
        isTooOld.union(isEvicted).union(isDiscarded).union(isInvalid).union(hasClosed)
    }

    // MARK: Masks

    @inlinable static var all: Self { Self(rawValue: .max) }
    /// Flags because of which a connection is not handed out as it is.
    @inlinable static var concernHandOut: Self { isStale.union(isRetired).union(wakesMaintenance) }
    /// Flags that the next holder of the lease must handle.
    @inlinable static var concernLease: Self { isNotedInline.union(isObserved) }
    /// Flags that take so few instructions that the fast path handles them itself.
    @inlinable static var isNotedInline: Self { isTracked.union(isCounted).union(isNamed) }
    /// All flags that an acquisition must handle.
    @inlinable static var concernAcquire: Self { concernHandOut.union(concernLease) }
    /// All flags that a release must handle.
    @inlinable static var concernRelease: Self {
        isObserved.union(isReset).union(isOverdue).union(isDetached).union(isRetired)
            .union(wakesMaintenance).union(awaitsVisit)
    }

    /// The reason to close the connection, if the flags are one.
    var closeReason: ConnectionCloseReason? {
        if contains(.isDiscarded) { return .discarded }
        if contains(.hasClosed) { return .foundClosed }
        if contains(.isInvalid) { return .validationFailed }
        if contains(.isEvicted) { return .evicted }
        return contains(.isTooOld) ? .maxLifetime : nil
    }
}
