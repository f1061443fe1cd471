// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a run has shown.
struct RunSummary {
    let mostAtOnce: Int
    let mostInOneLook: Int
    let longestGap: Double
    let looks: Int
    /// The most connections in two looks in a row while shares of the time before the failover may have been used; `nil` without a
    /// failover.
    let mostAfterFailover: Int?
    /// How many connections the primary had granted in the writes that the failover lost.
    let lostShares: Int
    /// How often the server has logged that it refused a connection because it had too many.
    let refusals: Int
    let sums: FleetTally.Sums
    let faults: [Faults.Event]

    init(_ sampler: Sampler, _ tally: FleetTally, _ faults: Faults, refusals: Int) {
        mostAtOnce = sampler.mostAtOnce
        mostInOneLook = sampler.samples.map(\.total).max() ?? 0
        let moments = sampler.samples.map(\.second)
        longestGap = zip(moments.dropFirst(), moments).map { $0 - $1 }.max() ?? 0
        self.refusals = refusals
        mostAfterFailover = faults.log.first { $0.kind == .failover }.map { failover in
            let end = failover.second + (FleetPlan.term + FleetPlan.grace) / .seconds(1)
            return sampler.mostAtOnce(from: failover.second, to: end)
        }
        lostShares = faults.lostShares
        looks = sampler.samples.count
        sums = tally.current
        self.faults = faults.log
    }

    private var checks: [(name: String, hasPassed: Bool)] {
        [
            ("at most \(FleetPlan.total) connections at any time: \(mostAtOnce)", mostAtOnce <= FleetPlan.total),
            (
                "no answer \"too many connections\": \(sums.tooManyConnections), and \(refusals) in the server's log",
                sums.tooManyConnections == 0 && refusals == 0
            ),
            ("requests were served: \(sums.served)", sums.served > 0),
        ]
    }

    var hasPassed: Bool { checks.allSatisfy(\.hasPassed) }

    var text: String {
        let waits = sums.waits.sorted()
        func wait(_ share: Double) -> String {
            guard !waits.isEmpty else { return "–" }
            return String(format: "%.1f ms", waits[min(waits.count - 1, Int(share * Double(waits.count)))])
        }
        let counts = Faults.Kind.allCases.map { kind in "\(kind.rawValue): \(faults.filter { $0.kind == kind }.count)" }
        var lines = [
            "",
            "\(looks) looks at the server, the longest time between two of them \(Int(longestGap * 1_000)) ms.",
            "Most connections in one look, those that were ending included: \(mostInOneLook).",
            "Faults: \(counts.joined(separator: ", ")).",
            mostAfterFailover.map {
                "The failover lost shares of \(lostShares) connections. After it: at most \($0) connections, "
                    + "\(max(0, $0 - FleetPlan.total)) too many."
            },
            "Waits: p50 \(wait(0.5)), p99 \(wait(0.99)). Requests that waited too long: \(sums.timedOut).",
            "Requests that failed because their process or their connection was ended: \(sums.failed).",
        ].compactMap(\.self)
        lines += checks.map { "\($0.hasPassed ? "passed" : "FAILED")  \($0.name)" }
        return lines.joined(separator: "\n")
    }
}
