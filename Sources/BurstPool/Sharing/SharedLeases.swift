// SPDX-License-Identifier: Apache-2.0

import Synchronization

// What the fast path leaves out: leases that are recorded, connections that must give up leases, and verdicts.

extension SharedPoolEngine {
    /// The greatest number of leases of one connection.
    static var mostLeases: Int { 1_024 }

    @usableFromInline
    func handOutUncommonly(_ idle: Core.Lease, _ site: _LeaseSite) throws -> Bool {
        guard !endsLease(idle), try isOpen(idle) else { return false }
        noteLease(idle, site)
        if settings.reportsLeases { events.report(.acquired(.idle, waited: .zero, wait: nil)) }
        return true
    }

    /// Releases a lease, or gives it up. Returns the connection if no lease of it is left.
    @usableFromInline
    func releaseUncommonly(_ lease: Core.Lease) -> Core.Lease? {
        noteRelease(lease)
        switch giveUpIfDue(lease) {
        case .kept:
            return needsAttention(afterReleaseOf: lease) ? attendAfterReturn() : nil
        case .givenUp:
            // Another connection may have become excess, or a waiter may want one of the others.
            return attendAfterReturn()
        case .last(let checkout):
            connections.health.noteRelease()
            return checkout
        }
    }

    /// Does what the strategy says about a connection after a body threw an error.
    @usableFromInline
    func judge(_ lease: Core.Lease, after error: any Error) {
        switch strategy.connectionVerdict(after: error) {
        case .keep: noteFailedUse(lease)
        case .discard: discard(lease)
        case .evictAll:
            connections.evictAllOnce(becauseOf: checkout(of: lease).pointee)
            loseLeases(header(of: lease))
            connectionsWereFlagged()
        }
    }

    /// Hands out no more leases of the connection, and closes it when all leases have ended.
    @usableFromInline
    func discard(_ lease: Core.Lease) {
        retire(lease, .isDiscarded)
    }

    /// Ends the lease of a connection that is closed, and hands out no more leases of it.
    @usableFromInline
    func endClosed(_ lease: Core.Lease) {
        retire(lease, .hasClosed)
        endOrPutBack(lease)
    }

    func retire(_ lease: Core.Lease, _ flag: ConnectionFlags) {
        connections.header(of: checkout(of: lease).pointee).pointee.set(flag)
        loseLeases(header(of: lease))
        sweepLeases()
    }

    /// Notes that the strategy has told another limit than before. Returns whether this lease is within it; if not, it has
    /// ended.
    @usableFromInline
    func isWithinNewLimit(_ lease: Core.Lease) -> Bool {
        let header = header(of: lease)
        updateLimit(header, checkout(of: lease).pointee, connection(of: lease).pointee)
        addLeases(header, checkout(of: lease).pointee, connection(of: lease).pointee)
        reconcile()
        return !endsLease(lease)
    }

    /// Gives up a lease that this thread holds if its connection must lose leases. Returns whether it has done so.
    @usableFromInline
    func endsLease(_ lease: Core.Lease) -> Bool {
        switch giveUpIfDue(lease) {
        case .kept: return false
        case .givenUp: return true
        case .last(let checkout):
            returnConnection(checkout)
            return true
        }
    }

    func endOrPutBack(_ lease: Core.Lease) {
        if !endsLease(lease), needsAttention(afterReleaseOf: lease), let unused = attend() { returnConnection(unused) }
    }

    // MARK: Giving up leases

    enum GivingUp {
        /// The thread still holds the lease.
        case kept
        case givenUp
        /// No lease of the connection is left: the caller returns the connection.
        case last(Core.Lease)
    }

