// SPDX-License-Identifier: Apache-2.0

/// All measurements.
struct Report: Sendable {
    var rows: [Row] = []
    var figures: [Figure] = []
    var charts: [Chart] = []
    var notes: [String] = []

    /// Nanoseconds per operation of one contender.
    struct Row: Sendable {
        var workload: String
        var contender: String
        var wall: Distribution
        var cpu: Distribution
        /// The ratio to the time of the reference, by the clock that suits the workload.
        var ratio: Distribution?
        var reference: String?
        var allocations: Double?
    }

    /// A target of the library.
    struct Figure: Sendable {
        enum Better: Sendable { case less, more }

        var workload: String
        var measure: String
        var value: Distribution
        var must: Double
        var aim: Double
        var better: Better
        var remark = ""

        func meets(_ bound: Double) -> Bool {
            let value = (value.median * 1_000).rounded() / 1_000
            return better == .less ? value <= bound : value >= bound
        }
    }

    /// Adds the rows of a contest, each compared with the reference.
    mutating func add(
        _ result: ContestResult,
        workload: String,
        reference: String,
        by clock: Clock,
        allocations: [String: Double] = [:]
    ) {
        for contender in result.contenders {
            rows.append(
                Row(
                    workload: workload,
                    contender: contender,
                    wall: result.time(contender, by: .wall),
                    cpu: result.time(contender, by: .cpu),
                    ratio: result.ratio(contender, to: reference, by: clock),
                    reference: reference,
                    allocations: allocations[contender]
                )
            )
        }
        if !result.isOversubscribed, result.quietShare < 0.5 {
            let share = Int((result.quietShare * 100).rounded())
            notes.append("\(workload): other programs took CPU time in \(100 - share) % of the rounds.")
        }
    }
}
