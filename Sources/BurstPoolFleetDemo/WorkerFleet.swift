// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgresServer
import Foundation
import Synchronization

/// The processes of the demo. Each reaches Redis through a relay of its own, which can be redirected to another server, and over a
/// network of its own if there are network namespaces. So each can be cut off alone.
final class WorkerFleet: @unchecked Sendable {
    // Sendable: `workers` and `hasEnded` are used by the task that runs the demo only.
    let count: Int
    let tally = FleetTally()
    private let postgresURL: String
    private let ignoresBudget: Bool
    private let namespaces: [NetworkNamespace]
    private let relays: [Relay]
    /// The addresses of the relays.
    private let addresses: [String]
    private var workers: [WorkerProcess?]
    private var levels: [Int]
    private var hasEnded = false

    /// - Parameters:
    ///   - port: The port of Redis on 127.0.0.1.
    ///   - usesNamespaces: Whether to cut processes off by network namespaces, if this process may create them.
    init(count: Int, postgres: PostgresServer, port: Int, usesNamespaces: Bool, ignoresBudget: Bool) throws {
        self.count = count
        self.ignoresBudget = ignoresBudget
        // A unix socket, because a network namespace reaches only the relay.
        postgresURL = "postgresql://app@/postgres?host=\(postgres.socketFolder)&port=\(postgres.port)"
        var namespaces: [NetworkNamespace] = []
        while usesNamespaces, namespaces.count < count, let next = NetworkNamespace(namespaces.count) {
            namespaces.append(next)
        }
        if namespaces.count < count {
            for namespace in namespaces { namespace.remove() }
            namespaces = []
        }
        self.namespaces = namespaces
        addresses = namespaces.isEmpty ? Array(repeating: "127.0.0.1", count: count) : namespaces.map(\.hostAddress)
        relays = try addresses.map { try Relay(to: port, listeningOn: $0) }
        workers = Array(repeating: nil, count: count)
        levels = Array(repeating: 1, count: count)
    }

    /// Whether processes are cut off by network namespaces, and not by relays.
    var hasNamespaces: Bool { !namespaces.isEmpty }

    func start() throws {
        for number in 0..<count { try start(number) }
    }

    /// Starts a process, with as many tasks as the one before it had.
    func start(_ number: Int) throws {
        var arguments = ["worker", "--number", "\(number)", "--processes", "\(count)"]
        arguments += ["--redis", "redis://\(addresses[number]):\(relays[number].port)", "--postgres", postgresURL]
        if ignoresBudget { arguments.append("--ignore-budget") }
        let prefix = hasNamespaces ? namespaces[number].prefix : []
        workers[number] = try WorkerProcess(arguments, after: prefix) { [tally] in tally.add($0) }
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

    func cutOff(_ number: Int) {
        if hasNamespaces { namespaces[number].takeDown() } else { relays[number].freeze() }
    }

    func reconnect(_ number: Int) {
        if hasNamespaces { namespaces[number].bringUp() } else { relays[number].thaw() }
    }

    /// Sends new connections to a Redis server at another port.
    func redirect(to port: Int) {
        for relay in relays { relay.redirect(to: port) }
    }

    /// Ends all processes, and waits for them for up to 5 seconds. Idempotent.
    func end() {
        if hasEnded { return }
        hasEnded = true
        for worker in workers { worker?.closeInput() }
        for worker in workers { worker?.waitOrKill(seconds: 5) }
        for relay in relays { relay.stop() }
        for namespace in namespaces { namespace.remove() }
    }
}

/// One process, whose reports are read on a thread.
final class WorkerProcess {
    private let process = Process()
    private let input = Pipe()

    /// - Parameter prefix: A command that runs the command after it in its place; empty for none.
    init(
        _ arguments: [String],
        after prefix: [String],
        _ receive: @escaping @Sendable (WorkerReport) -> Void
    ) throws {
        let output = Pipe()
        let executable = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
        let command = prefix + [executable.path] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
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
