import Synchronization

// How the pool notices, without any work on the hot path, that connections are being used and come back: it compares the
// serial number of each slot, which changes with every lease, with the one that it saw last.

extension _PoolEngine {
    /// Looks at every connection, and notes a success if one of them has come back since the last look. O(slots).
    func lookForReturns(now: UInt64) {
        var hasReturned = false
        forEachSlot { _, slot in
            if see(slot, now: now) { hasReturned = true }
        }
        health.settle(now: now)
        if hasReturned { health.noteSuccess(now: now) }
    }

    /// Notes what a slot looks like. Returns whether its connection has been used and has come back since the last look.
    func see(_ slot: _PoolCoreSlot<Core.Lease>, now: UInt64) -> Bool {
        guard slot.state == .idle || slot.state == .leased else { return false }
        let isIdle = slot.state == .idle
        let state = SeenState(serial: slot.serial, isIdle: isIdle)
        let header = header(of: slot.lease)
        let before = SeenState(bits: header.pointee.seen.load(ordering: .acquiring))
        guard before != state else { return false }
        // Before the state: a thread that finds the state finds this time or a later one.
        header.pointee.seenAt.store(now, ordering: .relaxed)
        let isNew = header.pointee.seen.compareExchange(
            expected: before.bits,
            desired: state.bits,
            ordering: .acquiringAndReleasing
        ).exchanged
        guard isNew, !before.isUnknown else { return false }
        // An idle connection that was leased has not come back yet, and one with another serial number that is idle has.
        return isIdle || !before.isIdle || slot.serial &- before.serial > 1
    }

    /// Returns for how long a connection has been leased, at least, since a look has seen it first.
    func ageOfLease(_ slot: _PoolCoreSlot<Core.Lease>, now: UInt64) -> Duration {
        let header = header(of: slot.lease)
        guard SeenState(bits: header.pointee.seen.load(ordering: .acquiring)).serial == slot.serial else {
            return .zero
        }
        let since = header.pointee.seenAt.load(ordering: .relaxed)
        return .nanoseconds(Int64(clamping: now.subtractingSaturated(since)))
    }

    /// Notes that a body has thrown, so that the return of its connection is not taken for a success.
    @usableFromInline
    func noteFailedUse(_ lease: Core.Lease) {
        let state = SeenState(serial: core.serial(of: lease), isIdle: true)
        header(of: lease).pointee.seen.store(state.bits, ordering: .releasing)
    }

    /// Notes that a sweep has taken an idle connection, which changes the serial number although nobody has used it.
    func noteSwept(_ slot: _PoolCoreSlot<Core.Lease>) {
        let before = SeenState(serial: slot.serial &- 1, isIdle: true)
        let after = SeenState(serial: slot.serial, isIdle: true)
        _ = header(of: slot.lease).pointee.seen.compareExchange(
            expected: before.bits,
            desired: after.bits,
            ordering: .acquiringAndReleasing
        )
    }
}

/// A slot as a look has seen it: whose turn it was, and whether the connection was idle.
struct SeenState: Equatable {
    /// Bit 0: idle. The rest: the serial number. All bits are 0 if the connection was not seen yet.
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
}
