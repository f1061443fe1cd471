// SPDX-License-Identifier: Apache-2.0

import CBenchmarkSupport

/// A subject of a comparison.
struct Contender: Sendable {
    var name: String
    /// Performs the operation this number of times.
    var run: @Sendable (Int) async throws -> Sample

    /// Creates a contender that is timed from outside.
    init(_ name: String, _ run: @escaping @Sendable (Int) async throws -> Void) {
        self.name = name
        self.run = { operations in
            try await Sample.take(operations: operations) { try await run(operations) }
        }
    }

    /// Creates a contender that measures itself.
    static func measuring(_ name: String, _ run: @escaping @Sendable (Int) async throws -> Sample) -> Contender {
        var contender = Contender(name) { _ in }
        contender.run = run
        return contender
    }
}

/// Runs contenders in alternation, A B C B C A C A B and so on, and keeps the time of each run.
///
/// A disturbance of the machine that lasts longer than one run affects all neighbours in a round alike. So ratios are
/// computed within a round, and their median is the result. For wall times, only rounds count in which other programs
/// took almost no time, if there are enough of them.
struct Contest: Sendable {
    var name: String
    var contenders: [Contender]
    /// The intended time of one run.
    var turn: Duration = .milliseconds(8)
    /// The intended time of all runs.
    var budget: Duration
    var minimumRounds = 7
    /// The number of operations in each run, instead of as many as fill its time.
    var operations: Int?
    /// The workload itself has more threads than CPUs, so that waiting for a CPU does not indicate other programs.
    var isOversubscribed = false

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
        return ContestResult(contenders: contenders.map(\.name), rounds: rounds, isOversubscribed: isOversubscribed)
    }

    /// Returns the number of operations that fill the time of one run.
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

/// The result of a contest.
struct ContestResult: Sendable {
    /// The share of the time that other programs may take of a round that counts as quiet.
    private static let quiet = 0.03
    private static let enoughQuietRounds = 5

    var contenders: [String]
    /// For each round, a sample of each contender.
    var rounds: [[Sample]]
    var isOversubscribed: Bool

    private func index(_ contender: String) -> Int {
        guard let index = contenders.firstIndex(of: contender) else { preconditionFailure("no contender \(contender)") }
        return index
    }

    /// Returns the rounds in which these contenders were not disturbed, or all rounds if those are too few.
    private func rounds(with indices: [Int], by clock: Clock) -> [[Sample]] {
        guard clock == .wall, !isOversubscribed else { return rounds }
        let quietOnes = rounds.filter { round in indices.allSatisfy { round[$0].disturbance < Self.quiet } }
        return quietOnes.count >= Self.enoughQuietRounds ? quietOnes : rounds
    }

    /// The share of rounds without a disturbance.
    var quietShare: Double {
        let quietOnes = rounds.filter { round in round.allSatisfy { $0.disturbance < Self.quiet } }
        return Double(quietOnes.count) / Double(max(rounds.count, 1))
    }

    /// Nanoseconds per operation.
    func time(_ contender: String, by clock: Clock) -> Distribution {
        let index = index(contender)
        return Distribution(rounds(with: [index], by: clock).map { $0[index].by(clock) })
    }

    /// Returns the time of one contender divided by that of the other, for each round.
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
