// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// When each lease was first observed, for the ages of leases. In this way a lease itself costs nothing.
struct LeaseObservations: ~Copyable {
    private struct Observation: ~Copyable {
        let serial: Atomic<UInt64>
        let at: Atomic<UInt64>
    }

    /// Parallel to the slots.
    private let table: TypeStableTable
    private let latest = Atomic<UInt64>(0)

    init() throws(_PoolCoreFailure) {
        table = try TypeStableTable(
            stride: MemoryLayout<Observation>.stride,
            alignment: MemoryLayout<Observation>.alignment
        )
    }

    var memory: Int { table.memory }

    private func observation(_ index: Int) -> UnsafeMutablePointer<Observation>? {
        table.entry(at: index)?.assumingMemoryBound(to: Observation.self)
    }

    /// Returns whether it is time to observe the leases again. If so, the caller must do it.
    func begin(now: UInt64, interval: UInt64) -> Bool {
        let before = latest.load(ordering: .relaxed)
        // A thread that read the clock before the latest observation must not date leases back to before it.
        guard before == 0 || (now > before && now - before >= interval) else { return false }
        return latest.compareExchange(expected: before, desired: now, ordering: .relaxed).exchanged
    }

    func observe(_ index: Int, serial: UInt64, now: UInt64) {
        guard (try? table.reserve(index)) != nil, let observation = observation(index) else { return }
        guard observation.pointee.serial.load(ordering: .relaxed) != serial else { return }
        observation.pointee.at.store(now, ordering: .relaxed)
        // Releasing: pairs with the load in time(_:serial:), so that the time is that of this serial, or of a later one.
        observation.pointee.serial.store(serial, ordering: .releasing)
    }

    /// Returns when the lease with this serial was first observed, or `nil` if it was not.
    func time(_ index: Int, serial: UInt64) -> UInt64? {
        guard let observation = observation(index) else { return nil }
        guard observation.pointee.serial.load(ordering: .acquiring) == serial else { return nil }
        return observation.pointee.at.load(ordering: .relaxed)
    }
}
