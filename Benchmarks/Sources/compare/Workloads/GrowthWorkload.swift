// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import CBenchmarkSupport

/// W8: the cost of a lease against the number of connections, and the cost of waiting against the number of waiters.
enum GrowthWorkload {
    private static let populations = [10, 1_000, 100_000, 1_000_000]

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        try await compareIdle(&report, settings)
        try await compareWaiting(&report, settings)
        try await measureBytes(&report, settings)
    }

    // MARK: Idle connections

    private static func compareIdle(_ report: inout Report, _ settings: Settings) async throws {
        let sizes = [8, 100, 1_000, 10_000]
        var contenders: [Contender] = []
        for size in sizes {
            let shipping = try ShippingPool(strategy: CountingStrategy(), maxSize: size)
            let lockFree = try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: size)
            let locking = try MutexPool(strategy: CountingStrategy(), maxSize: size)
            settings.progress.say("W8 idle connections: opening \(size)")
            try await shipping.open(size)
            try await lockFree.open(size)
            try await locking.open(size)
            contenders += [
                Contender("CK core, \(size) idle") { try await Leases.synchronous(shipping, $0) },
                Contender("lock-free Swift core, \(size) idle") { try await Leases.synchronous(lockFree, $0) },
                Contender("Mutex core, \(size) idle") { try await Leases.synchronous(locking, $0) },
            ]
        }
        let contest = Contest(
            name: "W8 idle connections",
            contenders: contenders,
            budget: settings.budget(seconds: 5)
        )
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W8, idle connections", reference: "CK core, 8 idle", by: .cpu)
        report.figures.append(
            .init(
                workload: "W8",
                measure: "lease at 10,000 / at 8 idle connections",
                value: result.ratio("CK core, 10000 idle", to: "CK core, 8 idle", by: .cpu),
                must: 1.2,
                aim: 1.05,
                better: .less
            )
        )
        report.charts.append(
            Chart(
                name: "w8-idle",
                title: "W8: a lease and its return, by the number of idle connections",
                yLabel: "ns of CPU time",
                content: .lines(
                    ["CK core", "lock-free Swift core", "Mutex core"].map { core in
                        .init(
                            label: core,
                            points: sizes.map { (Double($0), result.time("\(core), \($0) idle", by: .cpu)) },
                            isOurs: core == "CK core"
                        )
                    },
                    xLabel: "idle connections"
                )
            )
        )
    }

    // MARK: Waiters

    private static func compareWaiting(_ report: inout Report, _ settings: Settings) async throws {
        var waiterSets: [WaiterSet] = []
        for population in populations {
            settings.progress.say("W8 waiters: \(population) join")
            waiterSets.append(try WaiterSet(population))
        }
        defer { for waiterSet in waiterSets { waiterSet.destroy() } }
        // Rounds take too long for a quick run to have many.
        let rounds = settings.isQuick ? 7 : 21
        var samples: [[WaiterSet.Costs]] = []
        for round in 0..<rounds {
            settings.progress.say("W8 waiters: round \(round + 1) of \(rounds)")
            samples.append(try waiterSets.map { try $0.measure() })
        }
        for operation in WaiterSet.operations {
            let values = populations.indices.map { index in samples.map { $0[index][operation] ?? .nan } }
            for (index, population) in populations.enumerated() {
                report.rows.append(
                    .init(
                        workload: "W8, waiters",
                        contender: "\(operation), \(population) waiting",
                        wall: Distribution([]),
                        cpu: Distribution(values[index]),
                        ratio: Distribution(zip(values[index], values[1]).map { $0 / $1 }),
                        reference: "1,000 waiting"
                    )
                )
            }
            report.figures.append(
                .init(
                    workload: "W8",
                    measure: "\(operation) at 1,000,000 / at 1,000 waiters",
                    value: Distribution(zip(values[3], values[1]).map { $0 / $1 }),
                    must: 1.5,
                    aim: 1.2,
                    better: .less
                )
            )
        }
        report.charts.append(
            Chart(
                name: "w8-waiters",
                title: "W8: joining, leaving and being served, by the number of waiters",
                yLabel: "ns of CPU time, C API",
                content: .lines(
                    WaiterSet.operations.map { operation in
                        .init(
                            label: operation,
                            points: populations.enumerated().map { index, population in
                                (Double(population), Distribution(samples.map { $0[index][operation] ?? .nan }))
                            },
                            isOurs: true
                        )
                    },
                    xLabel: "waiters"
                )
            )
        )
    }

    // MARK: Memory

    private static func measureBytes(_ report: inout Report, _ settings: Settings) async throws {
        settings.progress.say("W8 memory: slots and waiters")
        let slots = try await MemoryProbe.run("slots")
        let waiters = try await MemoryProbe.run("waiters")
        report.figures += [
            .init(
                workload: "memory",
                measure: "resident bytes per slot of capacity, 100,000 slots",
                value: Distribution([slots["bytes"] ?? .nan]),
                must: 192,
                aim: 128,
                better: .less
            ),
            .init(
                workload: "memory",
                measure: "resident bytes in the core per waiting caller, 1,000,000 waiters",
                value: Distribution([waiters["bytes"] ?? .nan]),
                must: 128,
                aim: 64,
                better: .less
            ),
        ]
    }
}
