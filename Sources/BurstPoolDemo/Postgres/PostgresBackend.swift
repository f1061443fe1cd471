// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolPostgresServer
import Foundation

/// A PostgreSQL server under load: a private one, or one that the user named.
///
/// The values of the tasks are in a table of the run, which is created at the start and dropped at the end.
struct PostgresBackend: Backend {
    /// The private server; `nil` if the user named a server.
    private let privateServer: PostgresServer?
    private let configuration: PostgresConfiguration
    private let name = RunName()
    let table: RunTable
    private(set) var serverName: String

    /// - Parameter configuration: The server to use; `nil` starts a private one.
    /// - Throws: ``DemoFailure`` if the server does not answer or has not enough room, or an error of the private server.
    init(_ configuration: PostgresConfiguration?, _ settings: DemoSettings) async throws {
        table = RunTable(of: name)
        if let configuration {
            privateServer = nil
            self.configuration = configuration
            serverName = "PostgreSQL at \(configuration)"
        } else {
            let server = try await Self.startServer(connections: settings.burstLimit)
            privateServer = server
            self.configuration = try PostgresConfiguration(url: server.socketURL)
            serverName = "private PostgreSQL"
        }
        do {
            let control = try await openControlConnection()
            let version = await control.serverVersion
            serverName =
                privateServer == nil
                ? "PostgreSQL \(version) at \(self.configuration)" : "private PostgreSQL \(version)"
            let room = try await control.freeConnections()
            await control.close()
            guard room >= settings.burstLimit else {
                throw DemoFailure(
                    "the server has room for \(room) more connections, and the pool may open \(settings.burstLimit). "
                        + "Choose a lower --burst-limit, or raise the server's max_connections."
                )
            }
        } catch {
            stop()
            throw DemoFailure("The PostgreSQL server cannot be used: \(describe(error))")
        }
    }

    /// Starts a private server, which takes seconds, in a thread that may block.
    private static func startServer(connections: Int) async throws -> PostgresServer {
        // With some connections for the demo itself, and for those that PostgreSQL reserves.
        let settings = ["max_connections=\(max(100, connections + 20))"]
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try PostgresServer(settings: settings) }) }
        }
    }

    func makeStrategy() throws -> PostgresConnectionStrategy {
        try PostgresConnectionStrategy(configuration: configuration(applicationName: name.description))
    }

    func makeExerciser(of task: Int, _ random: SplitMix64) -> PostgresExerciser {
        PostgresExerciser(task: task, table: table, values: UniqueValues(task: task, random: random))
    }

    func openControlConnection() async throws -> PostgresControlConnection {
        try await PostgresControlConnection(configuration(applicationName: "burst-pool-demo"), name)
    }

    /// Takes a millisecond, so that a cancellation also meets a statement that the server is executing.
    func echo(_ text: String, on connection: PostgresConnection) async throws -> String? {
        try await connection.query(table.slowEcho, text).only()[0, as: String?.self]
    }

    /// A killed connection causes an error during a statement, or while the connection is being set up.
    func isCausedByKill(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return error.code == .connectionClosed || error.sqlState == "57P01"
    }

    func stop() {
        privateServer?.stop()
    }

    private func configuration(applicationName: String) -> PostgresConfiguration {
        var configuration = configuration
        // Replaces a name in the URL or in the environment, because the server counts and kills connections by this name.
        configuration.parameters["application_name"] = applicationName
        // The run notices a server that does not respond.
        configuration.queryTimeout = .seconds(10)
        return configuration
    }
}
