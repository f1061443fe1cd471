// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The server of a run, of one kind: how the pool connects to it, and what the tasks do there.
///
/// Everything else in the demo is the same for all kinds of servers. A backend serves one run. The pool's connections have
/// the name of the run on the server, so that the server can count them and kill them.
protocol Backend: Sendable {
    associatedtype Strategy: ConnectionStrategy
    associatedtype TaskExerciser: Exerciser<Strategy.Connection>
    associatedtype Control: ControlConnection

    /// A description of the server for the user, with its version.
    var serverName: String { get }

    /// Returns the strategy of the pool.
    func makeStrategy() throws -> Strategy

    /// Returns what carries out the exercises of one task.
    func makeExerciser(of task: Int, _ random: SplitMix64) -> TaskExerciser

    /// Opens a connection outside the pool.
    func openControlConnection() async throws -> Control

    /// Sends a text, and returns the text that the server sends back. Changes nothing on the server.
    func echo(_ text: String, on connection: Strategy.Connection) async throws -> String?

    /// Returns whether an error can be the consequence of a killed connection.
    func isCausedByKill(_ error: any Error) -> Bool

    /// Stops a private server and removes its folder. Leaves a server alone that the user named.
    func stop()
}

/// The pool under load.
typealias DemoPool<Server: Backend> = ConnectionPool<CountingStrategy<Server.Strategy>>
