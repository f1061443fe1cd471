// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool
import BurstPoolSwiftCores
import CBenchmarkSupport
import Foundation

/// W2: one task for each core acquires and releases, and connections are idle.
enum ParallelWorkload {
    static func run(_ report: inout Report, _ settings: Settings) async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let connections = 8 * cores

        let stack = Pointer(bare_stack_create(UInt32(connections)))
        let core = Pointer(core_pool_create(UInt32(connections), 0))
        let oneStripeCore = Pointer(core_pool_create(UInt32(connections), 1))
        let shipping = try ShippingPool(strategy: CountingStrategy(), maxSize: connections)
        let lockFree = try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: connections)
        let locking = try MutexPool(strategy: CountingStrategy(), maxSize: connections)
        let actorPool = ActorPool(maxSize: connections) { Connection() }
        try await shipping.open(connections)
        try await lockFree.open(connections)
        try await locking.open(connections)

        let subjects: [(name: String, run: @Sendable (Int) async throws -> Void)] = [
            ("ck_stack pop + push, C, inlined", { bare_stack_loop(stack.value, UInt64($0)) }),
            ("C API, exclusive release", { try expect(core_pool_lease_exclusive(core.value, UInt64($0))) }),
            (
                "C API, exclusive release, one stripe",
                { try expect(core_pool_lease_exclusive(oneStripeCore.value, UInt64($0))) }
            ),
            ("withConnection, CK core", { try await Leases.synchronous(shipping, $0) }),
            ("withConnection, CK core, async body", { try await Leases.asynchronous(shipping, $0) }),
            ("withConnection, lock-free Swift core", { try await Leases.synchronous(lockFree, $0) }),
            ("withConnection, Mutex core", { try await Leases.synchronous(locking, $0) }),
            ("actor pool by hand", { try await Leases.synchronous(actorPool, $0) }),
        ]
        let contenders = subjects.flatMap { subject in
            [1, cores].map { tasks in
                Contender.measuring(name(subject.name, tasks)) { operations in
                    let each = max(operations / tasks, 1)
                    return try await inParallel(tasks, operationsEach: each) { _, times in try await subject.run(times)
                    }
                }
            }
        }
        let contest = Contest(
            name: "W2",
            contenders: contenders,
            turn: .milliseconds(40),
            budget: settings.budget(seconds: 20)
        )
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W2", reference: name("withConnection, CK core", cores), by: .wall)

        let pool = "withConnection, CK core"
        let scaling = result.ratio(name(pool, 1), to: name(pool, cores), by: .wall)
        let scalingByCPU = result.ratio(name(pool, 1), to: name(pool, cores), by: .cpu)
        let perfect = Double(cores)
        report.figures += [
            .init(
                workload: "W2",
                measure: "throughput with \(cores) tasks / with 1",
                value: scaling,
                must: 0.9 * perfect,
                aim: 0.975 * perfect,
                better: .more
            ),
            .init(
                workload: "W2",
                measure: "the same, per time that the CPUs worked",
                value: Distribution(scalingByCPU.values.map { $0 * perfect }),
                must: 0.9 * perfect,
                aim: 0.975 * perfect,
                better: .more
            ),
            .init(
                workload: "W2",
                measure: "actor pool / CK core, \(cores) tasks",
                value: result.ratio(name("actor pool by hand", cores), to: name(pool, cores), by: .wall),
                must: 50,
                aim: 150,
                better: .more
            ),
        ]
        let control = "ck_stack pop + push, C, inlined"
        let contention = result.ratio(name(control, cores), to: name(control, 1), by: .cpu).median * Double(cores)
        report.notes.append(
            "W2, control: on one shared ck_stack an operation takes \(short(contention / Double(cores))) times the CPU time "
                + "with \(cores) tasks that it takes with 1. Near 1 the tasks did not run at the same time, for want of "
                + "free CPUs, and the scaling per CPU time above proves nothing."
        )
        report.charts.append(
            Chart(
                name: "w2-parallel",
                title: "W2: one lease and its return, \(cores) tasks at once",
                yLabel: "ns per operation",
                content: .bars(
                    subjects.filter { $0.name != "actor pool by hand" }.map {
                        .init(
                            label: $0.name,
                            value: result.time(name($0.name, cores), by: .wall),
                            isOurs: $0.name.hasPrefix(pool)
                        )
                    }
                )
            )
        )
    }

    private static func name(_ subject: String, _ tasks: Int) -> String {
        "\(subject), \(tasks) task\(tasks == 1 ? "" : "s")"
    }
}
