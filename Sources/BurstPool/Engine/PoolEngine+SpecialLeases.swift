import Synchronization

/// What to do with a connection that must be validated first.
@usableFromInline
enum StaleConnection {
    /// The caller takes it out again and validates it.
    case returnIdle
    /// Validate it in the background, and then give it to whoever waits.
    case validate
    case use
}

// What the hot path leaves to others: connections and leases that are marked.

extension _PoolEngine {
    /// Whether a connection that is marked can be handed out. If not, the lease has ended.
    @usableFromInline
    func isFit(_ lease: Core.Lease, _ flags: ConnectionFlags, ifStale: StaleConnection) -> Bool {
        if let reason = flags.closeReason {
            closeInBackground(lease, reason)
            return false
        }
        switch ifStale {
        case .use:
            header(of: lease).pointee.clear(.isStale)
            return true
        case .returnIdle: if core.release(lease) { reconcile() }
        case .validate: validateInBackground(lease)
        }
        return false
    }

    /// Notes who has a connection.
    @usableFromInline
    func noteLease(_ lease: Core.Lease, _ site: _LeaseSite, _ flags: ConnectionFlags) {
        if flags.contains(.isTracked) { record(of: lease).pointee.note(site) }
        guard flags.contains(.isOwned) else { return }
        record(of: lease).pointee.task.store(site.isScoped ? LeaseRecord.currentTask : 0, ordering: .relaxed)
    }

    /// Tells the observer of a lease of a connection that was idle.
    @usableFromInline
    func tellOfLease(_ lease: Core.Lease) {
        record(of: lease).pointee.takenAt.store(clock.now, ordering: .relaxed)
        observer?.connectionPool(.acquired(.idle, waited: .zero, wait: nil))
    }

    /// Notes a lease of a connection that its caller has waited for.
    @usableFromInline
    func noteServed(_ lease: Core.Lease, _ site: _LeaseSite, _ ticket: Core.Ticket, since began: UInt64) {
        let flags = header(of: lease).pointee.flags([.concernLease, .isFresh])
        noteLease(lease, site, flags)
        if flags.contains(.isFresh) { header(of: lease).pointee.clear(.isFresh) }
        guard let observer else { return }
        let now = clock.now
        if flags.contains(.isObserved) { record(of: lease).pointee.takenAt.store(now, ordering: .relaxed) }
        observer.connectionPool(
            .acquired(
                flags.contains(.isFresh) ? .opened : .waited,
                waited: .nanoseconds(now - min(now, began)),
                wait: ConnectionWait(number: core.number(of: ticket))
            )
        )
    }

    /// Ends a lease that is marked. Returns `false` if it is to be returned as any other.
    @usableFromInline
    func endSpecially(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        noteReturn(lease, flags)
        return disposeSpecially(lease, flags)
    }

    /// Notes that the caller has no more use for it.
    func noteReturn(_ lease: Core.Lease, _ flags: ConnectionFlags) {
        if flags.contains(.isObserved) {
            let since = record(of: lease).pointee.takenAt.load(ordering: .relaxed)
            observer?.connectionPool(.released(held: clock.elapsed(since: since)))
        }
        // Before it is anybody else's: a task does not have what it has given back.
        if flags.contains(.isOwned) { record(of: lease).pointee.task.store(0, ordering: .relaxed) }
        if flags.contains(.isOverdue) { endOverdueLease(lease) }
    }

    /// Does with a connection what its flags say. Returns `false` if that is to return it as any other.
    func disposeSpecially(_ lease: Core.Lease, _ flags: ConnectionFlags) -> Bool {
        if flags.contains(.isDetached) {
            core.detach(lease)
            placeIsFree()
            return true
        }
        if let reason = flags.closeReason {
            closeInBackground(lease, reason)
            return true
        }
        // Nobody will use it after a shutdown.
        guard flags.contains(.isReset), !core.isShutDown else { return false }
        resetInBackground(lease)
        return true
    }

    private func endOverdueLease(_ lease: Core.Lease) {
        header(of: lease).pointee.clear(.isOverdue)
        let since = record(of: lease).pointee.overdueSince.load(ordering: .relaxed)
        observer?.connectionPool(
            .overdueLeaseReturned(record(of: lease).pointee.place, age: clock.elapsed(since: since))
        )
    }

    /// Notes that the pool itself uses a connection: that is nobody's leak.
    func noteInternalUse(_ lease: Core.Lease) {
        guard !header(of: lease).pointee.flags(.isTracked).isEmpty else { return }
        record(of: lease).pointee.fileID.store(0, ordering: .relaxed)
    }

    private func resetInBackground(_ lease: Core.Lease) {
        noteInternalUse(lease)
        maintenance.internalUse.begin()
        Task.detached { [self] in
            do {
                try await strategy.resetConnection(&connection(of: lease).pointee)
            } catch {
                endInternalUse()
                return closeInBackground(lease, .resetFailed)
            }
            let needsReconciling = core.release(lease)
            endInternalUse()
            if needsReconciling { reconcile() }
        }
    }

    /// Moves the connection out of the pool. The lease then ends by giving its place back.
    public func detach(_ lease: Core.Lease) -> sending Strategy.Connection {
        _ = header(of: lease).pointee.takeAbortHandle()
        header(of: lease).pointee.set(.isDetached)
        return connection(of: lease).move()
    }

    /// The connection is closed when the lease ends.
    public func discard(_ lease: Core.Lease) {
        header(of: lease).pointee.set(.isDiscarded)
    }

    /// Whether the present task has all connections that there may be, by scoped leases.
    @usableFromInline
    func taskHoldsAll() -> Bool {
        let task = LeaseRecord.currentTask
        guard task != 0 else { return false }
        var held = 0
        var index = 0
        while let slot = core.slot(at: index) {
            // What this task has noted it sees, and what others note is not this task.
            if slot.state == .leased, record(of: slot.lease).pointee.task.load(ordering: .relaxed) == task { held += 1 }
            index += 1
        }
        // 0 after a shutdown, which is told as such.
        let limit = core.counts.hardLimit
        return limit > 0 && held >= limit
    }
}
