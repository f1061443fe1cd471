// SPDX-License-Identifier: Apache-2.0

/// What is to be done with the idle connections, and when something is due next. A decision without any effect.
struct SweepPlan {
    enum Action {
        case close(ConnectionCloseReason)
        case validate
    }

    private(set) var actions: [Int: Action] = [:]
    /// The connections that must be validated before their next use.
    private(set) var stale: [Int] = []
    /// Whether every idle connection is asked whether it is closed.
    var checksForClosed = false
    /// Whether an idle connection may be needed for a visit.
    var looksForVisits = false
    /// When something is due next, unless connections change hands.
    private(set) var nextMoment = UInt64.max

    var needsSweep: Bool { !actions.isEmpty || checksForClosed || looksForVisits }

    init(_ look: Look, _ settings: MaintenanceSettings, _ limits: _PoolCoreLimits, _ observations: SlotObservations) {
        for (index, reason) in look.retired { actions[index] = .close(reason) }
        var remaining = look.idle.count - actions.count
        var excess = look.staying - actions.count - limits.maxSize
        // Connections above the hard limit, after it was lowered, do not linger.
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

    /// Whether a time limit has passed. If not, the plan notes when it will.
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
