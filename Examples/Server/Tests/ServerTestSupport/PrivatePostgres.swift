// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import Foundation

/// A private PostgreSQL server that listens on a socket in a temporary folder.
public final class PrivatePostgres: PrivateDatabase {
    private let server = PrivateServer("PostgreSQL", in: PrivateServer.makePath("postgres"))

    public var url: String { "postgresql://postgres@/postgres?host=\(server.folder.path)" }

    public var settings: [String: String] { ["POSTGRES_URL": url] }

    /// Runs a body with a server, and stops the server.
    public static func with<Result: Sendable>(
        _ body: (PrivatePostgres) async throws -> Result
    ) async throws -> Result {
        let postgres = PrivatePostgres()
        do {
            try await makeData(in: postgres.server.folder, from: try await template.value)
            try await postgres.start()
            let result = try await body(postgres)
            await postgres.stop()
            return result
        } catch {
            await postgres.stop()
            throw error
        }
    }

    private init() {}

    /// Data for copies, because making it takes a second. Removed when this process ends.
    private static let template = Task {
        atexit { try? FileManager.default.removeItem(at: PrivatePostgres.templateFolder) }
        try await makeData(in: templateFolder, from: nil)
        return templateFolder
    }

    private static let templateFolder = PrivateServer.makePath("postgres")

    private static func makeData(in folder: URL, from template: URL?) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../private-postgres"
        )
        let process = try await GuardedProcess(
            script.standardizedFileURL.path,
            [folder.path] + (template.map { [$0.path] } ?? []),
            log: folder.appendingPathComponent("log")
        )
        guard try await process.status() == 0 else {
            throw GuardedProcess.Failure("private-postgres failed: \(process.output)")
        }
    }

    private func stop() async {
        await kill()
        server.removeFolder()
    }

    public func start() async throws {
        try await server.start(server.folder.appendingPathComponent("run").path, ["postgres"]) {
            (try? await query("SELECT 1")) != nil
        }
    }

    /// Ends all processes of the server at once, as a crash would.
    public func kill() async {
        let process = server.takeProcess()
        process?.send(SIGQUIT)
        _ = try? await process?.status()
    }

    /// Executes a statement on a new connection.
    @discardableResult
    public func query(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        let connection = try await PostgresConnectionStrategy(url: url).makeConnection()
        let rows = try await connection.query(sql, parameters: parameters)
        await connection.close()
        return rows
    }

    public func stall() async throws {
        let connection = try await PostgresConnectionStrategy(url: url).makeConnection()
        // Fails when the server is killed.
        Task { try? await connection.executeScript("BEGIN; LOCK TABLE links; SELECT pg_sleep(600)") }
        try await eventually("the table is locked") {
            let locks = try await query(
                "SELECT FROM pg_locks WHERE relation = 'links'::regclass AND mode = 'AccessExclusiveLock' AND granted"
            )
            return !locks.isEmpty
        }
    }

    public func linkCount() async throws -> Int {
        // The table is created when the service uses it for the first time.
        guard try await query("SELECT to_regclass('links') IS NOT NULL").only()[0, as: Bool.self] else { return 0 }
        return try await query("SELECT count(*) FROM links").only()[0, as: Int.self]
    }

    public func count(of code: String) async throws -> Int {
        try await query("SELECT count FROM links WHERE code = $1", code).only()[0, as: Int.self]
    }
}
