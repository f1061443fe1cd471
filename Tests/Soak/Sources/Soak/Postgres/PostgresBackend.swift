// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Foundation
import NIOPosix

/// PostgreSQL, and the client of `BurstPoolPostgres`. Controls and queries the server directly, without the proxy.
final class PostgresBackend: Backend {
    static let name = "PostgreSQL"
    static var wire: any WireFormat.Type { PostgresWire.self }
    /// A connection is a process of the server, and most connections are opened with a password.
    static let pace = 4
    static let simplestUse = PostgresVisit.Use.echo

    /// The number of accounts between which visitors transfer money. Their sum is always zero.
    static let accounts = 64

    private let server: PostgresServer
    private let direct: PostgresConnectionStrategy
    private let sabotage: Sabotage?

    init(sabotage: Sabotage?) async throws {
        self.sabotage = sabotage
        let server = try PostgresServer(settings: ["max_connections=300"])
        self.server = server
        direct = try PostgresConnectionStrategy(url: server.socketURL)
        try await ask { connection in
            try await connection.executeScript(
                """
                CREATE TABLE kept (key text PRIMARY KEY, value text);
                CREATE TABLE names (visitor text PRIMARY KEY, name text);
                CREATE TABLE accounts (id int PRIMARY KEY, balance bigint);
                INSERT INTO accounts SELECT id, 0 FROM generate_series(1, \(Self.accounts)) id
                """
            )
            try await connection.execute("CHECKPOINT")
        }
    }

    var socketPath: String { "\(server.socketFolder)/.s.PGSQL.\(server.port)" }

    /// libpq derives the name of the socket from the port, which for this one needs to differ from the server's only.
    private var proxyPort: Int { server.port == 1024 ? 1025 : server.port - 1 }
    var proxySocketPath: String { "\(server.socketFolder)/.s.PGSQL.\(proxyPort)" }

    func stop() { server.stop() }

    func restart(after pause: Duration) async throws {
        let server = server
        // A crash, or a shutdown that tells the sessions about it.
        let isCrash = Bool.random()
        try await NIOThreadPool.singleton.runIfActive { isCrash ? server.halt() : server.shutDownFast() }
        try await Task.sleep(for: pause)
        try await NIOThreadPool.singleton.runIfActive { try server.start() }
    }

    func clients() async throws -> [Int] {
        try await ask { connection in
            try await connection.query(
                """
                SELECT pid FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name LIKE 'soak-%'
                """
            ).map { try $0[0, as: Int.self] }
        }
    }

    func kill(_ clients: [Int]) async throws -> Int {
        try await ask { connection in
            try await connection.query("SELECT pid FROM unnest($1::int[]) pid WHERE pg_terminate_backend(pid)", clients)
                .count
        }
    }

    /// Cancels the statements of a connection for some time, whichever they are.
    private func cancel(_ client: Int32) async throws {
        let sql = "SELECT pg_cancel_backend($1), pg_sleep(0.002) FROM generate_series(1, 50)"
        try await ask { _ = try await $0.query(sql, client) }
    }

    private func ask<Answer: Sendable>(_ question: (PostgresConnection) async throws -> Answer) async throws -> Answer {
        let connection = try await direct.makeConnection()
        do {
            let answer = try await question(connection)
            await connection.close()
            return answer
        } catch {
            await connection.close()
            throw error
        }
    }

    // MARK: - Pools

    func strategy(_ plan: LifePlan, _ endpoint: Endpoint) throws -> PostgresConnectionStrategy {
        var postgres =
            switch endpoint {
            case .socket: PostgresConfiguration(host: server.socketFolder, port: proxyPort, user: PostgresServer.user)
            case .port(let port):
                PostgresConfiguration(
                    host: "127.0.0.1",
                    port: port,
                    user: PostgresServer.user,
                    password: PostgresServer.password
                )
            }
        // The proxy must be able to read the messages.
        postgres.parameters["sslmode"] = "disable"
        postgres.parameters["gssencmode"] = "disable"
        postgres.parameters["dbname"] = "postgres"
        postgres.applicationName = "soak-\(plan.number)"
        postgres.connectTimeout = plan.connectTimeout
        postgres.queryTimeout = plan.commandTimeout
        postgres.cancellationTimeout = plan.commandTimeout
        // Each in turn, so that a short soak covers all of them.
        postgres.statementCacheCapacity = [256, 3, 0][plan.number % 3]
        postgres.reset = plan.number.isMultiple(of: 2) ? .all : .keepingStatements
        return try PostgresConnectionStrategy(configuration: postgres)
    }

    func perform(_ use: PostgresVisit.Use, _ visit: Visit, on connection: PostgresConnection) async throws -> Int {
        if sabotage == .lateCancel, visit.number.isMultiple(of: 4) {
            let client = connection.processID
            Task { try await self.cancel(client) }
            // Long enough for the request to arrive meanwhile.
            _ = try await connection.query("SELECT pg_sleep(0.1)")
        }
        return try await PostgresVisit(visit: visit, use: use, sabotage: sabotage).perform(on: connection)
    }

    static func outcome(of error: any Error) -> String? {
        guard let error = error as? PostgresError else { return nil }
        switch (error.code, error.sqlState) {
        // The server's answer to a message that the proxy has spoiled.
        case (_, "08P01"), (.connectFailed, "0A000"): return Outcome.refusedCommands
        case (.connectionClosed, _), (.queryTimedOut, _), (.connectTimedOut, _), (.connectFailed, _):
            return "error: \(error.code)"
        case (.serverError, "57P01"), (.serverError, "57P02"), (.serverError, "57P03"):
            return "error: the server ended the connection"
        case (.protocolError, _): return Outcome.protocolErrors
        default: return nil
        }
    }
}
