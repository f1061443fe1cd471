// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What to do with an idle connection that must be validated before it is used.
@usableFromInline
enum StaleConnection {
    /// Make the connection idle again. The caller takes it on the waiting path, which validates it.
    case returnIdle
    /// Validate the connection in the background. The oldest waiter gets it afterwards.
    case validate
    /// Use the connection without a validation.
    case use
}

// What the fast path leaves to other functions: connections and leases with flags.

extension _PoolEngine {
    /// Returns whether a connection with flags can be handed out. If not, the lease has ended.
    @usableFromInline
    func isUsable(_ lease: Core.Lease, _ flags: ConnectionFlags, ifStale: StaleConnection) -> Bool {
        let expired = flags.contains(.wakesMaintenance) ? enforceIdleLimits(lease, now: wakeMaintenance(lease)) : nil
        if let reason = header(of: lease).pointee.flags(.isRetired).closeReason ?? expired {
            closeInBackground(lease, reason)
            return false
        }
        guard isStale(lease) else { return true }
        switch ifStale {
        case .use:
            header(of: lease).pointee.clear(.isStale)
            return true
        case .returnIdle: if core.release(lease) { reconcile() }
        case .validate: validateForWaiter(lease)
        }
        return false
    }

    /// Whether a connection must be validated before it is used.
    @inlinable
    func isStale(_ lease: Core.Lease) -> Bool {
        !header(of: lease).pointee.flags(.isStale).isEmpty
    }

    /// Reports the lease of a connection that was idle.
    @usableFromInline
    func reportLease(_ lease: Core.Lease) {
        record(of: lease).pointee.acquiredAt.store(clock.now, ordering: .relaxed)
        events.report(.acquired(.idle, waited: .zero, wait: nil))
    }

    /// Notes and reports the lease of a connection for which the caller has waited.
    @usableFromInline
    func noteServed(_ lease: Core.Lease, _ site: _LeaseSite, _ ticket: Core.Ticket, since began: UInt64) {
        let flags = header(of: lease).pointee.flags([.concernLease, .isFresh, .wakesMaintenance])
        noteLease(lease, site, flags)
        if flags.contains(.isFresh) { header(of: lease).pointee.clear(.isFresh) }
        if flags.contains(.wakesMaintenance) { wakeMaintenance(lease) }
        guard events.isObserved else { return }
        noteWaitEnded()
        let now = clock.now
        if flags.contains(.isObserved) { record(of: lease).pointee.acquiredAt.store(now, ordering: .relaxed) }
        events.report(
            .acquired(
                flags.contains(.isFresh) ? .opened : .waited,
                waited: .nanoseconds(now.subtractingSaturated(began)),
                wait: ConnectionWait(number: core.number(of: ticket))
            )
        )
    }

    // MARK: The end of a lease

    /// Ends the lease of a connection with flags. Returns `false` if the caller must release the connection like any other.
    @usableFromInline
    func releaseFlagged(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        noteRelease(lease, flags)
        if flags.contains(.awaitsVisit) { return releaseBeforeVisit(lease, flags) }
        return disposeOfFlagged(lease, header(of: lease).pointee.flags(.concernRelease))
    }

    /// Notes and reports that the caller no longer uses a connection.
    func noteRelease(_ lease: Core.Lease, _ flags: ConnectionFlags) {
        if flags.contains(.wakesMaintenance) { wakeMaintenance(lease) }
        if flags.contains(.isObserved) {
            let since = record(of: lease).pointee.acquiredAt.load(ordering: .relaxed)
            events.report(.released(held: clock.elapsed(since: since)))
        }
        if flags.contains(.isOverdue) { endOverdueLease(lease) }
    }

    /// Detaches, closes or resets a connection if its flags say so. Returns `false` if the caller must release it like any
    /// other.
    func disposeOfFlagged(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        if flags.contains(.isDetached) {
            connection(of: lease).deinitialize(count: 1)
            freeSlotAfterDetach(lease)
            slotIsFree()
            return true
        }
        if let reason = flags.closeReason {
            closeInBackground(lease, reason)
            return true
        }
        // After a shutdown no caller will use the connection.
        guard flags.contains(.isReset), !core.isShutDown else { return false }
        reset(lease)
        return true
    }

    /// Asks the strategy for its verdict on a connection after a body threw an error, and obeys it.
    @inlinable @inline(__always)
    func judge(_ lease: Core.Lease, after error: any Error) {
        switch unretainedStrategy._withUnsafeGuaranteedRef({ $0.connectionVerdict(after: error) }) {
        case .keep: noteFailedUse(lease)
        case .discard: discard(lease)
        case .evictAll: evictAllOnce(becauseOf: lease)
        }
    }

    /// Flags a connection, so that it is closed when its lease ends.
    public func discard(_ lease: Core.Lease) {
        header(of: lease).pointee.set(.isDiscarded)
    }

    /// Takes a connection out of the pool. The slot becomes free when the lease ends.
    public func detach(_ lease: Core.Lease) -> sending Strategy.Connection {
        _ = header(of: lease).pointee.abortHandle.take()
        header(of: lease).pointee.set(.isDetached)
        nonisolated(unsafe) let connection = connection(of: lease).pointee
        return connection
    }
}
