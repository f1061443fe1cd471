// SPDX-License-Identifier: Apache-2.0

/// What a member may use, and what it asks the store for: the member's side of the protocol, without clock, pool or store.
///
/// Moments are durations since an arbitrary origin, and each call takes the present moment. The caller applies
/// ``limits`` to the pool after every call, before it does anything else.
/// The package sees it, because the simulation of fleets in `Tests/FleetSimulation` runs it.
package struct FleetHolder: Sendable {
    /// What to ask the store for.
    package enum Request: Sendable, Hashable {
        case join
        case renew(held: Int, wanted: Int)
    }

    /// A request that was sent and is not answered yet.
    package struct Pending: Sendable, Hashable {
        package let number: Int
        package let request: Request
        /// The moment before the request was sent, from which its terms count.
        package let sent: Duration
    }

    /// How a request ended.
    package enum Outcome: Sendable {
        case reply(FleetReply)
        case unreachable
    }

    private struct Lowering {
        /// The share that remains.
        let share: Int
        /// The looks in which the pool did not use more.
        var looksBelow = 0
    }

    /// The number of looks in which the pool must not use more than a lowered limit before the difference is released.
    static let looksBeforeRelease = 2

    private let configuration: FleetConfiguration
    private var settings: FleetSettings { configuration.settings }

    /// Whether the process is a member, as far as it knows.
    package private(set) var isMember = false
    /// Whether the membership has ended and the floor is kept, because the configuration says so.
    private(set) var keepsFloor = false
    /// The part of the burst budget that the member may use.
    package private(set) var share = 0
    private var shareEnds = Duration.zero
    private var membershipEnds = Duration.zero

    private var pending: Pending?
    private var latestNumber = 0
    private var nextRenewal = Duration.zero
    private var nextAttempt = Duration.zero
    private var nextDraw = Duration.zero
    private var failures = 0
    /// Whether the store has refused the process since it was a member.
    private var waitsToJoin = false

    private var lowering: Lowering?
    private var quietSince: Duration?
    /// The greatest number of connections above the floor that the pool has had in this quiet time.
    private var peak = 0

    private var changes: [FleetEvent.Kind] = []

    package init(_ configuration: FleetConfiguration) {
        self.configuration = configuration
    }

    /// What the pool may use now.
    package var limits: FleetLimits {
        guard isMember || keepsFloor else { return .suspended }
        return .connections(floor: settings.floor, share: lowering?.share ?? share)
    }

    /// Returns what has happened since the call before, for the observer.
    package mutating func takeChanges() -> [FleetEvent.Kind] {
        defer { changes = [] }
        return changes
    }

    // MARK: Terms

    /// Ends the terms that have passed. Every other call does this first.
    package mutating func endTerms(at now: Duration) {
        guard isMember else { return }
        if share > 0, now >= shareEnds {
            changes.append(.shareTermEnded(share: share))
            loseShare()
        }
        if now >= membershipEnds {
            keepsFloor = configuration.whenMembershipEnds == .keepFloor
            endMembership()
            changes.append(.membershipEnded)
        }
    }

    private mutating func loseShare() {
        share = 0
        lowering = nil
        quietSince = nil
    }

    private mutating func endMembership() {
        loseShare()
        isMember = false
    }

    // MARK: Looks

    /// Ends terms, and decides what to ask the store for, from what the pool uses and needs.
    ///
    /// - Returns: The request to send now, if there is one. The limits have to be applied before it is sent.
    package mutating func look(at now: Duration, _ demand: FleetDemand) -> Pending? {
        endTerms(at: now)
        if let waiting = pending {
            guard now - waiting.sent >= configuration.requestTimeout else {
                noteDemand(at: now, demand)
                return nil
            }
            pending = nil
            noteFailure(at: now)
        }
        guard isMember else {
            return now >= nextAttempt ? send(.join, at: now) : nil
        }
        noteDemand(at: now, demand)
        guard now >= nextAttempt else { return nil }
        // Connections above the floor whose term has ended are counted again if the budget has room.
        let used = max(share, min(neededShare(demand), configuration.shareCap))
        if isShort(demand), now >= nextDraw, share < configuration.shareCap {
            return send(.renew(held: share, wanted: min(used + configuration.chunk, configuration.shareCap)), at: now)
        }
        if let lowered = lowering, lowered.looksBelow >= Self.looksBeforeRelease {
            // The reply can be lost after the store has released the difference, so the member stops using it now.
            changes.append(.shareChanged(from: share, to: lowered.share))
            share = lowered.share
            lowering = nil
            return send(.renew(held: share, wanted: share), at: now)
        }
        return now >= nextRenewal ? send(.renew(held: share, wanted: used), at: now) : nil
    }

    /// Ends the membership, and returns the number of the request that leaves the fleet.
    mutating func endingNumber() -> Int {
        endMembership()
        keepsFloor = false
        latestNumber += 1
        return latestNumber
    }

    private mutating func send(_ request: Request, at now: Duration) -> Pending {
        latestNumber += 1
        let sent = Pending(number: latestNumber, request: request, sent: now)
        pending = sent
        return sent
    }

    /// The connections that the pool has above the floor.
    private func neededShare(_ demand: FleetDemand) -> Int { max(0, demand.total - settings.floor) }

    /// Whether callers wait that the pool cannot serve with another connection.
    private func isShort(_ demand: FleetDemand) -> Bool {
        demand.waiting > 0 && demand.total >= settings.floor + share
    }

    /// Follows what the pool needs, and lowers the limit after a quiet time.
    private mutating func noteDemand(at now: Duration, _ demand: FleetDemand) {
        guard isMember else { return }
        let needed = neededShare(demand)
        if var lowered = lowering {
            // Callers that wait again get the share that has not been released yet.
            if demand.waiting > 0, demand.total >= settings.floor + lowered.share {
                lowering = nil
                quietSince = nil
            } else {
                lowered.looksBelow = needed <= lowered.share ? lowered.looksBelow + 1 : 0
                lowering = lowered
            }
            return
        }
        guard !isShort(demand), let since = quietSince else {
            quietSince = isShort(demand) ? nil : now
            peak = needed
            return
        }
        peak = max(peak, needed)
        guard now - since >= configuration.releaseAfter else { return }
        let chunk = configuration.chunk
        let kept = (peak + chunk - 1) / chunk * chunk
        if kept < share { lowering = Lowering(share: kept) }
        quietSince = now
        peak = needed
    }

    // MARK: Outcomes

    /// Takes the outcome of a request. Ignored unless it is the latest request, and not yet given up.
    ///
    /// - Throws: ``FleetError`` if the process cannot be a member. It is none from now on, and its pool is suspended.
    package mutating func finish(_ number: Int, _ outcome: Outcome, at now: Duration) throws(FleetError) {
        endTerms(at: now)
        guard let answered = pending, answered.number == number else { return }
        pending = nil
        switch outcome {
        case .unreachable, .reply(.outdated):
            noteFailure(at: now)
        case .reply(.granted(let granted, let state)):
            noteReachable()
            accept(answered, granted, state, at: now)
        case .reply(.full(let state)):
            try refuse(state, at: now, isFull: true)
        case .reply(.recovering(let state)):
            try refuse(state, at: now, isFull: false)
        case .reply(.differentSettings(let theirs)):
            endMembership()
            keepsFloor = false
            throw .differentSettings(configuration.name, ours: settings, theirs: theirs)
        }
    }

    private mutating func accept(_ answered: Pending, _ granted: Int, _ state: FleetState, at now: Duration) {
        nextRenewal = answered.sent + configuration.renewalInterval
        // The term counts from the request. A reply that arrives after its term is worth nothing, but the next one may be.
        let membershipWouldEnd = answered.sent + settings.holderMemberTerm
        guard now < membershipWouldEnd else { return }
        membershipEnds = membershipWouldEnd
        if !isMember {
            isMember = true
            keepsFloor = false
            waitsToJoin = false
            changes.append(.joined(state))
        }
        let shareWouldEnd = answered.sent + settings.holderTerm
        guard now < shareWouldEnd else { return }
        shareEnds = shareWouldEnd
        if case .renew(_, let wanted) = answered.request, granted < wanted {
            // The burst budget is used up. Others have to release before more can be drawn.
            nextDraw = now + configuration.renewalInterval / 2
        }
        if granted != share {
            changes.append(.shareChanged(from: share, to: granted))
            share = granted
            if let lowered = lowering, lowered.share >= granted { lowering = nil }
        }
    }

    private mutating func refuse(_ state: FleetState, at now: Duration, isFull: Bool) throws(FleetError) {
        noteReachable()
        let wasMember = isMember
        endMembership()
        // While the store recovers it does not know yet whether there is room.
        if isFull { keepsFloor = false }
        nextAttempt = now + configuration.renewalInterval
        if isFull, !wasMember, configuration.whenFull == .fail {
            throw .fleetIsFull(configuration.name, settings, state)
        }
        if wasMember {
            changes.append(.wasRefused(state))
        } else if !waitsToJoin {
            changes.append(.waitingToJoin(state))
        }
        waitsToJoin = true
    }

    private mutating func noteFailure(at now: Duration) {
        failures += 1
        if failures == 1 { changes.append(.storeUnreachable) }
        // The first retries come soon, because an outage can be short.
        let pause = configuration.lookInterval * (1 << min(failures, 10))
        nextAttempt = now + min(pause, configuration.renewalInterval)
    }

    var reachesStore: Bool { failures == 0 }

    private mutating func noteReachable() {
        if failures > 0 { changes.append(.storeReachable) }
        failures = 0
    }
}
