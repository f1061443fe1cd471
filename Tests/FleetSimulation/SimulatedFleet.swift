// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet
import Foundation

/// Processes, a network and a store in virtual time, with faults at random. The same seed gives the same run.
struct SimulatedFleet {
    /// The probabilities of faults, per second.
    struct Faults {
        var kill = 0.0
        var stop = 0.0
        var cutOff = 0.0
        var storeRestart = 0.0
        /// Restarts of the store at fixed times, beside those at random.
        var storeRestartEvery: Duration?
        var clockJump = 0.0
        /// Per message.
        var loss = 0.0

        static let all = Faults(kill: 0.1, stop: 0.4, cutOff: 0.15, storeRestart: 0.05, clockJump: 0.1, loss: 0.05)
    }

    /// The total was exceeded.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    /// What the processes ask of their pools.
    enum Demand {
        /// Each process begins a burst so often per second, up to 8 times its floor, and for 5 seconds on average.
        case independent(burstRate: Double)
        /// So many processes have a burst on average, each of a size in the range. When a burst ends, it moves to another process.
        /// The number of bursts varies by half of the average, once in each minute.
        case moving(bursts: Int, sizes: ClosedRange<Int>)
    }

    /// A mistake in the fleet, which the simulation must notice.
    enum Defect: CaseIterable {
        /// A member uses its share and its floor for eight times as long as it may.
        case memberOverstays
        /// A store that has lost its data grants shares at once, and does not wait for the members of the old epoch.
        case storeSkipsRecovery
    }

    static let step = Duration.milliseconds(50)
    /// The average duration of a burst that moves.
    static let burstDuration = Duration.seconds(10)

    let configuration: FleetConfiguration
    let faults: Faults
    /// How many processes there are. A process that was killed is replaced at once.
    let size: Int
    private let demand: Demand
    private let defect: Defect?
    private var random: SeededRandom
    private(set) var now = Duration.zero
    private(set) var processes: [SimulatedProcess] = []
    private var ledger = FleetLedger()
    private var run = 1
    private var clockOffset = 0
    private var nextJump = Duration.zero
    private var storeIsDownUntil = Duration.zero
    private var serial = 0
    private(set) var service = FleetService()
    /// The greatest sum of what all processes could have at one moment.
    private(set) var greatestUsage = 0
    /// When the store has lost data.
    private(set) var losses: [Duration] = []
    /// How often each fault has happened.
    private(set) var happened: [String: Int] = [:]

    private var settings: FleetSettings { configuration.settings }

    /// - Parameters:
    ///   - size: How many processes there are. Default: `nil`, as many as floors are reserved for.
    ///   - defect: A mistake to make. Default: `nil`.
    init(
        configuration: FleetConfiguration,
        size: Int? = nil,
        faults: Faults,
        demand: Demand,
        defect: Defect? = nil,
        seed: Int
    ) {
        self.configuration = configuration
        self.size = size ?? configuration.settings.processes
        self.faults = faults
        self.demand = demand
        self.defect = defect
        random = SeededRandom(seed: seed)
        for _ in 0..<self.size { startProcess() }
    }

    private mutating func startProcess() {
        serial += 1
        var believed = configuration
        if defect == .memberOverstays {
            believed.settings.term *= 8
            believed.settings.memberTerm *= 8
        }
        processes.append(
            SimulatedProcess(
                name: "process-\(serial)",
                configuration: believed,
                started: now - .seconds(Int.random(in: 0...1000, using: &random)),
                // A clock that is off by a percent is far worse than that of any machine.
                clockRate: Double.random(in: 0.99...1.01, using: &random)
            )
        )
    }