    /// Gives up a lease that this thread holds if there are more leases of its connection than there should be.
    func giveUpIfDue(_ lease: Core.Lease) -> GivingUp {
        let header = header(of: lease)
        let checkout = checkout(of: lease).pointee
        let connection = connection(of: lease)
        while true {
            let state = header.pointee.state
            let allowed = allowedLeases(state, checkout, connection.pointee)
            guard state.leases > allowed else {
                if keepsLeases(header, state) { return .kept }
                continue
            }
            // Only from this state: of two threads that find one lease too many, one gives up its lease.
            guard header.pointee.change({ $0 == state ? $0.withoutLease : nil }) != nil else { continue }
            // The slot of the lease belongs to this thread until it is detached.
            connection.deinitialize(count: 1)
            core.detach(lease)
            if state.leases - 1 > allowed, !state.contains(SharingState.losesLeases) {
                // This thread has cleared the flag at the moment at which another one lowered the limit.
                loseLeases(header)
                sweeps.request()
            }
            return noteRemoval(from: state, to: state.withoutLease) ? .last(checkout) : .givenUp
        }
    }

    /// Notes that there are not more leases than there should be. Returns `false` if that may have changed.
    private func keepsLeases(_ header: UnsafeMutablePointer<SharingHeader>, _ state: SharingState) -> Bool {
        guard state.contains(SharingState.losesLeases) else { return true }
        // A thread that has lowered the number of leases may find the flag set just before it is gone. So this thread checks
        // again afterwards.
        if header.pointee.change({ $0 == state ? $0.without(SharingState.losesLeases) : nil }) != nil { noteNoLoss() }
        return false
    }

    /// Removes a pin. Returns whether neither a lease nor another pin is left: the caller returns the connection.
    func unpin(_ header: UnsafeMutablePointer<SharingHeader>) -> Bool {
        guard let change = header.pointee.change({ $0.withoutPin }) else { return false }
        return noteRemoval(from: change.before, to: change.after)
    }

    private func noteRemoval(from before: SharingState, to after: SharingState) -> Bool {
        guard after.isEmpty else { return false }
        if before.contains(SharingState.losesLeases) { noteNoLoss() }
        if before.contains(SharingState.isWindingDown) { windingDown.subtract(1, ordering: .sequentiallyConsistent) }
        return true
    }

    /// The number of leases that the connection should have now. The caller has a lease or a pin of it.
    func allowedLeases(_ state: SharingState, _ checkout: Core.Lease, _ connection: Strategy.Connection) -> Int {
        if core.isShutDown || state.contains(SharingState.isWindingDown) { return 0 }
        let limit = strategy.leaseLimit(of: connection)
        let flags = connections.header(of: checkout)
        if limit <= 0 {
            // For good: the server has asked to close the connection.
            flags.pointee.set(.hasClosed)
        }
        guard flags.pointee.flags(.isRetired).isEmpty else { return 0 }
        return min(limit, leaseCap.load(ordering: .sequentiallyConsistent))
    }

    /// Makes every thread that holds a lease of the connection check whether to give it up.
    func loseLeases(_ header: UnsafeMutablePointer<SharingHeader>) {
        // Counted first, so that the thread that clears the flag never subtracts more than was added.
        attention.add(Attention.oneConnection, ordering: .sequentiallyConsistent)
        let change = header.pointee.change { state in
            state.isEmpty || state.contains(SharingState.losesLeases) ? nil : state.with(SharingState.losesLeases)
        }
        if change == nil { noteNoLoss() }
        // Pairs with the release of a lease: see needsAttention(afterReleaseOf:).
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    private func noteNoLoss() {
        attention.subtract(Attention.oneConnection, ordering: .sequentiallyConsistent)
    }

    // MARK: Records

    /// Notes who acquires a lease, in pools that keep records.
    func noteLease(_ lease: Core.Lease, _ site: _LeaseSite) {
        guard settings.notesLeases else { return }
        let record = record(of: lease)
        record.pointee.note(site)
        record.pointee.overdueSince.store(0, ordering: .relaxed)
        record.pointee.acquiredAt.store(clock.now, ordering: .releasing)
    }

    private func noteRelease(_ lease: Core.Lease) {
        guard settings.notesLeases else { return }
        let record = record(of: lease)
        let held = clock.elapsed(since: record.pointee.acquiredAt.load(ordering: .relaxed))
        if settings.reportsLeases { events.report(.released(held: held)) }
        if record.pointee.overdueSince.exchange(0, ordering: .relaxed) != 0 {
            events.report(.overdueLeaseReturned(record.pointee.location, age: held))
        }
    }
}
