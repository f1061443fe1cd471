// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension _PoolEngine {
    /// Reports a lease that has lasted for ``ConnectionPoolConfiguration/leakThreshold`` or longer, once.
    func reportOverdueLease(
        _ slot: _PoolCoreSlot<Core.Lease>,
        _ index: Int,
        _ since: UInt64,
        _ now: UInt64,
        _ observations: inout SlotObservations
    ) {
        guard let threshold = maintenance.settings.leakThreshold, now.subtractingSaturated(since) >= threshold,
            !observations[index].isReported
        else { return }
        let record = record(of: slot.lease)
        guard !record.pointee.isInternal else { return }
        observations[index].isReported = true
        record.pointee.overdueSince.store(since, ordering: .relaxed)
        let location = record.pointee.location
        header(of: slot.lease).pointee.set(.isOverdue)
        // The connection may have been released meanwhile. Then the location and the flag may belong to the next lease.
        if let slotNow = core.slot(at: index), slotNow.serial == slot.serial, slotNow.state == .leased {
            events.report(.leaseOverdue(location, age: .nanoseconds(now - since)))
        } else {
            header(of: slot.lease).pointee.clear(.isOverdue)
        }
    }

    /// Reports that an overdue lease has ended after all.
    func endOverdueLease(_ lease: Core.Lease) {
        header(of: lease).pointee.clear(.isOverdue)
        let since = record(of: lease).pointee.overdueSince.load(ordering: .relaxed)
        events.report(
            .overdueLeaseReturned(record(of: lease).pointee.location, age: clock.elapsed(since: since))
        )
    }
}
