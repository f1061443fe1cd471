// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BurstPool
import BurstPoolFleet
import BurstPoolPostgres
import Foundation
import Synchronization

/// One process of the fleet: a pool, a member, and tasks that use the pool.
///
/// It reads from standard input how many tasks are to use connections, a number on each line, and ends with the input. It writes a
/// ``WorkerReport`` to standard output several times a second.
struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One process of the fleet.", shouldDisplay: false)

    @Option var number: Int
    @Option var processes: Int
    @Option var redis: String
    @Option var postgres: String
    @Flag var ignoreBudget = false

    func run() async throws {
        signal(SIGINT, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let load = WorkerLoad()
        let observer = RefusalCounter()
        let strategy = try PostgresConnectionStrategy(url: postgres, applicationName: "process \(number)")
        var pooling = ConnectionPoolConfiguration.recommended(maxSize: FleetPlan.floor)
        pooling.name = "process \(number)"
        pooling.acquireTimeout = .seconds(5)
        pooling.observer = observer
        if ignoreBudget { pooling.maxSize = FleetPlan.tasksInBurst }
        let pool = try ConnectionPool(strategy: strategy, configuration: pooling)

        var settings = FleetSettings(total: FleetPlan.total, floor: FleetPlan.floor, processes: processes)
        settings.term = FleetPlan.term
        settings.memberTerm = FleetPlan.memberTerm
        settings.grace = FleetPlan.grace
        var fleet = FleetConfiguration(name: "demo", settings: settings)
        fleet.releaseAfter = .seconds(1)
        let member: FleetMember<ConnectionPool<PostgresConnectionStrategy>>? =
            ignoreBudget
            ? nil : try FleetMember(pool: pool, store: RedisFleetStore(url: redis), configuration: fleet)

        Thread.detachNewThread {
            while let line = readLine() { if let level = Int(line) { load.setLevel(level) } }
            load.end()
        }
        try await withThrowingTaskGroup { group in
            group.addTask {
                while !load.hasEnded {
                    report(pool, member, load, observer)
                    try await Task.sleep(for: .milliseconds(200))
                }
                report(pool, member, load, observer)
                await pool.shutdown(drainFor: .seconds(2))
            }
            for task in 0..<FleetPlan.tasksInBurst {
                group.addTask { await load.use(pool, task) }
            }
            if let member { group.addTask { try await member.run() } }
            try await group.waitForAll()
        }
    }

    private func report(
        _ pool: ConnectionPool<PostgresConnectionStrategy>,
        _ member: FleetMember<ConnectionPool<PostgresConnectionStrategy>>?,
        _ load: WorkerLoad,
        _ observer: RefusalCounter
    ) {
        var report = load.takeReport()
        let statistics = pool.statistics
        report.number = number
        report.waiting = statistics.waiting
        report.limit = statistics.burstLimit ?? statistics.maxSize
        report.isMember = member?.status.isMember ?? false
        report.tooManyConnections = observer.take()
        guard let line = try? JSONEncoder().encode(report) else { return }
        FileHandle.standardOutput.write(line + Data("\n".utf8))
    }
}

/// What a process has done since its report before.
struct WorkerReport: Codable, Sendable {
    var number = 0
    var served = 0
    /// Requests that waited for a connection for as long as they may.
    var timedOut = 0
    /// Other failures: of connections that the server or a fault has ended.
    var failed = 0
    /// How often the server answered "too many connections".
    var tooManyConnections = 0
    /// The waits of the requests that were served, in milliseconds.
    var waits: [Double] = []
    var waiting = 0
    var limit = 0
    var isMember = false
}

/// The tasks of a process.
final class WorkerLoad: Sendable {
    private let level = Atomic(0)
    private let ended = Atomic(false)
    private let report = Mutex(WorkerReport())

    var hasEnded: Bool { ended.load(ordering: .relaxed) }

    func setLevel(_ tasks: Int) { level.store(tasks, ordering: .relaxed) }

    func end() { ended.store(true, ordering: .relaxed) }

    func takeReport() -> WorkerReport {
        report.withLock { report in
            defer { report = WorkerReport() }
            return report
        }
    }

    /// Uses connections for as long as fewer tasks than the level come before this one.
    func use(_ pool: ConnectionPool<PostgresConnectionStrategy>, _ task: Int) async {
        while !hasEnded {
            guard task < level.load(ordering: .relaxed) else {
                try? await Task.sleep(for: .milliseconds(20))
                continue
            }
            let began = ContinuousClock.now
            do {
                let wait = try await pool.withConnection { connection in
                    let wait = ContinuousClock.now - began
                    try await connection.query("SELECT pg_sleep(0.02)")
                    return wait
                }
                report.withLock { report in
                    report.served += 1
                    report.waits.append(wait / .milliseconds(1))
                }
            } catch let error as ConnectionPoolError where error.code == .poolShutDown {
                return
            } catch {
                let isTimeout = (error as? ConnectionPoolError)?.code == .acquireTimedOut
                report.withLock { report in
                    if isTimeout { report.timedOut += 1 } else { report.failed += 1 }
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

/// Counts how often the server refused a connection because it had too many.
final class RefusalCounter: ConnectionPoolObserver {
    private let count = Atomic(0)

    func take() -> Int { count.exchange(0, ordering: .relaxed) }

    func connectionPool(_ event: ConnectionPoolEvent) {
        guard case .openFailed(let error, _, _, _) = event, (error as? PostgresError)?.sqlState == "53300" else {
            return
        }
        count.add(1, ordering: .relaxed)
    }
}
