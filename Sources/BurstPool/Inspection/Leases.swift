// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension _PoolEngine {
    /// The connections in use, oldest lease first. O(slots).
    public var leases: [ConnectionLeaseDescription] {
        let now = clock.now
        noteReleases(now: now)
        var leases: [ConnectionLeaseDescription] = []
        core.forEachSlot { index, slot in
            guard slot.state == .leased else { return }
            let lease = describe(slot, now: now)
            // If the lease ended during the reads, some of the values belong to the next lease, so this one is left out.
            atomicMemoryFence(ordering: .acquiring)
            if let slotNow = core.slot(at: index), slotNow.serial == slot.serial, slotNow.state == .leased {
                leases.append(lease)
            }
        }
        return leases.sorted { $0.age > $1.age }
    }

    private func describe(_ slot: _PoolCoreSlot<Core.Lease>, now: UInt64) -> ConnectionLeaseDescription {
        let isTracked = settings.initialFlags.contains(.isTracked)
        let isInternal = isTracked && record(of: slot.lease).pointee.isInternal
        let hasHolder = isTracked && !isInternal
        return ConnectionLeaseDescription(
            connection: header(of: slot.lease).pointee.number.load(ordering: .relaxed),
            location: hasHolder ? record(of: slot.lease).pointee.location : nil,
            taskName: hasHolder && settings.tracksTaskNames ? taskName(of: slot.lease).load() : nil,
            age: ageOfLease(slot, now: now),
            isInternal: isInternal
        )
    }

    /// The callers that wait, longest wait first. O(greatest number of waiters at a time).
    public var waiters: [ConnectionWaiterDescription] {
        guard core.waiting > 0 else { return [] }
        let now = clock.now
        return waits.entries.map { entry in
            ConnectionWaiterDescription(
                location: entry.location,
                taskName: entry.taskName,
                age: .nanoseconds(Int64(clamping: now.subtractingSaturated(entry.since)))
            )
        }
    }
}
