// SPDX-License-Identifier: Apache-2.0

import Synchronization

// What the slot of a lease contains: the address of the connection's slot, the state that an inspection has found, the task that
// holds the lease, the lease of the connection as a whole, a copy of the connection, and a lease record in pools that keep
// records.

extension SharedPoolEngine {
    @inlinable
    static func aligned(_ offset: Int, _ alignment: Int) -> Int { (offset + alignment - 1) & ~(alignment - 1) }

    @inlinable
    static var inspectionOffset: Int { aligned(MemoryLayout<UInt>.size, MemoryLayout<UInt64>.alignment) }

    @inlinable
    static var holderOffset: Int {
        aligned(inspectionOffset + MemoryLayout<UInt64>.size, MemoryLayout<LeaseHolder>.alignment)
    }

    @inlinable
    static var checkoutOffset: Int {
        aligned(holderOffset + MemoryLayout<LeaseHolder>.size, MemoryLayout<Core.Lease>.alignment)
    }

    @inlinable
    static var connectionOffset: Int {
        aligned(checkoutOffset + MemoryLayout<Core.Lease>.size, MemoryLayout<Strategy.Connection>.alignment)
    }

    @inlinable
    static var recordOffset: Int {
        aligned(connectionOffset + MemoryLayout<Strategy.Connection>.size, MemoryLayout<LeaseRecord>.alignment)
    }

    /// The address of the header of the connection. 0 in a slot that was never used. The field is atomic, because other threads
    /// read it to count leases.
    @inlinable @inline(__always)
    func headerAddress(of lease: Core.Lease) -> UnsafeMutablePointer<Atomic<UInt>> {
        core.element(of: lease).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    /// The header of the connection, for the holder of a lease.
    @inlinable @inline(__always)
    func header(of lease: Core.Lease) -> UnsafeMutablePointer<SharingHeader> {
        UnsafeMutablePointer(bitPattern: headerAddress(of: lease).pointee.load(ordering: .relaxed)).unsafelyUnwrapped
    }

    @inlinable @inline(__always)
    func connection(of lease: Core.Lease) -> UnsafeMutablePointer<Strategy.Connection> {
        (core.element(of: lease) + Self.connectionOffset).assumingMemoryBound(to: Strategy.Connection.self)
    }

    @inlinable @inline(__always)
    func holder(of lease: Core.Lease) -> UnsafeMutablePointer<LeaseHolder> {
        (core.element(of: lease) + Self.holderOffset).assumingMemoryBound(to: LeaseHolder.self)
    }

    /// The ``InspectedState`` of the slot. Memory of zeros is a slot that was never inspected.
    func inspection(of lease: Core.Lease) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (core.element(of: lease) + Self.inspectionOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The lease of the connection as a whole.
    func checkout(of lease: Core.Lease) -> UnsafeMutablePointer<Core.Lease> {
        (core.element(of: lease) + Self.checkoutOffset).assumingMemoryBound(to: Core.Lease.self)
    }

    func record(of lease: Core.Lease) -> UnsafeMutablePointer<LeaseRecord> {
        (core.element(of: lease) + Self.recordOffset).assumingMemoryBound(to: LeaseRecord.self)
    }

    /// The header of a connection in the slot of the engine of the connections.
    func header(ofConnection checkout: Core.Lease) -> UnsafeMutablePointer<SharingHeader> {
        (connections.core.element(of: checkout) + Connections.recordOffset)
            .assumingMemoryBound(to: SharingHeader.self)
    }

    /// Calls `visit` for every connection that is checked out, with its header and the lease of the connection as a whole. Both
    /// may be outdated at once. O(connections).
    func forEachCheckout(_ visit: (UnsafeMutablePointer<SharingHeader>, _ index: Int) -> Void) {
        connections.core.forEachSlot { index, slot in
            let header = header(ofConnection: slot.lease)
            if !header.pointee.state.isEmpty { visit(header, index) }
        }
    }
}
