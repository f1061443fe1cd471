// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedisServer

/// Random numbers that depend on a seed alone.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What happens to the processes and to Redis.
struct Faults {
    enum Kind: String, CaseIterable {
        case kill = "killed"
        case stop = "stopped"
        case cut = "cut off"
        case restart = "Redis restarted without its data"
    }

    struct Event {
        let second: Double
        let kind: Kind
        /// `nil` for Redis.
        let number: Int?
    }

    private(set) var log: [Event] = []
    private var random: SeededRandom
    private let fleet: WorkerFleet
    private let redis: RedisServer
    private let start: ContinuousClock.Instant
    private let isActive: Bool
    private var nextFault: ContinuousClock.Instant
    private let redisFault: ContinuousClock.Instant
    private var hasRestarted = false
    /// The processes to which something is happening, and until when.
    private var ongoing: [Int: (kind: Kind, until: ContinuousClock.Instant)] = [:]

    init(
        seed: UInt64,
        fleet: WorkerFleet,
        redis: RedisServer,
        isActive: Bool,
        start: ContinuousClock.Instant,
        end: ContinuousClock.Instant
    ) {
        random = SeededRandom(seed: seed)
        self.fleet = fleet
        self.redis = redis
        self.isActive = isActive
        self.start = start
        // The fleet recovers at its first start, for a term and the grace.
        nextFault = start + FleetPlan.term + FleetPlan.grace + .seconds(2)
        redisFault = start + (end - start) * 0.6
    }

    /// The processes to which something is happening.
    var affected: [Int: Kind] { ongoing.mapValues(\.kind) }

    /// Ends the faults whose time has come, and begins the next one.
    ///
    /// - Parameter bursting: The processes in a burst. Half of the faults happen to one of them, because they hold shares.
    mutating func next(bursting: Set<Int>) throws {
        guard isActive else { return }
        let now = ContinuousClock.now
        for (number, fault) in ongoing where fault.until <= now { try end(number, fault.kind) }
        if !hasRestarted, now >= redisFault {
            hasRestarted = true
            note(.restart, nil, now)
            redis.kill()
            try redis.start()
        }
        guard now >= nextFault else { return }
        nextFault = now + .milliseconds(Int64.random(in: 800...2_500, using: &random))
        let isBursting = Bool.random(using: &random)
        let number = (isBursting ? bursting.sorted() : Array(0..<fleet.count)).randomElement(using: &random) ?? 0
        let kind = [Kind.kill, .stop, .cut].randomElement(using: &random) ?? .kill
        guard ongoing[number] == nil else { return }
        note(kind, number, now)
        switch kind {
        case .kill: fleet.kill(number)
        case .stop: fleet.stop(number)
        case .cut, .restart: fleet.cutOff(number)
        }
        // A process that was killed is replaced. The others are stopped or cut off until their shares may have been granted to
        // others, and some of them until their membership has ended.
        let shareReturns = FleetPlan.term + FleetPlan.grace
        let longer = Duration.milliseconds(Int64.random(in: 500...4_000, using: &random))
        ongoing[number] = (kind, now + (kind == .kill ? .seconds(1) : shareReturns + longer))
    }

    mutating func endAll() {
        for (number, fault) in ongoing where fault.kind != .kill { try? end(number, fault.kind) }
    }

    private mutating func end(_ number: Int, _ kind: Kind) throws {
        ongoing[number] = nil
        switch kind {
        case .kill: try fleet.start(number)
        case .stop: fleet.goOn(number)
        case .cut, .restart: fleet.reconnect(number)
        }
    }

    private mutating func note(_ kind: Kind, _ number: Int?, _ now: ContinuousClock.Instant) {
        log.append(Event(second: (now - start) / .seconds(1), kind: kind, number: number))
    }
}

/// Bursts that move from process to process.
struct Bursts {
    private(set) var current: Set<Int> = []
    private var random: SeededRandom
    private let fleet: WorkerFleet
    private var nextMove: ContinuousClock.Instant

    init(seed: UInt64, fleet: WorkerFleet, start: ContinuousClock.Instant) {
        random = SeededRandom(seed: seed)
        self.fleet = fleet
        nextMove = start + .seconds(1)
    }

    mutating func next() {
        let now = ContinuousClock.now
        guard now >= nextMove else { return }
        nextMove = now + .seconds(8)
        for number in current { fleet.setLevel(number, 1) }
        current = Set((0..<4).map { _ in Int.random(in: 0..<fleet.count, using: &random) })
        for number in current { fleet.setLevel(number, FleetPlan.tasksInBurst) }
    }
}
