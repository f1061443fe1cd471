// SPDX-License-Identifier: Apache-2.0

import BurstPool

@testable import BurstPoolDemo

/// A fault that the checks of a run must find.
enum Fault: Sendable {
    /// All tasks use the values of task 0, as if they received each other's replies.
    case sharesValues
    /// The server loses the values of all tasks before the end.
    case losesValues
    /// The strategy does not close connections.
    case leaksConnections
    /// Task 0 keeps a connection and waits.
    case hangs
    /// Errors after kills count as failures.
    case deniesKills
}

/// A backend with a fault.
struct FaultyBackend<Base: Backend>: Backend {
    let base: Base
    let fault: Fault

    var serverName: String { base.serverName }

    func makeStrategy() throws -> FaultyStrategy<Base.Strategy> {
        FaultyStrategy(base: try base.makeStrategy(), leaks: fault == .leaksConnections)
    }

    func makeExerciser(of task: Int, _ random: SplitMix64) -> FaultyExerciser<Base.TaskExerciser> {
        let exerciser = base.makeExerciser(of: fault == .sharesValues ? 0 : task, random)
        return FaultyExerciser(base: exerciser, hangs: fault == .hangs && task == 0)
    }

    func openControlConnection() async throws -> FaultyControlConnection<Base.Control> {
        FaultyControlConnection(base: try await base.openControlConnection(), losesValues: fault == .losesValues)
    }

    func echo(_ text: String, on connection: Base.Strategy.Connection) async throws -> String? {
        try await base.echo(text, on: connection)
    }

    func isCausedByKill(_ error: any Error) -> Bool {
        fault != .deniesKills && base.isCausedByKill(error)
    }

    func stop() {
        base.stop()
    }
}

struct FaultyExerciser<Base: Exerciser>: Exerciser {
    var base: Base
    let hangs: Bool

    var ledger: Ledger { base.ledger }

    mutating func perform(_ exercise: Exercise, on connection: Base.Connection) async throws -> Int {
        if hangs { try await Task.sleep(for: .seconds(600)) }
        return try await base.perform(exercise, on: connection)
    }
}

struct FaultyControlConnection<Base: ControlConnection>: ControlConnection {
    let base: Base
    let losesValues: Bool

    func prepare() async throws { try await base.prepare() }

    func poolConnections() async throws -> [Int] { try await base.poolConnections() }

    func kill(_ id: Int) async throws -> Bool { try await base.kill(id) }

    func values(ofTask task: Int) async throws -> StoredValues {
        losesValues ? StoredValues() : try await base.values(ofTask: task)
    }

    func removeValues(ofTasks tasks: Int) async throws { try await base.removeValues(ofTasks: tasks) }

    func close() async { await base.close() }
}

final class FaultyStrategy<Base: ConnectionStrategy>: ConnectionStrategy {
    typealias Connection = Base.Connection

    private let base: Base
    private let leaks: Bool
    private let leaked = Leaked()

    /// Keeps connections open, because some of them are closed when the last reference to them goes away.
    private actor Leaked {
        private var connections: [Connection] = []

        func insert(_ connection: sending Connection) {
            connections.append(connection)
        }
    }

    init(base: Base, leaks: Bool) {
        self.base = base
        self.leaks = leaks
    }

    func makeConnection() async throws -> sending Connection { try await base.makeConnection() }

    func connectionIsClosed(_ connection: Connection) throws -> Bool { try base.connectionIsClosed(connection) }

    func closeConnection(_ connection: sending Connection) async throws {
        if leaks {
            await leaked.insert(connection)
        } else {
            try await base.closeConnection(connection)
        }
    }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict { base.connectionVerdict(after: error) }
}
