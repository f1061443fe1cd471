// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects
import CBenchmarkSupport
import Synchronization

/// W3: 64 tasks on 8 connections, the body suspends once.
enum ContendedWorkload {
    private static let tasks = 64
    private static let connections = 8

    private static let ck = "CK core"
    private static let swift = "lock-free Swift core"
    private static let mutex = "Mutex core"
    private static let actor = "actor pool by hand"
    private static let python = "asyncio-connection-pool, Python"
    private static let yield = "Task.yield() alone"
    private static let bare = "nothing but a lock and continuations"
    private static let cancellable = "the same, and callers that can be cancelled"

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        let shipping = try ShippingPool(strategy: CountingStrategy(), maxSize: connections)
        let lockFree = try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: connections)
        let locking = try MutexPool(strategy: CountingStrategy(), maxSize: connections)
        let actorPool = ActorPool(maxSize: connections) { Connection() }
        let barePool = BarePool<Connection>(callers: tasks)
        let cancellablePool = CancellableBarePool<Connection>(callers: tasks)
        for _ in 0..<connections {
            barePool.put(Connection())
            cancellablePool.put(Connection())
        }
        try await shipping.open(connections)
        try await lockFree.open(connections)
        try await locking.open(connections)

        try await compareTimes(&report, settings, shipping, lockFree, locking, actorPool, barePool, cancellablePool)
        try await compareWaits(&report, settings, shipping, lockFree, locking, actorPool)
    }

    private static func compareTimes(
        _ report: inout Report,
        _ settings: Settings,
        _ shipping: ShippingPool,
        _ lockFree: LockFreeSwiftPool,
        _ locking: MutexPool,
        _ actorPool: ActorPool,
        _ barePool: BarePool<Connection>,
        _ cancellablePool: CancellableBarePool<Connection>
    ) async throws {
        var contenders: [Contender] = [
            .measuring(ck) { try await contend(shipping, $0) },
            .measuring(swift) { try await contend(lockFree, $0) },
            .measuring(mutex) { try await contend(locking, $0) },
            .measuring(actor) { try await contend(actorPool, $0) },
            .measuring(bare) { try await contend(barePool, $0) },
            .measuring(cancellable) { try await contend(cancellablePool, $0) },
            .measuring(yield) { operations in
                try await inParallel(tasks, operationsEach: max(operations / tasks, 1)) { _, times in
                    for _ in 0..<times { await Task.yield() }
                }
            },
        ]
        if let python = settings.python {
            contenders.append(.measuring(Self.python) { try await python.run("w3", $0) })
        }
        let contest = Contest(
            name: "W3",
            contenders: contenders,
            turn: .milliseconds(40),
            budget: settings.budget(seconds: 10)
        )
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W3", reference: ck, by: .wall)
        report.figures += [
            .init(
                workload: "W3",
                measure: "CK core / Mutex core, time per operation",
                value: result.ratio(ck, to: mutex, by: .wall),
                must: 1.0,
                aim: 0.85,
                better: .less
            ),
            .init(
                workload: "W3",
                measure: "the same, time that the CPUs worked",
                value: result.ratio(ck, to: mutex, by: .cpu),
                must: 1.0,
                aim: 0.85,
                better: .less
            ),
            .init(
                workload: "W3",
                measure: "CK core / a lock and continuations",
                value: result.ratio(ck, to: bare, by: .wall),
                must: 1.1,
                aim: 1.0,
                better: .less
            ),
            .init(
                workload: "W3",
                measure: "CK core / the same, and callers that can be cancelled",
                value: result.ratio(ck, to: cancellable, by: .wall),
                must: 1.0,
                aim: 0.9,
                better: .less
            ),
        ]
        report.charts.append(
            Chart(
                name: "w3-contended",
                title: "W3: 64 tasks on 8 connections, the body suspends once",
                yLabel: "ns per operation",
                content: .bars(
                    contenders.map {
                        .init(label: $0.name, value: result.time($0.name, by: .wall), isOurs: $0.name == ck)
                    }
                )
            )
        )
    }

    private static func compareWaits(
        _ report: inout Report,
        _ settings: Settings,
        _ shipping: ShippingPool,
        _ lockFree: LockFreeSwiftPool,
        _ locking: MutexPool,
        _ actorPool: ActorPool
    ) async throws {
        let operations = 64_000
        var subjects: [(name: String, run: () async throws -> Waits)] = [
            (ck, { try await waits(shipping, operations) }),
            (swift, { try await waits(lockFree, operations) }),
            (mutex, { try await waits(locking, operations) }),
            (actor, { try await waits(actorPool, operations) }),
        ]
        if let python = settings.python {
            subjects.append(
                (
                    Self.python,
                    {
                        let answer = try python.ask("w3", 6_400)
                        return Waits(p50: answer.p50 ?? .nan, p99: answer.p99 ?? .nan, p999: answer.p999 ?? .nan)
                    }
                )
            )
        }
        let budget = settings.budget(seconds: 8)
        let start = ContinuousClock.now
        var rounds: [[Waits]] = []
        while rounds.count < 5 || ContinuousClock.now - start < budget {
            settings.progress.say("W3 waits: round \(rounds.count + 1)")
            var round: [Waits?] = Array(repeating: nil, count: subjects.count)
            for turn in subjects.indices {
                let index = (turn + rounds.count) % subjects.count
                round[index] = try await subjects[index].run()
            }
            rounds.append(round.compactMap { $0 })
        }
        let mutexIndex = 2
        for (name, quantile) in [("p50", \Waits.p50), ("p99", \Waits.p99), ("p99.9", \Waits.p999)] {
            for (index, subject) in subjects.enumerated() {
                report.rows.append(
                    .init(
                        workload: "W3, \(name) of the wait",
                        contender: subject.name,
                        wall: Distribution(rounds.map { $0[index][keyPath: quantile] }),
                        cpu: Distribution([]),
                        ratio: Distribution(
                            rounds.map { $0[index][keyPath: quantile] / $0[mutexIndex][keyPath: quantile] }
                        ),
                        reference: mutex
                    )
                )
            }
        }
        report.figures.append(
            .init(
                workload: "W3",
                measure: "CK core / Mutex core, p99.9 of the wait",
                value: Distribution(rounds.map { $0[0].p999 / $0[mutexIndex].p999 }),
                must: 1.0,
                aim: 0.5,
                better: .less
            )
        )
    }

    // MARK: The workload

    private static func contend(_ pool: some BenchmarkPool, _ operations: Int) async throws -> Sample {
        try await inParallel(tasks, operationsEach: max(operations / tasks, 1)) { _, times in
            for _ in 0..<times {
                try await pool.withConnection(fileID: #fileID, line: #line) { _ in
                    await Task.yield()
                }
            }
        }
    }

    private static func contend(_ pool: ActorPool, _ operations: Int) async throws -> Sample {
        try await inParallel(tasks, operationsEach: max(operations / tasks, 1)) { _, times in
            for _ in 0..<times {
                try await pool.withConnection { _ in
                    await Task.yield()
                }
            }
        }
    }

    private static func contend(_ pool: BarePool<Connection>, _ operations: Int) async throws -> Sample {
        try await inParallel(tasks, operationsEach: max(operations / tasks, 1)) { _, times in
            for _ in 0..<times {
                try await pool.withConnection { _ in
                    await Task.yield()
                }
            }
        }
    }

    private static func contend(_ pool: CancellableBarePool<Connection>, _ operations: Int) async throws -> Sample {
        try await inParallel(tasks, operationsEach: max(operations / tasks, 1)) { _, times in
            for _ in 0..<times {
                try await pool.withConnection { _ in
                    await Task.yield()
                }
            }
        }
    }

    /// The same, with clock reads before each acquire and after it.
    private static func waits(_ pool: some BenchmarkPool, _ operations: Int) async throws -> Waits {
        let record = WaitRecord(tasks: tasks, operationsEach: operations / tasks)
        _ = try await inParallel(tasks, operationsEach: operations / tasks) { task, times in
            for turn in 0..<times {
                let before = measure_wall_time()
                try await pool.withConnection(fileID: #fileID, line: #line) { _ in
                    record.note(task, turn, measure_wall_time() - before)
                    await Task.yield()
                }
            }
        }
        return Waits(record.take())
    }

    private static func waits(_ pool: ActorPool, _ operations: Int) async throws -> Waits {
        let record = WaitRecord(tasks: tasks, operationsEach: operations / tasks)
        _ = try await inParallel(tasks, operationsEach: operations / tasks) { task, times in
            for turn in 0..<times {
                let before = measure_wall_time()
                try await pool.withConnection { _ in
                    record.note(task, turn, measure_wall_time() - before)
                    await Task.yield()
                }
            }
        }
        return Waits(record.take())
    }
}

/// What many tasks record at the same time, each in its own entries.
private final class WaitRecord: @unchecked Sendable {
    private let waits: UnsafeMutableBufferPointer<UInt32>
    private let operationsEach: Int

    init(tasks: Int, operationsEach: Int) {
        waits = .allocate(capacity: tasks * operationsEach)
        waits.initialize(repeating: 0)
        self.operationsEach = operationsEach
    }

    deinit {
        waits.deallocate()
    }

    func note(_ task: Int, _ turn: Int, _ nanoseconds: UInt64) {
        waits[task * operationsEach + turn] = UInt32(clamping: nanoseconds)
    }

    func take() -> [UInt32] {
        Array(waits)
    }
}