    /// Runs for a time, and checks after every step, or in a small fleet after every look, that the total is not exceeded.
    mutating func run(for duration: Duration, measuringAfter warmUp: Duration = .zero) throws {
        let end = now + duration
        while now < end {
            now += Self.step
            makeFaults()
            try deliver()
            try check("after messages were delivered")
            if case .moving(let bursts, let sizes) = demand { moveBursts(onAverage: bursts, sizes: sizes) }
            for index in processes.indices.shuffled(using: &random) {
                if case .independent(let burstRate) = demand { changeLoad(index, burstRate: burstRate) }
                guard processes[index].isRunning else { continue }
                if let pending = processes[index].step(now, random: &random) { send(pending, from: index) }
                // Each check takes O(processes).
                if processes.count <= 20 { try check("after a look of \(processes[index].name)") }
            }
            try check("after all looks")
            if now >= warmUp { measure() }
        }
    }

    // MARK: Load

    /// Processes have little to do most of the time, and bursts of a few seconds at times.
    private mutating func changeLoad(_ index: Int, burstRate: Double) {
        if processes[index].load <= settings.floor {
            if random.happens(burstRate * Self.step.inSeconds) {
                processes[index].load = Int.random(in: settings.floor + 1...settings.floor * 8, using: &random)
            } else {
                processes[index].load = Int.random(in: 0...settings.floor, using: &random)
            }
        } else if random.happens(0.2 * Self.step.inSeconds) {
            processes[index].load = 0
        }
    }

    /// Ends bursts, and begins others until there are as many as wanted.
    private mutating func moveBursts(onAverage bursts: Int, sizes: ClosedRange<Int>) {
        let wave = 1 + sin(now.inSeconds / 60 * 2 * .pi) / 2
        let wanted = Int((Double(bursts) * wave).rounded())
        var active = 0
        for index in processes.indices where processes[index].isRunning {
            if let ends = processes[index].burstEnds, now < ends {
                active += 1
            } else {
                processes[index].burstEnds = nil
                processes[index].load = Int.random(in: 0...settings.floor, using: &random)
            }
        }
        // Some attempts meet a process that has a burst already, or that does not run.
        var attempts = 4 * wanted
        while active < wanted, attempts > 0 {
            attempts -= 1
            let index = Int.random(in: processes.indices, using: &random)
            guard processes[index].isRunning, processes[index].burstEnds == nil else { continue }
            processes[index].burstEnds = now + Self.burstDuration * Double.random(in: 0.5...1.5, using: &random)
            processes[index].load = Int.random(in: sizes, using: &random)
            active += 1
        }
    }

    private mutating func measure() {
        var moment = FleetService.Moment(at: now)
        // A process that does not run wants nothing, and serves nothing by any policy.
        for process in processes where process.isRunning {
            moment.add(
                wanted: process.load,
                permitted: process.limit,
                isBurst: process.load > settings.floor,
                split: settings.total / size
            )
        }
        service.add(moment, total: settings.total, lasting: Self.step)
    }

    // MARK: Network

    private mutating func send(_ pending: FleetHolder.Pending, from index: Int) {
        guard !processes[index].isCutOff, !random.happens(faults.loss) else { return }
        // Most messages are quick. Some of them arrive when their process has given them up.
        let delay =
            random.happens(0.05) ? Int.random(in: 0...3000, using: &random) : Int.random(in: 0...60, using: &random)
        processes[index].messages.append(.init(arrives: now + .milliseconds(delay), sent: pending))
    }

    private mutating func deliver() throws {
        for index in processes.indices {
            var remaining: [SimulatedProcess.Message] = []
            let messages = processes[index].messages
            for var message in messages {
                if message.arrives > now {
                    remaining.append(message)
                } else if message.reply == nil {
                    guard now >= storeIsDownUntil else { continue }
                    let delay = Int.random(in: 0...60, using: &random)
                    message = .init(
                        arrives: now + .milliseconds(delay),
                        sent: message.sent,
                        reply: execute(message, index)
                    )
                    if !random.happens(faults.loss), !processes[index].isCutOff { remaining.append(message) }
                } else if processes[index].isRunning {
                    try processes[index].receive(message, at: now)
                } else if case .stopped = processes[index].life {
                    remaining.append(message)
                }
            }
            processes[index].messages = remaining
        }
    }

