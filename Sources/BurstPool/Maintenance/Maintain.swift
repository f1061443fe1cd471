import Synchronization

// What happens to connections as time passes: maintenance looks at all of them, decides what is due, and then sweeps through
// the idle ones. Nothing else in the pool rests on it.

extension _PoolEngine {
    /// Wakes maintenance when a connection that it has flagged changes hands. Returns the moment at which it did.
    ///
    /// A connection is retired here if it is so old that maintenance would have retired it before, had the process not been
    /// stopped or short of CPU.
    @discardableResult
    func wakeMaintenance(_ lease: Core.Lease) -> UInt64 {
        let header = header(of: lease)
        header.pointee.clear(.isResting)
        let now = clock.now
        look(by: now.addingSaturated(maintenance.interval))
        let expiry = header.pointee.expiresAt.load(ordering: .relaxed)
        if expiry > 0, expiry.addingSaturated(maintenance.retirementDelay) <= now { header.pointee.set(.isTooOld) }
        return now
    }

    /// Enforces the time limits of an idle connection that a caller has taken, although no look has noticed yet that they
    /// have passed.
    ///
    /// - Returns: The reason to close the connection, if there is one. A connection that must be validated is flagged.
    func enforceIdleLimits(_ lease: Core.Lease, now: UInt64) -> ConnectionCloseReason? {
        let header = header(of: lease)
        // Pairs with the release in flag(): with the flag, the caller sees the moment that belongs to it or a later one.
        atomicMemoryFence(ordering: .acquiring)
        let settings = maintenance.settings
        let idleTime = now.subtractingSaturated(header.pointee.unchangedSince.load(ordering: .relaxed))
        // The connections that were used last, which callers get first, stay for the minimum.
        if settings.minimumIdle == 0, let limit = settings.idleTimeout, idleTime >= limit.addingSaturated(limit / 8) {
            return .idleTimeout
        }
        if let limit = settings.validateAfterIdle, idleTime >= limit { header.pointee.set(.isStale) }
        return nil
    }

    /// Starts to observe a connection that has opened, or that has come back from a validation.
    func connectionHasOpened() {
        visits.lookAgain()
        if maintenance.observesTimes { lookWithin(maintenance.interval) }
        if let interval = maintenance.settings.closedCheckInterval { lookWithin(interval) }
    }

    func lookWithin(_ nanoseconds: UInt64) {
        guard nanoseconds != .max else { return }
        look(by: clock.now.addingSaturated(nanoseconds))
    }

    private func look(by moment: UInt64) {
        guard moment < maintenance.nextMoment else { return }
        maintenance.look(at: moment)
        alarm.ring(at: moment)
    }

    /// Looks at all connections and does what is due. O(slots).
    ///
    /// - Parameter checksForClosed: Whether every idle connection is asked whether it is closed, although that is not due.
    func maintain(checksForClosed: Bool = false) {
        guard !core.isShutDown else { return }
        maintenance.perform { dueAt, observations in
            var look = Look(now: clock.now, dueAt: dueAt, interval: maintenance.interval)
            observe(&look, &observations)
            var plan = SweepPlan(look, maintenance.settings, core.limits, observations)
            if checksForClosed { plan.checksForClosed = true }
            if visits.isActive { plan.looksForVisits = true }
            flag(look, plan)
            if plan.needsSweep { sweep(plan, &observations) }
            return nextLook(look, plan, observations)
        }
        refill()
        alarm.ring(at: maintenance.nextMoment)
    }

    // MARK: Looking

    /// Fills a look with what the slots contain, and retires connections that are too old.
    private func observe(_ look: inout Look, _ observations: inout SlotObservations) {
        let now = look.now
        lookForReturns(now: now)
        forEachSlot { index, slot in
            if slot.state == .opening { look.staying += 1 }
            guard slot.state == .idle || slot.state == .leased else { return }
            look.staying += 1
            let header = header(of: slot.lease)
            noteExpiry(header, index, &look)
            if slot.state == .leased, observations.isOwn(index, serial: slot.serial) {
                look.beingValidated += 1
                return
            }
            let isIdle = slot.state == .idle
            let since = observations.note(
                index,
                serial: slot.serial,
                isIdle: isIdle,
                element: core.element(of: slot.lease),
                changedAt: isIdle ? look.idleSinceChange : now
            )
            header.pointee.unchangedSince.store(since, ordering: .relaxed)
            if isIdle {
                look.idle.append(Look.Slot(index: index, since: since))
            } else {
                look.inUse.append(Look.Slot(index: index, since: since))
                reportOverdueLease(slot, index, since, now, &observations)
            }
            if !header.pointee.flags(.isEvicted).isEmpty { look.isEvicting = true }
        }
        retire(look.expired, total: core.total, &observations)
        for slot in look.idle {
            guard let current = core.slot(at: slot.index) else { continue }
            if let reason = header(of: current.lease).pointee.flags(.isRetired).closeReason {
                look.retired[slot.index] = reason
            }
        }
    }

