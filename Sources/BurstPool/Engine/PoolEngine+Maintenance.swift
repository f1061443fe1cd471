import Synchronization

// What happens to connections by the time: the pool looks at them now and then, in a task of its own, and leasing pays
// nothing for it. Nothing that the pool promises its callers rests on it but what is a matter of time.

extension _PoolEngine {
    func startMaintenance() {
        guard let interval = maintenance.interval, maintenance.start() else { return }
        maintenance.sleeper.replace { [self] in
            topUp()
            while true {
                do { try await clock.sleep(until: clock.now + interval) } catch { return }
                lookAfterConnections()
            }
        }
        // A shutdown that came before this did not see the task, which would keep the engine.
        if core.isShutDown { maintenance.stop() }
    }

    /// Looks at all connections, and does what is due. O(slots); goes through the idle ones only if one of them is due.
    func lookAfterConnections() {
        maintenance.perform { observations in
            let due = lookAtSlots(&observations)
            if !due.isEmpty { goThroughIdle(due, &observations) }
        }
        topUp()
    }

    /// What is to be done with an idle connection.
    private enum Due {
        case close(ConnectionCloseReason)
        case validate
    }

    // MARK: Looking

    private func lookAtSlots(_ observations: inout SlotObservations) -> [Int: Due] {
        let now = clock.now
        var idle: [(index: Int, since: UInt64)] = []
        var expired: [(index: Int, at: UInt64)] = []
        var beingValidated = 0
        let total = core.total
        // Those closing are not left over: they are going already.
        var staying = 0
        var index = 0
        while let slot = core.slot(at: index) {
            defer { index += 1 }
            if slot.state == .opening { staying += 1 }
            guard slot.state == .idle || slot.state == .leased else { continue }
            staying += 1
            if let moment = expiry(header(of: slot.lease), now) { expired.append((index, moment)) }
            let isIdle = slot.state == .idle
            if !isIdle, observations.isOwn(index, serial: slot.serial) {
                beingValidated += 1
                continue
            }
            let since = observations.note(
                index,
                serial: slot.serial,
                isIdle: isIdle,
                element: core.element(of: slot.lease),
                now: now
            )
            if isIdle { idle.append((index, since)) } else { reportLease(slot, index, since, now, &observations) }
        }
        retire(expired, total: total, &observations)
        var due: [Int: Due] = [:]
        for (index, _) in idle {
            guard let slot = core.slot(at: index) else { continue }
            if let reason = header(of: slot.lease).pointee.flags(.isRetired).closeReason { due[index] = .close(reason) }
        }
        noteIdle(idle, beingValidated: beingValidated, staying: staying, now: now, observations, &due)
        return due
    }

    /// Since when a connection has been too old, if it is, and not marked as such yet.
    private func expiry(_ header: UnsafeMutablePointer<ConnectionHeader>, _ now: UInt64) -> UInt64? {
        let expiry = header.pointee.expiresAt.load(ordering: .relaxed)
        guard expiry > 0, expiry <= now, header.pointee.flags(.isRetired).isEmpty else { return nil }
        guard header.pointee.flags(.isLeaving).isEmpty else {
            evict(header)
            return nil
        }
        return expiry
    }

    /// Marks those that are too old, the oldest first, and not too many at a time.
    ///
    /// An eighth of what there was when the first of them came, for the others do not get fewer by its end: so each is
    /// marked within eight looks, which is the time that its expiry leaves.
    private func retire(_ expired: [(index: Int, at: UInt64)], total: Int, _ observations: inout SlotObservations) {
        observations.mostSinceExpiry = expired.isEmpty ? 0 : max(observations.mostSinceExpiry, total)
        let most = (observations.mostSinceExpiry + 7) / 8
        for (index, _) in expired.sorted(by: { $0.at < $1.at }).prefix(most) {
            if let slot = core.slot(at: index) { header(of: slot.lease).pointee.set(.isTooOld) }
        }
    }

    private func noteIdle(
        _ idle: [(index: Int, since: UInt64)],
        beingValidated: Int,
        staying: Int,
        now: UInt64,
        _ observations: SlotObservations,
        _ due: inout [Int: Due]
    ) {
        var remaining = idle.count - due.count
        var excess = staying - due.count - limits.maxSize
        var mayValidate = max(1, (idle.count + beingValidated) / 8) - beingValidated
        // The coldest first.
        for (index, since) in idle.sorted(by: { $0.since < $1.since }) where due[index] == nil {
            let idleFor = now - min(now, since)
            if excess > 0, let linger = settings.burstLinger?.nanoseconds, idleFor >= linger {
                due[index] = .close(.excess)
                excess -= 1
                remaining -= 1
            } else if remaining > settings.minimumIdle, let timeout = settings.idleTimeout, idleFor >= timeout {
                due[index] = .close(.idleTimeout)
                excess -= 1
                remaining -= 1
            } else if mayValidate > 0, let interval = settings.keepaliveInterval,
                now - min(now, max(since, observations[index].lastValidated)) >= interval
            {
                due[index] = .validate
                mayValidate -= 1
            } else if let age = settings.validateAfterIdle, idleFor >= age, let slot = core.slot(at: index) {
                header(of: slot.lease).pointee.set(.isStale)
            }
        }
    }

    private func reportLease(
        _ slot: _PoolCoreSlot<Core.Lease>,
        _ index: Int,
        _ since: UInt64,
        _ now: UInt64,
        _ observations: inout SlotObservations
    ) {
        guard let threshold = settings.leakThreshold, now - min(now, since) >= threshold,
            !observations[index].isReported
        else { return }
        let record = record(of: slot.lease)
        // Without a place it is in use by the pool itself.
        guard record.pointee.fileID.load(ordering: .relaxed) != 0 else { return }
        observations[index].isReported = true
        record.pointee.overdueSince.store(since, ordering: .relaxed)
        let place = record.pointee.place
        header(of: slot.lease).pointee.set(.isOverdue)
        // It may have come back meanwhile, and what has been read and marked is the next one's.
        if let slotNow = core.slot(at: index), slotNow.serial == slot.serial, slotNow.state == .leased {
            observer?.connectionPool(.leaseOverdue(place, age: .nanoseconds(now - since)))
        } else {
            header(of: slot.lease).pointee.clear(.isOverdue)
        }
    }

    // MARK: Going through the idle ones

    /// Takes each idle connection, down to the coldest, and does what is due. Never has more than one in hand, and those that
    /// it has been through are at hand for everybody: see "Sweeping" in `bp_pool.h`.
    private func goThroughIdle(_ due: [Int: Due], _ observations: inout SlotObservations) {
        maintenance.internalUse.begin()
        defer { endInternalUse() }
        var left = core.counts.idle
        while left > 0, let lease = core.sweepNext() {
            left -= 1
            guard let index = observations.index(ofElement: core.element(of: lease)) else {
                if core.sweepKeep(lease) { reconcile() }
                continue
            }
            keepAge(index, &observations)
            if let reason = header(of: lease).pointee.flags(.isRetired).closeReason {
                closeInBackground(lease, reason)
                continue
            }
            switch due[index] {
            case .close(let reason):
                closeInBackground(lease, reason)
            case .validate:
                observations[index].lastValidated = clock.now
                validateInBackground(lease)
            case nil:
                if core.sweepKeep(lease) { reconcile() }
            }
        }
        while let needsReconciling = core.sweepEnd() {
            if needsReconciling { reconcile() }
        }
    }

    private func keepAge(_ index: Int, _ observations: inout SlotObservations) {
        if let slot = core.slot(at: index) { observations.keep(index, serial: slot.serial) }
    }
}
