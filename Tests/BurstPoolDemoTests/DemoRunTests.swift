// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgresServer
import Testing

@testable import BurstPoolDemo

@Suite("A run of the demo", .serialized, .timeLimit(.minutes(5)))
struct DemoRunTests {
    @Test(
        "passes all checks, with and without killed connections",
        arguments: ServerKind.allCases,
        [false, true]
    )
    func passes(kind: ServerKind, chaos: Bool) async throws {
        let isEnough = try await run(kind, chaos: chaos) { settings in
            let (summary, picture) = try await runDemo(settings, on: settings.server.makeBackend(for: settings))
            #expect(summary.failures == [])
            #expect(summary.endedEarly == nil)
            #expect(summary.checks.count == 10)
            #expect(summary.connections.killed == 0 || chaos)
            #expect(picture.hasSuffix("</svg>\n"))
            return summary.commands > 100 && summary.connections.peakTotal > settings.maxSize
                && (summary.connections.killed > 0) == chaos
        }
        #expect(isEnough)
    }

    /// Runs the demo for a short time, and for longer if other tests have left it too little time of the processor for the load.
    ///
    /// - Parameter body: Runs the demo, and returns whether that was enough.
    private func run(_ kind: ServerKind, chaos: Bool, _ body: (DemoSettings) async throws -> Bool) async throws -> Bool
    {
        var settings = try shortSettings(kind.choice(), chaos: chaos)
        while settings.seconds < 40 {
            if try await body(settings) { return true }
            settings.seconds *= 3
        }
        return false
    }

    @Test("starts a private PostgreSQL server, and stops it")
    func privatePostgres() async throws {
        let settings = try shortSettings(.privatePostgres)
        let backend = try #require(try await settings.server.makeBackend(for: settings) as? PostgresBackend)
        defer { backend.stop() }
        #expect(backend.serverName.hasPrefix("private PostgreSQL 1"))
        let (summary, _) = try await runDemo(settings, on: backend)
        #expect(summary.failures == [])
        backend.stop()
        await #expect(throws: (any Error).self) { try await backend.openControlConnection() }
    }

    @Test("leaves no table on a PostgreSQL server")
    func table() async throws {
        let settings = try shortSettings(ServerKind.postgres.choice())
        let backend = try #require(try await settings.server.makeBackend(for: settings) as? PostgresBackend)
        let count = "SELECT count(*) FROM pg_class WHERE relname = '\(backend.table.name)'"
        let control = try await backend.openControlConnection()
        try await control.prepare()
        #expect(try sharedPostgres().execute(count) == "1")
        try await control.removeValues(ofTasks: 1)
        await control.close()
        let (summary, _) = try await runDemo(settings, on: backend)
        #expect(summary.failures == [])
        #expect(try sharedPostgres().execute(count) == "0")
    }

    @Test("needs room for the burst limit on a PostgreSQL server")
    func room() async throws {
        let settings = try shortSettings(ServerKind.postgres.choice(), burstLimit: 1_000)
        let failure = await #expect(throws: DemoFailure.self) { try await settings.server.makeBackend(for: settings) }
        #expect(failure?.description.contains("Choose a lower --burst-limit") == true)
    }

    /// Each fault, and the checks that must find it.
    private static let faults: [(fault: Fault, checks: Set<String>)] = [
        (.sharesValues, ["every reply was correct"]),
        (.losesValues, ["the server has the values that the tasks wrote"]),
        (
            .leaksConnections,
            ["the server has no connection of the pool left", "the pool, the strategy and the server agree"]
        ),
        (.hangs, ["every task finished"]),
        (.deniesKills, ["only killed connections caused errors"]),
    ]

    @Test("finds a fault", arguments: ServerKind.allCases, faults)
    func fault(kind: ServerKind, expected: (fault: Fault, checks: Set<String>)) async throws {
        let isFound = try await run(kind, chaos: expected.fault == .deniesKills) { settings in
            let backend = try await settings.server.makeBackend(for: settings)
            let (summary, _) = try await runDemo(settings, with: expected.fault, on: backend)
            return expected.checks.isSubset(of: summary.checks.filter { !$0.passed }.map(\.name))
        }
        #expect(isFound)
    }
}
