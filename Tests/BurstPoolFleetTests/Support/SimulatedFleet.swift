// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolFleet

/// Processes, a network and a store in virtual time, with faults at random. The same seed gives the same run.
struct SimulatedFleet {
    /// The probabilities of faults, per second.
    struct Faults {
        var kill = 0.0
        var stop = 0.0
        var cutOff = 0.0
        var storeRestart = 0.0
        var clockJump = 0.0
        /// Per message.
        var loss = 0.0

        static let all = Faults(kill: 0.1, stop: 0.4, cutOff: 0.15, storeRestart: 0.05, clockJump: 0.1, loss: 0.05)
    }

    /// The total was exceeded.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    /// How much of the load was served, in connections × seconds.
    struct Service {
        var load = 0.0
        var fleet = 0.0
        var staticSplit = 0.0
        var oracle = 0.0

        /// How much of the load above the static split was served, compared with the oracle.
        var gain: Double { (fleet - staticSplit) / (oracle - staticSplit) }
    }

    static let step = Duration.milliseconds(50)

    let configuration: FleetConfiguration
    let faults: Faults
    /// How often a process that has little to do begins a burst, per second.
    private let burstRate: Double
    private var random: SeededRandom
    private(set) var now = Duration.zero
    private(set) var processes: [SimulatedProcess] = []
    private var ledger = FleetLedger()
    private var run = 1
    private var clockOffset = 0
    private var nextJump = Duration.zero
    private var storeIsDownUntil = Duration.zero
    private var serial = 0
    private(set) var service = Service()
    /// How often each fault has happened.
    private(set) var happened: [String: Int] = [:]

    private var settings: FleetSettings { configuration.settings }

    init(configuration: FleetConfiguration, faults: Faults, burstRate: Double, seed: Int) {
        self.configuration = configuration
        self.faults = faults
        self.burstRate = burstRate
        random = SeededRandom(seed: seed)
        for _ in 0..<configuration.settings.processes { startProcess() }
    }

    private mutating func startProcess() {
        serial += 1
        processes.append(
            SimulatedProcess(
                name: "process-\(serial)",
                configuration: configuration,
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
            for index in processes.indices.shuffled(using: &random) {
                changeLoad(index)
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
    private mutating func changeLoad(_ index: Int) {
        let stepsPerSecond = 20.0
        if processes[index].load <= settings.floor {
            if random.happens(burstRate / stepsPerSecond) {
                processes[index].load = Int.random(in: settings.floor + 1...settings.floor * 8, using: &random)
            } else {
                processes[index].load = Int.random(in: 0...settings.floor, using: &random)
            }
        } else if random.happens(0.2 / stepsPerSecond) {
            processes[index].load = 0
        }
    }

    private mutating func measure() {
        let share = settings.total / settings.processes
        let seconds = Self.step.inSeconds
        let load = processes.reduce(0) { $0 + $1.load }
        service.load += Double(load) * seconds
        service.fleet += Double(processes.reduce(0) { $0 + min($1.load, $1.limit) }) * seconds
        service.staticSplit += Double(processes.reduce(0) { $0 + min($1.load, share) }) * seconds
        service.oracle += Double(min(load, settings.total)) * seconds
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
    }

    /// The store is away for a while, and comes back without some or all of what it knew.
    private mutating func restartStore() {
        run += 1
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

    private func check(_ moment: String) throws {
        var sum = 0
        for process in processes {
            var usage = process.usage(at: now)
            // Decision 20: the floor of a member that the store has lost, and that has not reached it since.
            if !ledger.isRecovering, process.holder.isMember, !ledger.knows(process.name) {
                usage = max(0, usage - settings.floor)
            }
            sum += usage
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
