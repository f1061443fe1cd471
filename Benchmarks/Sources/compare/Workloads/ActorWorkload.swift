// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool

/// W9: like W1, from inside an actor and from the main actor.
enum ActorWorkload {
    static func run(_ report: inout Report, _ settings: Settings) async throws {
        let pool = try ShippingPool(strategy: CountingStrategy(), maxSize: LeaseWorkload.connections)
        try await pool.open(LeaseWorkload.connections)
        let caller = Caller(pool)
        let contenders = [
            Contender("no actor, sync body") { try await Leases.synchronous(pool, $0) },
            Contender("no actor, async body") { try await Leases.asynchronous(pool, $0) },
            Contender("an actor, sync body") { try await caller.synchronous($0) },
            Contender("an actor, async body") { try await caller.asynchronous($0) },
            Contender("main actor, sync body") { try await MainCaller.synchronous(pool, $0) },
            Contender("main actor, async body") { try await MainCaller.asynchronous(pool, $0) },
        ]
        var allocations: [String: Double] = [:]
        for contender in contenders {
            allocations[contender.name] = try await LeaseWorkload.countAllocations(contender)
        }
        let contest = Contest(name: "W9", contenders: contenders, budget: settings.budget(seconds: 8))
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W9", reference: "no actor, sync body", by: .cpu, allocations: allocations)
        for place in ["an actor", "main actor"] {
            for body in ["sync body", "async body"] {
                report.figures.append(
                    .init(
                        workload: "W9",
                        measure: "from \(place == "an actor" ? place : "the main actor") / W1, \(body)",
                        value: result.ratio("\(place), \(body)", to: "no actor, \(body)", by: .cpu),
                        must: 3,
                        aim: 1.5,
                        better: .less
                    )
                )
            }
        }
        report.figures.append(
            .init(
                workload: "W9",
                measure: "allocations per lease, at most",
                value: Distribution(allocations.values.max().map { [$0] } ?? []),
                must: 0,
                aim: 0,
                better: .less
            )
        )
        report.charts.append(
            Chart(
                name: "w9-actors",
                title: "W9: one lease and its return, from inside actors",
                yLabel: "ns of CPU time",
                content: .bars(
                    contenders.map { .init(label: $0.name, value: result.time($0.name, by: .cpu), isOurs: true) }
                )
            )
        )
    }
}

private actor Caller {
    private let pool: ShippingPool

    init(_ pool: ShippingPool) {
        self.pool = pool
    }

    func synchronous(_ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    func asynchronous(_ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }
}

@MainActor
private enum MainCaller {
    static func synchronous(_ pool: ShippingPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                connection.touch()
            }
        }
    }

    static func asynchronous(_ pool: ShippingPool, _ times: Int) async throws {
        for _ in 0..<times {
            try await pool.withConnection { connection in
                await connection.use()
            }
        }
    }
}