    /// Notes that a connection is too old, or when it will be.
    private func noteExpiry(_ header: UnsafeMutablePointer<ConnectionHeader>, _ index: Int, _ look: inout Look) {
        let expiry = header.pointee.expiresAt.load(ordering: .relaxed)
        guard expiry > 0, header.pointee.flags(.isRetired).isEmpty else { return }
        guard expiry <= look.now else {
            look.nextExpiry = min(look.nextExpiry, expiry)
            return
        }
        if header.pointee.flags(.isLeaving).isEmpty {
            look.expired.append((index, expiry))
        } else {
            evict(header)
        }
    }

    /// Retires at most an eighth of the connections at a time, the oldest first, so that the pool is never suddenly empty.
    private func retire(_ expired: [(index: Int, at: UInt64)], total: Int, _ observations: inout SlotObservations) {
        guard !expired.isEmpty else {
            observations.mostSinceExpiry = 0
            return
        }
        observations.mostSinceExpiry = max(observations.mostSinceExpiry, total)
        let most = (observations.mostSinceExpiry + 7) / 8
        for (index, _) in expired.sorted(by: { $0.at < $1.at }).prefix(most) {
            if let slot = core.slot(at: index) { header(of: slot.lease).pointee.set(.isTooOld) }
        }
    }

    // MARK: Flags

    /// Flags connections that must be validated before their next use, and all that must wake maintenance.
    private func flag(_ look: Look, _ plan: SweepPlan) {
        for index in plan.stale {
            if let slot = core.slot(at: index) { header(of: slot.lease).pointee.set(.isStale) }
        }
        guard maintenance.observesTimes else { return }
        for slot in look.idle + look.inUse {
            guard let current = core.slot(at: slot.index) else { continue }
            // Releases the moment that observe() has stored.
            header(of: current.lease).pointee.setReleasing(.isResting)
        }
    }

    /// Returns when the next look is due.
    private func nextLook(_ look: Look, _ plan: SweepPlan, _ observations: SlotObservations) -> UInt64 {
        var next = plan.nextMoment
        if !look.expired.isEmpty {
            // Those that expire meanwhile are retired then, too.
            next = min(next, look.now.addingSaturated(maintenance.retirementPause))
        } else {
            next = min(next, look.nextExpiry)
        }
        if maintenance.observesTimes, !isResting(look, observations) {
            next = min(next, look.now.addingSaturated(maintenance.interval))
        }
        if look.isEvicting { next = min(next, evictions.nextLook(now: look.now)) } else { evictions.noteNothingLeft() }
        if isBelowMinimum { next = min(next, look.now.addingSaturated(1_000_000_000)) }
        return next
    }

    /// Whether every connection is flagged, so that its next lease or release wakes maintenance. A connection that changed
    /// hands while it was being flagged may have been missed, and then is not flagged any more or has another serial number.
    private func isResting(_ look: Look, _ observations: SlotObservations) -> Bool {
        guard look.beingValidated == 0 else { return false }
        var rests = true
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        for slot in look.idle + look.inUse {
            guard let current = core.slot(at: slot.index) else { continue }
            switch current.state {
            case .idle, .leased:
                if current.serial != observations[slot.index].serial
                    || header(of: current.lease).pointee.flags(.isResting).isEmpty
                {
                    rests = false
                }
            case .vacant, .opening, .closing: break
            }
        }
        return rests
    }

    /// Whether connections are missing that the pool should have opened, as while the server is down.
    private var isBelowMinimum: Bool {
        guard settings.minimumIdle > 0 else { return false }
        let counts = core.counts
        return counts.idle + counts.opening < settings.minimumIdle
            && counts.idle + counts.leased + counts.opening + counts.closing < core.limits.maxSize
    }
}

/// What maintenance has seen in one look.
struct Look {
    struct Slot {
        let index: Int
        let since: UInt64
    }

    let now: UInt64
    /// Since when a connection is idle that has changed hands since the last look.
    ///
    /// A look in time takes such a connection for just released, which is an eighth of a limit too late at most. A look that
    /// is late, because the process was stopped or had no CPU, goes by the earliest moment at which the connection can have
    /// been released.
    let idleSinceChange: UInt64
    var idle: [Slot] = []
    var inUse: [Slot] = []
    var retired: [Int: ConnectionCloseReason] = [:]
    var expired: [(index: Int, at: UInt64)] = []
    var nextExpiry = UInt64.max
    var beingValidated = 0
    /// The connections that are not closing.
    var staying = 0
    /// Whether a connection is evicted and has not come back yet.
    var isEvicting = false

    init(now: UInt64, dueAt: UInt64, interval: UInt64) {
        self.now = now
        // Whatever changed hands first after the last look has asked for a look within the interval.
        let isLate = now > dueAt.addingSaturated(interval)
        idleSinceChange = isLate ? dueAt.subtractingSaturated(interval) : now
    }
}
