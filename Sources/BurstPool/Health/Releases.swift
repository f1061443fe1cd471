// SPDX-License-Identifier: Apache-2.0

import Synchronization

// How the pool notices, without any work on the fast path, that callers acquire and release connections. The serial number of a
// slot changes with every lease. An inspection of the slots compares each serial number with that of the inspection before.

extension _PoolEngine {
    /// Inspects every slot, and notes a success if a connection was released since the last inspection. O(slots).
    func noteReleases(now: UInt64) {
        var hasReleased = sharing?.hasReleasedSinceInspection() ?? false
        core.forEachSlot { _, slot in
            if inspect(slot, now: now) { hasReleased = true }
        }
        health.recordRelease(now: now)
        if hasReleased { health.noteSuccess(now: now) }
    }

    /// Records the state of a slot. Returns whether its connection was released after a use since the last inspection.
    func inspect(_ slot: _PoolCoreSlot<Core.Lease>, now: UInt64) -> Bool {
        let header = header(of: slot.lease)
        return InspectedState.record(slot, in: header.pointee.inspectedState) {
            // The time is stored before the state, so a thread that reads the state also reads this time or a later one.
            header.pointee.inspectedSince.store(now, ordering: .relaxed)
        }
    }

    /// Returns the least possible age of a lease: the time since an inspection first found it.
    func ageOfLease(_ slot: _PoolCoreSlot<Core.Lease>, now: UInt64) -> Duration {
        let header = header(of: slot.lease)
        guard InspectedState(bits: header.pointee.inspectedState.load(ordering: .acquiring)).serial == slot.serial
        else {
            return .zero
        }
        let since = header.pointee.inspectedSince.load(ordering: .relaxed)
        return .nanoseconds(Int64(clamping: now.subtractingSaturated(since)))
    }

    /// Notes that a body has thrown, so that the release of its connection does not count as a success.
    @usableFromInline
    func noteFailedUse(_ lease: Core.Lease) {
        InspectedState.noteFailedUse(header(of: lease).pointee.inspectedState, serial: core.serial(of: lease))
    }

    /// Notes that a sweep has taken an idle connection. That changes the serial number, although no caller has used it.
    func noteSwept(_ lease: Core.Lease) {
        InspectedState.noteSwept(header(of: lease).pointee.inspectedState, serial: core.serial(of: lease))
    }
}

/// The state of a slot at an inspection: the serial number, and whether the connection was idle.
struct InspectedState: Equatable {
    /// Bit 0: idle. The rest: the serial number. All bits are 0 before the first inspection.
    let bits: UInt64

    init(bits: UInt64) {
        self.bits = bits
    }

    init(serial: UInt64, isIdle: Bool) {
        bits = serial << 1 | (isIdle ? 1 : 0)
    }

    var isUnknown: Bool { bits == 0 }
    var isIdle: Bool { bits & 1 == 1 }
    var serial: UInt64 { bits >> 1 }

    /// Records the present state of a slot. Returns whether a lease of it has ended since the state that is recorded.
    ///
    /// - Parameter beforeChange: Called before a state is recorded that is not the recorded one.
    static func record<Lease>(
        _ slot: _PoolCoreSlot<Lease>,
        in inspected: borrowing Atomic<UInt64>,
        beforeChange: () -> Void = {}
    ) -> Bool {
        guard slot.state == .idle || slot.state == .leased else { return false }
        let state = InspectedState(serial: slot.serial, isIdle: slot.state == .idle)
        let before = InspectedState(bits: inspected.load(ordering: .acquiring))
        guard before != state else { return false }
        beforeChange()
        let isNew = inspected.compareExchange(
            expected: before.bits,
            desired: state.bits,
            ordering: .acquiringAndReleasing
        ).exchanged
        guard isNew, !before.isUnknown else { return false }
        // The slot has changed. Only one kind of change is no release: it was idle and is in its first lease since.
        return state.isIdle || !before.isIdle || state.serial &- before.serial > 1
    }

    /// Has the release of a lease whose body has thrown not count: the slot counts as idle already.
    static func noteFailedUse(_ inspected: borrowing Atomic<UInt64>, serial: UInt64) {
        inspected.store(InspectedState(serial: serial, isIdle: true).bits, ordering: .releasing)
    }

    /// Has a state of a slot that a sweep has taken count as the state before. The sweep has changed the serial number, although no
    /// caller has used the slot.
    static func noteSwept(_ inspected: borrowing Atomic<UInt64>, serial: UInt64) {
        let before = InspectedState(serial: serial &- 1, isIdle: true)
        let after = InspectedState(serial: serial, isIdle: true)
        _ = inspected.compareExchange(
            expected: before.bits,
            desired: after.bits,
            ordering: .acquiringAndReleasing
        )
    }
}
