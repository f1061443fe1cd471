// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet

/// A process of a simulated fleet: the code of a member, and a pool that is only numbers.
struct SimulatedProcess {
    enum Life: Equatable {
        case running
        /// Stopped by SIGSTOP until a moment.
        case stopped(until: Duration)
        /// Killed. Its connections are gone at a moment.
        case killed(gone: Duration)
        case gone
    }

    /// A message on its way.
    struct Message {
        let arrives: Duration
        let sent: FleetHolder.Pending
        /// `nil` in a request.
        var reply: FleetReply?
    }

    let name: String
    private(set) var holder: FleetHolder
    private let settings: FleetSettings
    /// The process's monotonic clock started at this moment, and runs at this rate.
    private let started: Duration
    private let clockRate: Double

    var life = Life.running
    var isCutOff = false
    /// How many connections the process could use now.
    var load = 0
    /// When the burst of the process ends, if it has one that moves on to another process.
    var burstEnds: Duration?
    /// How many connections it has.
    private(set) var open = 0
    /// Of these, the ones that were in use above the limit when a term ended, or when the store took a share away.
    private(set) var overdue = 0
    private(set) var limit = 0
    var messages: [Message] = []

    init(name: String, configuration: FleetConfiguration, started: Duration, clockRate: Double) {
        self.name = name
        self.started = started
        self.clockRate = clockRate
        settings = configuration.settings
        holder = FleetHolder(configuration)
    }

    var isRunning: Bool { life == .running }

    private func clock(_ now: Duration) -> Duration { (now - started) * clockRate }

    private var limitOfHolder: Int {
        switch holder.limits {
        case .suspended: 0
        case .connections(let floor, let share): floor + share
        }
    }

    /// Applies the holder's limits to the pool. A resize does not close connections in use.
    private mutating func apply() {
        let allowed = limitOfHolder
        // A limit that the member has lowered by itself does not make a connection overdue: it may not release the share yet.
        let granted = holder.isMember ? settings.floor + holder.share : 0
        overdue = max(overdue, open - granted)
        limit = allowed
    }

    /// One look of the member, and one step of the pool.
    mutating func step(_ now: Duration, random: inout SeededRandom) -> FleetHolder.Pending? {
        holder.endTerms(at: clock(now))
        apply()
        let demand = FleetDemand(total: open, waiting: max(0, load - limit))
        let pending = holder.look(at: clock(now), demand)
        _ = holder.takeChanges()
        apply()
        open = max(open, min(load, limit))
        // Each connection that is not needed, or is above the limit, is released in this step or later.
        let kept = min(max(load, min(open, settings.floor)), limit)
        for _ in 0..<max(0, open - kept) where random.happens(0.3) { open -= 1 }
        overdue = min(overdue, open)
        return pending
    }

    mutating func receive(_ message: Message, at now: Duration) throws {
        guard let reply = message.reply else { return }
        try holder.finish(message.sent.number, .reply(reply), at: clock(now))
        _ = holder.takeChanges()
        apply()
    }

    /// The process continues: before anything else, the member ends terms and resizes its pool.
    mutating func resume(at now: Duration) {
        life = .running
        holder.endTerms(at: clock(now))
        apply()
    }

    mutating func kill(at now: Duration, connectionsGone: Duration) {
        limit = 0
        messages.removeAll { $0.reply != nil }
        life = .killed(gone: connectionsGone)
    }

    mutating func connectionsAreGone() {
        open = 0
        overdue = 0
        life = .gone
    }

    /// What counts against the total. What a stopped process has open counts as long as its terms have not ended.
    func usage(at now: Duration) -> Int {
        switch life {
        case .gone: return 0
        case .running, .killed: return max(limit, open - overdue)
        case .stopped:
            var continued = holder
            continued.endTerms(at: clock(now))
            switch continued.limits {
            case .suspended: return 0
            case .connections: return min(max(limit, open - overdue), settings.floor + continued.share)
            }
        }
    }
}
