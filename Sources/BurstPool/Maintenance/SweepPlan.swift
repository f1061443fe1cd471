// SPDX-License-Identifier: Apache-2.0

/// Decides what to do with each idle connection, and when something is due next. Making a plan changes nothing in the pool.
struct SweepPlan {
    enum Action {
        case close(ConnectionCloseReason)
        case validate
    }

    private(set) var actions: [Int: Action] = [:]
    /// The connections that must be validated before their next use.
    private(set) var stale: [Int] = []
    /// Whether to ask the strategy whether each idle connection is closed.
    var checksForClosed = false
    /// Whether a task that runs a body on every connection may need an idle connection now.
    var looksForVisits = false
    /// When something is due next, unless connections change hands.
    private(set) var nextMoment = UInt64.max

    var needsSweep: Bool { !actions.isEmpty || checksForClosed || looksForVisits }

    init(_ look: Look, _ settings: MaintenanceSettings, _ limits: _PoolCoreLimits, _ observations: SlotObservations) {
        for (index, reason) in look.retired { actions[index] = .close(reason) }
        var remaining = look.idle.count - actions.count
        var excess = look.staying - actions.count - limits.maxSize
        // At most so many excess connections may stay idle for burstLinger. After the hard limit was lowered there may be more,
        // and those above the hard limit are closed now.
        let lingering = limits.hardLimit - limits.maxSize
        var mayValidate = max(1, (look.idle.count + look.beingValidated) / 8) - look.beingValidated
        // The connection that has been idle for the longest time first.
        for slot in look.idle.sorted(by: { $0.since < $1.since }) where actions[slot.index] == nil {
            if excess > 0, excess > lingering || isDue(slot.since, settings.burstLinger, look.now) {
                actions[slot.index] = .close(.excess)
                excess -= 1
                remaining -= 1
                continue
            }
            if remaining > settings.minimumIdle, isDue(slot.since, settings.idleTimeout, look.now) {
                actions[slot.index] = .close(.idleTimeout)
                excess -= 1
                remaining -= 1
                continue
            }
            let lastUse = max(slot.since, observations[slot.index].lastValidated)
            if mayValidate > 0, isDue(lastUse, settings.keepaliveInterval, look.now) {
                actions[slot.index] = .validate
                mayValidate -= 1
            } else if isDue(slot.since, settings.validateAfterIdle, look.now) {
                stale.append(slot.index)
            }
        }
        if let interval = settings.closedCheckInterval, !look.idle.isEmpty {
            checksForClosed = true
            nextMoment = min(nextMoment, look.now.addingSaturated(interval))
        }
        noteLeaks(look, settings, observations)
    }

    /// Returns whether a time limit has passed. If it has not, the plan notes when it will.
    private mutating func isDue(_ since: UInt64, _ limit: UInt64?, _ now: UInt64) -> Bool {
        guard let limit else { return false }
        let moment = since.addingSaturated(limit)
        if moment <= now { return true }
        nextMoment = min(nextMoment, moment)
        return false
    }

    private mutating func noteLeaks(_ look: Look, _ settings: MaintenanceSettings, _ observations: SlotObservations) {
        for slot in look.inUse where !observations[slot.index].isReported {
            _ = isDue(slot.since, settings.leakThreshold, look.now)
        }
    }
}
