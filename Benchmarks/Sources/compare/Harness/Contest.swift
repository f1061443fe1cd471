import CBenchmarkSupport

/// One of those who are compared.
struct Contender: Sendable {
    var name: String
    /// Performs the operation so many times.
    var run: @Sendable (Int) async throws -> Sample

    /// A contender that is timed from outside.
    init(_ name: String, _ run: @escaping @Sendable (Int) async throws -> Void) {
        self.name = name
        self.run = { operations in
            try await Sample.take(operations: operations) { try await run(operations) }
        }
    }

    /// A contender that tells what it took.
    static func measuring(_ name: String, _ run: @escaping @Sendable (Int) async throws -> Sample) -> Contender {
        var contender = Contender(name) { _ in }
        contender.run = run
        return contender
    }
}

/// Runs contenders by turns, A B C B C A C A B and so on, and keeps what each took.
///
/// Whatever disturbs the machine for longer than a turn disturbs neighbours in a round alike, so ratios are formed within
/// a round, and their median is the result. For times on the wall only rounds count in which other programs took next to
/// nothing, if there are enough of them.
struct Contest: Sendable {
    var name: String
    var contenders: [Contender]
    /// How long one turn shall take.
    var turn: Duration = .milliseconds(8)
    /// How long all shall take.
    var budget: Duration
    var minimumRounds = 7
    /// So many operations each turn, instead of as many as fill it.
    var operations: Int?
    /// The workload itself has more threads than CPUs, so that waiting for one says nothing about other programs.
    var isCrowded = false

    func run(_ progress: Progress) async throws -> ContestResult {
        var operations: [Int] = []
        for contender in contenders {
            progress.say("\(name): \(contender.name), warming up")
            operations.append(try await calibrate(contender))
        }
        var rounds: [[Sample]] = []
        let start = ContinuousClock.now
        while rounds.count < minimumRounds || ContinuousClock.now - start < budget {
            let elapsed = (ContinuousClock.now - start) / budget
            progress.say("\(name): round \(rounds.count + 1), \(Int(min(elapsed, 1) * 100)) %")
            var round: [Sample?] = Array(repeating: nil, count: contenders.count)
            for turn in contenders.indices {
                let index = (turn + rounds.count) % contenders.count
                round[index] = try await contenders[index].run(operations[index])
            }
            rounds.append(round.compactMap { $0 })
        }
        return ContestResult(contenders: contenders.map(\.name), rounds: rounds, isCrowded: isCrowded)
    }

    /// How many operations fill a turn.
    private func calibrate(_ contender: Contender) async throws -> Int {
        if let operations {
            _ = try await contender.run(operations)
            return operations
        }
        let wanted = Double(turn.components.attoseconds) / 1e9 + Double(turn.components.seconds) * 1e9
        var operations = 16
        while true {
            let sample = try await contender.run(operations)
            let took = sample.wall * Double(operations)
            if took > wanted / 4 { return max(1, Int(wanted / sample.wall)) }
            operations *= 4
        }
    }
}

/// What a contest found.
struct ContestResult: Sendable {
    /// Of the time, what other programs may take of a round for it to count as quiet.
    private static let quiet = 0.03
    private static let enoughQuietRounds = 5

    var contenders: [String]
    /// For each round a sample of each contender.
    var rounds: [[Sample]]
    var isCrowded: Bool

    private func index(_ contender: String) -> Int {
        guard let index = contenders.firstIndex(of: contender) else { preconditionFailure("no contender \(contender)") }
        return index
    }

    /// Rounds in which these were not disturbed, or all if those are too few.
    private func rounds(with indices: [Int], by clock: Clock) -> [[Sample]] {
        guard clock == .wall, !isCrowded else { return rounds }
        let quietOnes = rounds.filter { round in indices.allSatisfy { round[$0].disturbance < Self.quiet } }
        return quietOnes.count >= Self.enoughQuietRounds ? quietOnes : rounds
    }

    /// The share of rounds in which nothing was disturbed.
    var quietShare: Double {
        let quietOnes = rounds.filter { round in round.allSatisfy { $0.disturbance < Self.quiet } }
        return Double(quietOnes.count) / Double(max(rounds.count, 1))
    }

    /// Nanoseconds per operation.
    func time(_ contender: String, by clock: Clock) -> Distribution {
        let index = index(contender)
        return Distribution(rounds(with: [index], by: clock).map { $0[index].by(clock) })
    }

    /// How often the one takes as long as the other, round by round.
    func ratio(_ numerator: String, to denominator: String, by clock: Clock) -> Distribution {
        let above = index(numerator)
        let below = index(denominator)
        return Distribution(rounds(with: [above, below], by: clock).map { $0[above].by(clock) / $0[below].by(clock) })
    }
}

extension Sample {
    func by(_ clock: Clock) -> Double {
        switch clock {
        case .wall: wall
        case .cpu: cpu
        }
    }
}
