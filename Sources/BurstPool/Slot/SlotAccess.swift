// SPDX-License-Identifier: Apache-2.0

import Synchronization

// What a slot contains: the header, the connection behind it, and the lease record behind both in pools that keep records.

extension _PoolEngine {
    /// The offset of the connection in a slot's element.
    @inlinable
    static var connectionOffset: Int {
        let mask = MemoryLayout<Strategy.Connection>.alignment - 1
        return (MemoryLayout<ConnectionHeader>.size + mask) & ~mask
    }

    /// The offset of the lease record in a slot's element.
    @inlinable
    static var recordOffset: Int {
        let mask = MemoryLayout<LeaseRecord>.alignment - 1
        return (connectionOffset + MemoryLayout<Strategy.Connection>.size + mask) & ~mask
    }

    @inlinable @inline(__always)
    public func connection(of lease: Core.Lease) -> UnsafeMutablePointer<Strategy.Connection> {
        (core.element(of: lease) + Self.connectionOffset).assumingMemoryBound(to: Strategy.Connection.self)
    }

    @inlinable @inline(__always)
    func header(of lease: Core.Lease) -> UnsafeMutablePointer<ConnectionHeader> {
        core.element(of: lease).assumingMemoryBound(to: ConnectionHeader.self)
    }

    @inlinable @inline(__always)
    func record(of lease: Core.Lease) -> UnsafeMutablePointer<LeaseRecord> {
        (core.element(of: lease) + Self.recordOffset).assumingMemoryBound(to: LeaseRecord.self)
    }

    /// The offset of the name of the task that holds the connection, in pools that note it.
    @inlinable
    static var taskNameOffset: Int {
        let mask = MemoryLayout<UInt64>.alignment - 1
        return (recordOffset + MemoryLayout<LeaseRecord>.size + mask) & ~mask
    }

    /// The offset of the place that the connection occupies in a group of pools. It is behind what this pool records, so that
    /// all other offsets are the same in every pool.
    static func placeOffset(_ settings: EngineSettings) -> Int {
        let mask = MemoryLayout<Place>.alignment - 1
        return (recordsEnd(settings) + mask) & ~mask
    }

    /// The size of a slot's element in bytes, which has no room for what this pool does not record.
    ///
    /// - Parameters:
    ///   - hasPlace: Whether the pool belongs to a group.
    ///   - isShared: Whether callers share the connections. A ``SharingHeader`` is then in the place of the lease record.
    static func elementSize(_ settings: EngineSettings, hasPlace: Bool, isShared: Bool) -> Int {
        if hasPlace { return placeOffset(settings) + MemoryLayout<Place>.size }
        return isShared ? recordOffset + MemoryLayout<SharingHeader>.size : recordsEnd(settings)
    }

    private static func recordsEnd(_ settings: EngineSettings) -> Int {
        if settings.tracksTaskNames { return taskNameOffset + AtomicText.byteCount }
        if settings.initialFlags.isDisjoint(with: .concernLease) { return recordOffset }
        return recordOffset + MemoryLayout<LeaseRecord>.size
    }

    @inlinable @inline(__always)
    func taskName(of lease: Core.Lease) -> AtomicText {
        AtomicText(core.element(of: lease) + Self.taskNameOffset)
    }

    /// Notes the name of the current task. Most tasks have no name, and follow another one without a name.
    @inlinable @inline(__always)
    func noteTaskName(_ lease: Core.Lease) {
        let noted = taskName(of: lease)
        let name = currentTaskName()
        if name != nil || !noted.isEmpty { noted.store(name) }
    }

    /// The slots with a connection that is open or being opened. O(slots).
    func liveSlots() -> [_PoolCoreSlot<Core.Lease>] {
        var live: [_PoolCoreSlot<Core.Lease>] = []
        core.forEachSlot { _, slot in
            switch slot.state {
            case .opening, .idle, .leased: live.append(slot)
            case .vacant, .closing: break
            }
        }
        return live
    }

    /// Whether a connection exists that can serve a caller: one that is idle or in use, or an attempt within its time limit.
    /// Connections that are closing, and attempts that ignore their limit, serve nobody. O(slots).
    var canServeSomeone: Bool {
        liveSlots().contains { header(of: $0.lease).pointee.flags([.isLate, .isDetached]).isEmpty }
    }
}
