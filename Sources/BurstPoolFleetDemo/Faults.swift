// SPDX-License-Identifier: Apache-2.0

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
        case restart = "Redis restarted with its data"
        case loss = "Redis restarted without its data"
        case failover = "Redis failed over with lost writes"

        /// Whether it happens to Redis, and not to a process.
        var isOfStore: Bool { [.restart, .loss, .failover].contains(self) }
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
    private let store: FleetStoreServers
    private let start: ContinuousClock.Instant
    private let isActive: Bool
    private var nextFault: ContinuousClock.Instant
    private var storeFaults: [(moment: ContinuousClock.Instant, kind: Kind)]
    /// Whether the writes of the primary are being lost already.
    private(set) var losesWrites = false
    /// How many connections the primary had granted that the replica did not know of, when it failed over.
    private(set) var lostShares = 0
    /// The processes to which something is happening, and until when.
    private var ongoing: [Int: (kind: Kind, until: ContinuousClock.Instant)] = [:]

    init(
        seed: UInt64,
        fleet: WorkerFleet,
        store: FleetStoreServers,
        isActive: Bool,
        start: ContinuousClock.Instant,
        end: ContinuousClock.Instant
    ) {
        random = SeededRandom(seed: seed)
        self.fleet = fleet
        self.store = store
        self.isActive = isActive
        self.start = start
        // The fleet recovers at its first start, for a term and the grace.
        nextFault = start + FleetPlan.term + FleetPlan.grace + .seconds(2)
        storeFaults = FleetPlan.storeFaults.map { (start + (end - start) * $0.part, $0.kind) }
    }

    /// The processes to which something is happening.
    var affected: [Int: Kind] { ongoing.mapValues(\.kind) }

    /// Ends the faults whose time has come, and begins the next one.
    ///
    /// - Parameter bursting: The processes in a burst. Half of the faults happen to one of them, because they hold shares.
    mutating func next(bursting: Set<Int>) async throws {
        guard isActive else { return }
        let now = ContinuousClock.now
        for (number, fault) in ongoing where fault.until <= now { try end(number, fault.kind) }
        try await harmStore(now)
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
        default: fleet.cutOff(number)
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
        default: fleet.reconnect(number)
        }
    }

    private mutating func harmStore(_ now: ContinuousClock.Instant) async throws {
        guard let (moment, kind) = storeFaults.first else { return }
        if kind == .failover, !losesWrites, now >= moment - FleetPlan.lostWrites {
            losesWrites = true
            try store.endReplication()
        }
        guard now >= moment else { return }
        storeFaults.removeFirst()
        note(kind, nil, now)
        switch kind {
        case .restart: try store.restart(keepingData: true)
        case .loss: try store.restart(keepingData: false)
        default:
            lostShares = try await store.unreplicatedShares()
            fleet.redirect(to: store.failOver())
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
    private var hasMovedForReason = false

    init(seed: UInt64, fleet: WorkerFleet, start: ContinuousClock.Instant) {
        random = SeededRandom(seed: seed)
        self.fleet = fleet
        nextMove = start + .seconds(1)
    }

    /// - Parameter movesNow: Whether the bursts move now for a reason, at most once.
    mutating func next(movesNow: Bool) {
        let now = ContinuousClock.now
        let hasReason = movesNow && !hasMovedForReason
        guard now >= nextMove || hasReason else { return }
        hasMovedForReason = hasMovedForReason || hasReason
        nextMove = now + .seconds(8)
        for number in current { fleet.setLevel(number, 1) }
        current = Set((0..<4).map { _ in Int.random(in: 0..<fleet.count, using: &random) })
        for number in current { fleet.setLevel(number, FleetPlan.tasksInBurst) }
    }
}
