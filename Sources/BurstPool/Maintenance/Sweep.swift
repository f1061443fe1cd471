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
                keepInSweep(lease)
                continue
            }
            noteSwept(lease)
            let isAsPlanned = observations.noteSwept(index, serial: core.serial(of: lease)) { clock.now }
            if let reason = header(of: lease).pointee.flags(.isRetired).closeReason {
                closeInBackground(lease, reason)
                continue
            }
            if visits.isActive, !header(of: lease).pointee.flags(.awaitsVisit).isEmpty, deliver(lease) { continue }
            switch isAsPlanned ? plan.actions[index] : nil {
            case .close(let reason):
                closeInBackground(lease, reason)
            case .validate:
                observations[index].lastValidated = clock.now
                validateInBackground(lease)
            case nil:
                if plan.checksForClosed, (try? isOpen(lease)) != true { continue }
                keepInSweep(lease)
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { reconcile() }
        }
    }

    /// Makes a connection available again that the sweep has looked at. Excess connections are not closed before the sweep has
    /// ended, because it closes the connections that have been idle for the longest time.
    private func keepInSweep(_ lease: Core.Lease) {
        if core.sweepKeep(lease), core.hasWaiters { reconcile() }
    }
}
