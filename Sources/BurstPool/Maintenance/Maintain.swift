// SPDX-License-Identifier: Apache-2.0

import Synchronization

// The work on connections as time passes. One run of maintenance is called a look: it inspects all slots, decides what is due,
// and then sweeps through the idle connections if necessary. Callers that acquire and release connections never wait for it.

extension _PoolEngine {
    /// Wakes maintenance, because a connection that it has flagged was acquired or released. Returns the current moment.
    ///
    /// This also flags the connection as too old if maintenance should have retired it by now. Maintenance can be late if the
    /// process was stopped or had no CPU.
    @discardableResult
    func wakeMaintenance(_ lease: Core.Lease) -> UInt64 {
        let header = header(of: lease)
        header.pointee.clear(.wakesMaintenance)
        let now = clock.now
        look(by: now.addingSaturated(maintenance.interval))
        let expiry = header.pointee.expiresAt.load(ordering: .relaxed)
        if expiry > 0, expiry.addingSaturated(maintenance.retirementDelay) <= now { header.pointee.set(.isTooOld) }
        return now
    }

    /// Enforces the limits on the idle time of a connection that a caller has taken, because they may have passed since the
    /// last look. A connection that must be validated is flagged.
    ///
    /// - Returns: The reason to close the connection, if there is one.
    func enforceIdleLimits(_ lease: Core.Lease, now: UInt64) -> ConnectionCloseReason? {
        let header = header(of: lease)
        // Pairs with the release in flag(): a caller that has read the flag reads the moment that was stored before the flag,
        // or a later one.
        atomicMemoryFence(ordering: .acquiring)
        let settings = maintenance.settings
        let idleTime = now.subtractingSaturated(header.pointee.unchangedSince.load(ordering: .relaxed))
        // If there is a minimum of idle connections, this connection is kept: callers get the connection that was used last,
        // and maintenance closes the connections that have been idle for longer.
        if settings.minimumIdle == 0, let limit = settings.idleTimeout, idleTime >= limit.addingSaturated(limit / 8) {
            return .idleTimeout
        }
        if let limit = settings.validateAfterIdle, idleTime >= limit { header.pointee.set(.isStale) }
        return nil
    }

    /// Schedules the looks that are needed for a connection that has opened, or that has become idle after a check or a visit.
    func connectionHasOpened() {
        visits.lookAgain()
        if maintenance.observesTimes { lookWithin(maintenance.interval) }
        if let interval = maintenance.settings.closedCheckInterval { lookWithin(interval) }
    }

    /// Schedules a look within so many nanoseconds, or none for `UInt64.max`.
    func lookWithin(_ nanoseconds: UInt64) {
        guard nanoseconds != .max else { return }
        look(by: clock.now.addingSaturated(nanoseconds))
    }

    private func look(by moment: UInt64) {
        guard moment < maintenance.nextMoment else { return }
        maintenance.look(at: moment)
        alarm.ring(at: moment)
    }

    /// Inspects all slots and does what is due. O(slots).
    ///
    /// - Parameter checksForClosed: Whether to ask the strategy whether each idle connection is closed, even if that is not due
    ///   yet.
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
        sharing?.connectionsWereFlagged()
        refill()
        alarm.ring(at: maintenance.nextMoment)
    }

    // MARK: Looking

    /// Records the state of all slots in a look, and flags connections that are too old.
    private func observe(_ look: inout Look, _ observations: inout SlotObservations) {
        let now = look.now
        noteReleases(now: now)
        core.forEachSlot { index, slot in
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

    /// Records that a connection has expired, or else when it will expire.
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

    /// Flags connections that have expired as too old, but at most an eighth of all connections at a time, those that expired
    /// first. So the pool is never suddenly empty.
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

    /// Flags the connections that must be validated before their next use. Also flags all connections so that their next lease
    /// or release wakes maintenance.
    private func flag(_ look: Look, _ plan: SweepPlan) {
        for index in plan.stale {
            if let slot = core.slot(at: index) { header(of: slot.lease).pointee.set(.isStale) }
        }
        guard maintenance.observesTimes else { return }
        for slot in look.idle + look.inUse {
            guard let current = core.slot(at: slot.index) else { continue }
            // With a release, so that a caller that reads the flag also reads the moment that observe() has stored.
            header(of: current.lease).pointee.setReleasing(.wakesMaintenance)
        }
    }

    /// Returns when the next look is due.
    private func nextLook(_ look: Look, _ plan: SweepPlan, _ observations: SlotObservations) -> UInt64 {
        var next = plan.nextMoment
        if !look.expired.isEmpty {
            // The next look retires connections that expire before it, too, so `look.nextExpiry` does not matter.
            next = min(next, look.now.addingSaturated(maintenance.retirementPause))
        } else {
            next = min(next, look.nextExpiry)
        }
        if maintenance.observesTimes, !canRest(look, observations) {
            next = min(next, look.now.addingSaturated(maintenance.interval))
        }
        if look.isEvicting { next = min(next, evictions.nextLook(now: look.now)) } else { evictions.noteNothingLeft() }
        if isBelowMinimum { next = min(next, look.now.addingSaturated(1_000_000_000)) }
        return next
    }

    /// Whether maintenance can rest, because every connection is flagged, so that its next lease or release wakes maintenance.
    ///
    /// Maintenance cannot rest if a connection was acquired or released while this look inspected and flagged it. Such a
    /// connection has no flag, or another serial number than the one that this look has recorded.
    private func canRest(_ look: Look, _ observations: SlotObservations) -> Bool {
        guard look.beingValidated == 0 else { return false }
        var rests = true
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        for slot in look.idle + look.inUse {
            guard let current = core.slot(at: slot.index) else { continue }
            switch current.state {
            case .idle, .leased:
                if current.serial != observations[slot.index].serial
                    || header(of: current.lease).pointee.flags(.wakesMaintenance).isEmpty
                {
                    rests = false
                }
            case .vacant, .opening, .closing: break
            }
        }
        return rests
    }

    /// Whether fewer connections than the minimum are idle or opening although the pool may open more. This is so while the
    /// server is down.
    private var isBelowMinimum: Bool {
        guard settings.minimumIdle > 0 else { return false }
        let counts = core.counts
        return counts.idle + counts.opening < settings.minimumIdle
            && counts.idle + counts.leased + counts.opening + counts.closing < core.limits.maxSize
    }
}

/// What maintenance has recorded in one inspection of all slots.
struct Look {
    struct Slot {
        let index: Int
        let since: UInt64
    }

    let now: UInt64
    /// The moment since which a connection counts as idle, if it is idle now and was acquired or released since the last look.
    ///
    /// A look that is on time assumes that such a connection was released just now, which makes the enforcement of a limit at
    /// most an eighth late. A look that is late, because the process was stopped or had no CPU, assumes the earliest moment at
    /// which the connection can have been released.
    let idleSinceChange: UInt64
    var idle: [Slot] = []
    var inUse: [Slot] = []
    var retired: [Int: ConnectionCloseReason] = [:]
    var expired: [(index: Int, at: UInt64)] = []
    var nextExpiry = UInt64.max
    var beingValidated = 0
    /// The number of connections that are not closing.
    var staying = 0
    /// Whether an evicted connection is still open.
    var isEvicting = false

    init(now: UInt64, dueAt: UInt64, interval: UInt64) {
        self.now = now
        // The first lease or release after the last look has asked for a look within the interval. So it happened at most one
        // interval before `dueAt`.
        let isLate = now > dueAt.addingSaturated(interval)
        idleSinceChange = isLate ? dueAt.subtractingSaturated(interval) : now
    }
}
