// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgresServer
import BurstPoolRedisServer
import Foundation
import Synchronization

/// The processes of the demo. Each reaches Redis through a relay of its own, so that it can be cut off alone.
final class WorkerFleet: @unchecked Sendable {
    // Sendable: `workers` and `hasEnded` are used by the task that runs the demo only.
    let count: Int
    let tally = FleetTally()
    private let postgresURL: String
    private let ignoresBudget: Bool
    private let relays: [Relay]
    private var workers: [WorkerProcess?]
    private var levels: [Int]
    private var hasEnded = false

    init(count: Int, postgres: PostgresServer, redis: RedisServer, ignoresBudget: Bool) throws {
        self.count = count
        self.ignoresBudget = ignoresBudget
        postgresURL = "postgresql://app:app@127.0.0.1:\(postgres.port)/postgres"
        guard let port = redis.port else { throw CocoaError(.featureUnsupported) }
        relays = try (0..<count).map { _ in try Relay(to: port) }
        workers = Array(repeating: nil, count: count)
        levels = Array(repeating: 1, count: count)
    }

    func start() throws {
        for number in 0..<count { try start(number) }
    }

    /// Starts a process, with as many tasks as the one before it had.
    func start(_ number: Int) throws {
        var arguments = ["worker", "--number", "\(number)", "--processes", "\(count)"]
        arguments += ["--redis", "redis://127.0.0.1:\(relays[number].port)", "--postgres", postgresURL]
        if ignoresBudget { arguments.append("--ignore-budget") }
        workers[number] = try WorkerProcess(arguments) { [tally] in tally.add($0) }
        setLevel(number, levels[number])
    }

    func setLevel(_ number: Int, _ tasks: Int) {
        levels[number] = tasks
        workers[number]?.send("\(tasks)\n")
    }

    func kill(_ number: Int) {
        workers[number]?.signal(SIGKILL)
        workers[number] = nil
        tally.forget(number)
    }

    func stop(_ number: Int) { workers[number]?.signal(SIGSTOP) }

    func goOn(_ number: Int) { workers[number]?.signal(SIGCONT) }

    func cutOff(_ number: Int) { relays[number].freeze() }

    func reconnect(_ number: Int) { relays[number].thaw() }

    /// Ends all processes, and waits for them for up to 5 seconds. Idempotent.
    func end() {
        if hasEnded { return }
        hasEnded = true
        for worker in workers { worker?.closeInput() }
        for worker in workers { worker?.waitOrKill(seconds: 5) }
        for relay in relays { relay.stop() }
    }
}

/// One process, whose reports are read on a thread.
final class WorkerProcess {
    private let process = Process()
    private let input = Pipe()

    init(_ arguments: [String], _ receive: @escaping @Sendable (WorkerReport) -> Void) throws {
        let output = Pipe()
        process.executableURL = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let reader = output.fileHandleForReading
        Thread.detachNewThread {
            var pending = Data()
            while true {
                let data = reader.availableData
                if data.isEmpty { return }
                pending.append(data)
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = pending[pending.startIndex..<end]
                    if let report = try? JSONDecoder().decode(WorkerReport.self, from: Data(line)) { receive(report) }
                    pending = Data(pending[pending.index(after: end)...])
                }
            }
        }
    }

    func send(_ text: String) { try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    func signal(_ number: Int32) {
        if process.isRunning { Foundation.kill(process.processIdentifier, number) }
    }

    func closeInput() { try? input.fileHandleForWriting.close() }

    func waitOrKill(seconds: Int) {
        let end = Date() + TimeInterval(seconds)
        while process.isRunning, Date() < end { usleep(10_000) }
        signal(SIGKILL)
        process.waitUntilExit()
    }
}

/// What all processes have reported.
final class FleetTally: Sendable {
    struct Sums: Sendable {
        var served = 0
        var timedOut = 0
        var failed = 0
        var tooManyConnections = 0
        var waits: [Double] = []
        /// The latest report of each process that runs.
        var latest: [Int: WorkerReport] = [:]
    }

    private let sums = Mutex(Sums())

    var current: Sums { sums.withLock { $0 } }

    func add(_ report: WorkerReport) {
        sums.withLock { sums in
            sums.served += report.served
            sums.timedOut += report.timedOut
            sums.failed += report.failed
            sums.tooManyConnections += report.tooManyConnections
            sums.waits += report.waits
            sums.latest[report.number] = report
        }
    }

    func forget(_ number: Int) { sums.withLock { $0.latest[number] = nil } }
}