    private mutating func execute(_ message: SimulatedProcess.Message, _ index: Int) -> FleetReply {
        let request = FleetRequest(
            fleet: configuration.name,
            settings: settings,
            member: processes[index].name,
            number: message.sent.number
        )
        let wall = now.inMilliseconds + clockOffset
        if defect == .storeSkipsRecovery { ledger.endRecovery() }
        switch message.sent.request {
        case .join: return ledger.join(request, run: run, wall: wall)
        case .renew(let held, let wanted):
            return ledger.renew(request, held: held, wanted: wanted, run: run, wall: wall)
        }
    }

    // MARK: Faults

    private mutating func happens(_ name: String, _ perSecond: Double) -> Bool {
        guard random.happens(perSecond * Self.step.inSeconds) else { return false }
        happened[name, default: 0] += 1
        return true
    }

    private mutating func makeFaults() {
        let index = Int.random(in: processes.indices, using: &random)
        if happens("kill", faults.kill), processes[index].isRunning {
            let gone = settings.grace * Double.random(in: 0..<1, using: &random)
            processes[index].kill(at: now, connectionsGone: now + gone)
            startProcess()
        }
        if happens("stop", faults.stop), processes[index].isRunning {
            processes[index].life = .stopped(until: now + settings.term * Double.random(in: 0...3, using: &random))
        }
        if happens("cut off", faults.cutOff) { processes[index].isCutOff = true }
        // Some partitions last longer than a membership.
        for index in processes.indices where processes[index].isCutOff {
            if random.happens(0.05 * Self.step.inSeconds) { processes[index].isCutOff = false }
        }
        for index in processes.indices {
            if case .stopped(let until) = processes[index].life, now >= until { processes[index].resume(at: now) }
            if case .killed(let gone) = processes[index].life, now >= gone { processes[index].connectionsAreGone() }
        }
        processes.removeAll { $0.life == .gone }
        if now >= nextJump, happens("clock jump", faults.clockJump) {
            clockOffset += Int.random(in: -3_600_000...3_600_000, using: &random)
            // Decision 20: one jump forward within a term.
            nextJump = now + settings.term
        }
        if happens("store restart", faults.storeRestart) { restartStore() }
        if let period = faults.storeRestartEvery, now.inMilliseconds % period.inMilliseconds == 0 {
            happened["store restart", default: 0] += 1
            restartStore()
        }
    }

    /// The store is away for a while, and comes back without some or all of what it knew.
    private mutating func restartStore() {
        run += 1
        losses.append(now)
        storeIsDownUntil = now + settings.term * Double.random(in: 0...1, using: &random)
        if Bool.random(using: &random) {
            ledger = FleetLedger()
        } else {
            var generator = random
            ledger.forget { _ in generator.happens(0.5) }
            random = generator
        }
        // Requests are lost with the connections to the store.
        for index in processes.indices { processes[index].messages.removeAll { $0.reply == nil } }
    }

    // MARK: The property

    private mutating func check(_ moment: String) throws {
        var sum = processes.reduce(0) { $0 + $1.usage(at: now) }
        greatestUsage = max(greatestUsage, sum)
        guard sum > settings.total else { return }
        if !ledger.isRecovering {
            // Decision 20: the floor of a member that the store has lost, and that has not reached it since.
            for process in processes where process.holder.isMember && !ledger.knows(process.name) {
                sum -= min(settings.floor, process.usage(at: now))
            }
        }
        guard sum > settings.total else { return }
        let lines = processes.map { process in
            """
            \(process.name): \(process.life), limit \(process.limit), \(process.open) open, \(process.overdue) overdue, \
            usage \(process.usage(at: now)), known \(ledger.knows(process.name))
            """
        }
        throw Violation(
            description: """
                \(sum) of \(settings.total) connections at \(now), \(moment). The store has \(ledger.members) members and \
                \(ledger.drawn) drawn.
                \(lines.joined(separator: "\n"))
                """
        )
    }
}
