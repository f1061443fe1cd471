// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Where a connection was acquired and since when it is in use, stored in the connection's slot, behind it. Only pools that
/// track leases, report leaks, or have an observer of leases keep such records.
///
/// The holder of the lease writes the record, and maintenance reads it at any time. A reader that comes while the lease
/// changes hands may see parts of two leases, and therefore checks afterwards that the lease is still the same.
@usableFromInline
struct LeaseRecord: ~Copyable {
    @usableFromInline let fileID: Atomic<UInt>
    @usableFromInline let line: Atomic<Int>
    /// The number of leases of idle connections in this slot, whichever connections it held.
    @usableFromInline let idleLeases: Atomic<Int>
    /// When the lease began; only for observers of leases.
    let acquiredAt: Atomic<UInt64>
    /// Since when the lease is overdue; only if it has been reported.
    let overdueSince: Atomic<UInt64>

    var location: ConnectionLeaseLocation {
        ConnectionLeaseLocation(fileID.load(ordering: .relaxed), line: line.load(ordering: .relaxed))
    }

    /// Whether the pool itself holds the connection, which is never a leak.
    var isInternal: Bool { fileID.load(ordering: .relaxed) == 0 }

    func noteInternalUse() {
        fileID.store(0, ordering: .relaxed)
    }
}

/// The place in the source where a connection is being acquired.
@frozen
public struct _LeaseSite {
    @usableFromInline let fileID: StaticString
    @usableFromInline let line: Int
    /// Whether the lease ends in the task that has begun it.
    @usableFromInline let isScoped: Bool

    @inlinable @inline(__always)
    public init(_ fileID: StaticString, _ line: Int, isScoped: Bool) {
        self.fileID = fileID
        self.line = line
        self.isScoped = isScoped
    }
}

extension LeaseRecord {
    @inlinable @inline(__always)
    func note(_ site: _LeaseSite) {
        fileID.store(UInt(bitPattern: site.fileID.utf8Start), ordering: .relaxed)
        line.store(site.line, ordering: .relaxed)
    }

    /// Only the holder of the lease counts, and the next holder sees what it has stored, so no atomic addition is needed.
    @inlinable @inline(__always)
    func countIdleLease() {
        idleLeases.store(idleLeases.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}
