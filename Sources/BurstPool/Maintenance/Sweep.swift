// SPDX-License-Identifier: Apache-2.0

extension _PoolEngine {
    /// Takes the idle connections one after the other, also those at the bottom of the stacks, and does what is due.
    ///
    /// The sweep holds at most one connection at a time. Connections that it has looked at remain available to all callers: see
    /// "Sweep" in `bp_pool.h`.
    func sweep(_ plan: SweepPlan, _ observations: inout SlotObservations) {
        minimumIdle.internalUse.begin()
        defer { endInternalUse() }
        var left = core.counts.idle
        while left > 0, let lease = core.sweepNext() {
            left -= 1
            guard let index = observations.index(ofElement: core.element(of: lease)) else {
                if core.sweepKeep(lease) { reconcile() }
                continue
            }
            if let slot = core.slot(at: index) {
                observations.keep(index, serial: slot.serial)
                noteSwept(slot)
            }
            if let reason = header(of: lease).pointee.flags(.isRetired).closeReason {
                closeInBackground(lease, reason)
                continue
            }
            if visits.isActive, !header(of: lease).pointee.flags(.awaitsVisit).isEmpty, deliver(lease) { continue }
            switch plan.actions[index] {
            case .close(let reason):
                closeInBackground(lease, reason)
            case .validate:
                observations[index].lastValidated = clock.now
                validateInBackground(lease)
            case nil:
                if plan.checksForClosed, (try? isOpen(lease)) != true { continue }
                if core.sweepKeep(lease) { reconcile() }
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { reconcile() }
        }
    }
}
