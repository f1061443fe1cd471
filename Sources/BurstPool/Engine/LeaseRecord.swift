import Synchronization

/// Who has a connection, in the same slot, behind it. Only in pools that look for leaks or for nested calls, or whose
/// observer wants to know of each lease, or how many there were.
///
/// Written by the owner of the lease, read by the maintenance of the pool at any time, so a reader that comes while the lease
/// changes hands may see half of one and half of another, and looks afterwards whether it still is the same lease.
@usableFromInline
struct LeaseRecord: ~Copyable {
    @usableFromInline let fileID: Atomic<UInt>
    @usableFromInline let line: Atomic<Int>
    /// The task that has it for the length of a body; 0: whoever may have it.
    @usableFromInline let task: Atomic<UInt>
    /// How many leases of an idle connection there have been in this slot, whichever connections it had.
    @usableFromInline let idleLeases: Atomic<Int>
    /// Only for observers of leases.
    let takenAt: Atomic<UInt64>
    /// Only for leases that were reported as overdue.
    let overdueSince: Atomic<UInt64>

    var place: ConnectionLeaseLocation {
        let name = UnsafePointer<CChar>(bitPattern: fileID.load(ordering: .relaxed)).map { String(cString: $0) }
        return ConnectionLeaseLocation(fileID: name ?? "", line: line.load(ordering: .relaxed))
    }
}

/// Where in the source a lease is being taken.
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
    /// A number for the present task that no other task has while it lasts; 0 outside of tasks.
    @inlinable
    static var currentTask: UInt {
        withUnsafeCurrentTask { task in task.map { unsafeBitCast($0, to: UInt.self) } ?? 0 }
    }

    @inlinable @inline(__always)
    func note(_ site: _LeaseSite) {
        fileID.store(UInt(bitPattern: site.fileID.utf8Start), ordering: .relaxed)
        line.store(site.line, ordering: .relaxed)
    }

    /// Only the owner of the lease counts, and whoever owns the next one sees what it has stored: no exchange is needed.
    @inlinable @inline(__always)
    func countIdleLease() {
        idleLeases.store(idleLeases.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}
