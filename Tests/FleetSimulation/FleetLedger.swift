// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet

/// The state of one fleet in a store, with the rules of the script of `RedisFleetStore`, for simulations in virtual time.
///
/// `RedisFleetStoreTests` sends the same requests to this ledger and to a real server, and compares the replies.
struct FleetLedger {
    fileprivate struct Record {
        var forgets: Int
        var latest: Int
        var share: Int
        var returns: Int
    }

    private var settings: FleetSettings?
    /// Which run of the server has executed the latest request.
    private var run: Int?
    private var now = 0
    private var wall = 0
    private var recovery = 0
    private var records: [String: Record] = [:]
    /// The sum of all shares.
    private(set) var drawn = 0
    /// No term ends before this moment. It spares most requests the search for ended terms, as in the script.
    private var nextEnd = 0

    var members: Int { records.count }
    var isRecovering: Bool { now < recovery }

    func knows(_ member: String) -> Bool { records[member] != nil }

    /// Ends a recovery before its time.
    mutating func endRecovery() { recovery = 0 }

    /// Loses some of the members, as a server that comes back with old data.
    mutating func forget(where loses: (String) -> Bool) {
        // In order, because the answers can be random, and a run must be the same for the same seed.
        for name in records.keys.sorted() where loses(name) { records[name] = nil }
        drawn = records.values.reduce(0) { $0 + $1.share }
    }

    mutating func join(_ request: FleetRequest, run: Int, wall: Int) -> FleetReply {
        execute(request, isJoin: true, held: 0, wanted: 0, run: run, wall: wall)
    }

    mutating func renew(_ request: FleetRequest, held: Int, wanted: Int, run: Int, wall: Int) -> FleetReply {
        execute(request, isJoin: false, held: held, wanted: wanted, run: run, wall: wall)
    }

    mutating func leave(_ request: FleetRequest, run: Int, wall: Int) {
        guard prepare(request.settings, run, wall) == nil else { return }
        if let record = records[request.member], request.number > record.latest {
            records[request.member] = nil
            drawn -= record.share
        }
    }

    /// Advances the fleet clock and ends terms. Returns a reply if the settings do not match.
    private mutating func prepare(_ asked: FleetSettings, _ run: Int, _ wall: Int) -> FleetReply? {
        let known = settings ?? asked
        if self.run != nil { now += max(0, min(wall - self.wall, known.term.inMilliseconds / 4)) }
        self.wall = wall
        if run != self.run {
            recovery = now + max(asked.longestTerm, known.longestTerm)
            self.run = run
        }
        if now >= nextEnd { endTerms() }
        if known != asked, members > 0 || isRecovering, settings != nil { return .differentSettings(known) }
        settings = asked
        return nil
    }

    private mutating func endTerms() {
        let moment = now
        records = records.filter { $0.value.forgets > moment }
        for (name, record) in records where record.returns <= now { records[name] = record.with(share: 0) }
        drawn = records.values.reduce(0) { $0 + $1.share }
        nextEnd = records.values.reduce(.max) { min($0, $1.forgets, $1.share > 0 ? $1.returns : .max) }
    }

    private mutating func execute(
        _ request: FleetRequest,
        isJoin: Bool,
        held: Int,
        wanted: Int,
        run: Int,
        wall: Int
    ) -> FleetReply {
        if let refusal = prepare(request.settings, run, wall) { return refusal }
        let settings = request.settings
        var record = records[request.member]
        if let record, request.number <= record.latest { return .outdated }
        if !isJoin, !isRecovering, held > (record?.share ?? 0) { recovery = now + settings.longestTerm }
        if record == nil {
            if isJoin, isRecovering { return .recovering(state) }
            if settings.floor * (members + 1) + drawn > settings.total { return .full(state) }
            record = Record(forgets: 0, latest: 0, share: 0, returns: 0)
            records[request.member] = record
        }
        let share = record?.share ?? 0
        let others = drawn - share
        let granted: Int
        if isRecovering {
            let free = settings.total - settings.floor * members - others
            granted = min(wanted, max(share, min(held, free)))
        } else {
            let room = max(0, settings.total - settings.floor * max(members, settings.processes) - others - share)
            granted = min(wanted, share + room)
        }
        let grace = settings.grace.inMilliseconds
        let renewed = Record(
            forgets: now + settings.memberTerm.inMilliseconds + grace,
            latest: request.number,
            share: granted,
            returns: now + settings.term.inMilliseconds + grace
        )
        records[request.member] = renewed
        drawn += granted - share
        nextEnd = min(nextEnd, renewed.forgets, renewed.returns)
        return .granted(share: granted, state)
    }

    private var state: FleetState {
        FleetState(members: members, drawn: drawn, recovery: .milliseconds(max(0, recovery - now)))
    }
}

extension FleetLedger.Record {
    fileprivate func with(share: Int) -> Self {
        var copy = self
        copy.share = share
        return copy
    }
}

extension FleetSettings {
    fileprivate var longestTerm: Int { term.inMilliseconds + grace.inMilliseconds }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var inMilliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }

    /// Seconds, for prints.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
