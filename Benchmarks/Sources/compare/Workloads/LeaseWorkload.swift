// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import BurstPool
import BurstPoolSwiftCores
import CAllocationCount
import CBenchmarkSupport

/// W1: one task acquires and releases, and connections are idle.
enum LeaseWorkload {
    static let connections = 8

    static let bareCalled = "ck_stack pop + push, C, called"
    static let bareInlined = "ck_stack pop + push, C, inlined"
    static let exclusive = "C API, exclusive release"
    static let checked = "C API, checked release"
    static let oneStripe = "C API, exclusive release, one stripe"
    static let pool = "withConnection, CK core"
    static let poolAsync = "withConnection, CK core, async body"
    static let lease = "acquire and release, CK core"
    static let swift = "withConnection, lock-free Swift core"
    static let swiftAsync = "withConnection, lock-free Swift core, async body"
    static let mutex = "withConnection, Mutex core"
    static let mutexAsync = "withConnection, Mutex core, async body"
    static let mutexByHand = "Mutex pool by hand"
    static let actor = "actor pool by hand"
    static let python = "asyncio-connection-pool, Python"

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        var contenders = try await cContenders()
        contenders += try await swiftContenders()
        var allocations: [String: Double] = [:]
        for contender in contenders { allocations[contender.name] = try await countAllocations(contender) }
        if let python = settings.python {
            contenders.append(.measuring(Self.python) { try await python.run("w1", $0) })
        }
        let contest = Contest(name: "W1", contenders: contenders, budget: settings.budget(seconds: 12))
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W1", reference: pool, by: .cpu, allocations: allocations)
        report.figures += [
            .init(
                workload: "W1",
                measure: "withConnection / bare ck_stack pop + push (C, called)",
                value: result.ratio(pool, to: bareCalled, by: .cpu),
                must: 1.0,
                aim: 0.75,
                better: .less
            ),
            .init(
                workload: "W1",
                measure: "the same, async body",
                value: result.ratio(poolAsync, to: bareCalled, by: .cpu),
                must: 1.0,
                aim: 0.75,
                better: .less
            ),
            .init(
                workload: "W1",
                measure: "Mutex core / CK core",
                value: result.ratio(mutex, to: pool, by: .cpu),
                must: 6,
                aim: 9,
                better: .more
            ),
            .init(
                workload: "W1",
                measure: "Mutex pool by hand / CK core",
                value: result.ratio(mutexByHand, to: pool, by: .cpu),
                must: 6,
                aim: 9,
                better: .more
            ),
            .init(
                workload: "W1",
                measure: "Mutex core / CK core, async body",
                value: result.ratio(mutexAsync, to: poolAsync, by: .cpu),
                must: 6,
                aim: 9,
                better: .more
            ),
            .init(
                workload: "W1",
                measure: "allocations per lease on the fast path (sync and async body, acquire)",
                value: Distribution([pool, poolAsync, lease].compactMap { allocations[$0] }.max().map { [$0] } ?? []),
                must: 0,
                aim: 0,
                better: .less
            ),
        ]
        if let allocations = try countCoreAllocationsOfWaiting() {
            report.figures.append(
                .init(
                    workload: "W3",
                    measure: "allocations by the core on the wait path, after warm-up, 10,000 waits",
                    value: Distribution([Double(allocations)]),
                    must: 0,
                    aim: 0,
                    better: .less
                )
            )
        }
        report.charts.append(
            Chart(
                name: "w1-lease",
                title: "W1: one lease and its return, connections idle",
                yLabel: "ns of CPU time",
                content: .bars(
                    [bareCalled, exclusive, pool, poolAsync, swift, mutex, mutexByHand, actor].map {
                        .init(label: $0, value: result.time($0, by: .cpu), isOurs: $0 == pool || $0 == poolAsync)
                    }
                )
            )
        )
    }

    static func countAllocations(_ contender: Contender) async throws -> Double? {
        guard allocation_count_is_available() else { return nil }
        let operations = 10_000
        _ = try await contender.run(operations)
        // The minimum of several counts, because the runtime sometimes allocates as well.
        var least = UInt64.max
        for _ in 0..<3 {
            allocation_count_start()
            _ = try await contender.run(operations)
            least = min(least, allocation_count_stop())
        }
        return (Double(least) / Double(operations) * 100).rounded() / 100
    }

    /// Counts the allocations of joining, leaving, and being served.
    private static func countCoreAllocationsOfWaiting() throws -> UInt64? {
        guard allocation_count_is_available() else { return nil }
        let pool = Pointer(core_pool_create(UInt32(connections), 0))
        defer { core_pool_destroy(pool.value) }
        var tickets = Array(repeating: bp_ticket(), count: 5_000)
        func wait() throws {
            let count = UInt64(tickets.count)
            try expect(core_pool_join(pool.value, &tickets, count, UInt64.max))
            try expect(core_pool_leave(pool.value, tickets, count))
            try expect(core_pool_join(pool.value, &tickets, count, UInt64.max))
            try expect(core_pool_serve(pool.value, count))
        }
        try wait()
        allocation_count_start()
        try wait()
        return allocation_count_stop()
    }

    private static func cContenders() async throws -> [Contender] {
        let stack = Pointer(bare_stack_create(UInt32(connections)))
        let core = Pointer(core_pool_create(UInt32(connections), 0))
        let oneStripeCore = Pointer(core_pool_create(UInt32(connections), 1))
        return [
            Contender(bareCalled) { operations in
                for _ in 0..<operations {
                    bare_stack_push(stack.value, bare_stack_pop(stack.value))
                }
            },
            Contender(bareInlined) { bare_stack_loop(stack.value, UInt64($0)) },
            Contender(exclusive) { try expect(core_pool_lease_exclusive(core.value, UInt64($0))) },
            Contender(checked) { try expect(core_pool_lease_checked(core.value, UInt64($0))) },
            Contender(oneStripe) { try expect(core_pool_lease_exclusive(oneStripeCore.value, UInt64($0))) },
        ]
    }

    private static func swiftContenders() async throws -> [Contender] {
        let shipping = try ShippingPool(strategy: CountingStrategy(), maxSize: connections)
        let lockFree = try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: connections)
        let locking = try MutexPool(strategy: CountingStrategy(), maxSize: connections)
        let mutexPool = HandWrittenMutexPool(maxSize: connections) { Connection() }
        let actorPool = ActorPool(maxSize: connections) { Connection() }
        try await shipping.open(connections)
        try await lockFree.open(connections)
        try await locking.open(connections)
        return [
            Contender(pool) { try await Leases.synchronous(shipping, $0) },
            Contender(poolAsync) { try await Leases.asynchronous(shipping, $0) },
            Contender(lease) { try await Leases.acquired(shipping, $0) },
            Contender(swift) { try await Leases.synchronous(lockFree, $0) },
            Contender(swiftAsync) { try await Leases.asynchronous(lockFree, $0) },
            Contender(mutex) { try await Leases.synchronous(locking, $0) },
            Contender(mutexAsync) { try await Leases.asynchronous(locking, $0) },
            Contender(mutexByHand) { try await Leases.synchronous(mutexPool, $0) },
            Contender(actor) { try await Leases.synchronous(actorPool, $0) },
        ]
    }
}
