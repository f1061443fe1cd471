// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// The server as a process. Its database is killed and started again under load.
    @Suite("An outage of the database", .timeLimit(.minutes(10)))
    struct OutageTests {
        /// The times of the outage.
        struct Outage {
            /// A time before the database was killed.
            var began = ContinuousClock.now
            /// The time at which the database had ended.
            var dead = ContinuousClock.now
            /// The time at which the database answered again.
            var back = ContinuousClock.now
        }

        @Test(
            "Requests fail only during the outage, and the service recovers within a second",
            arguments: TestDatabase.allCases
        )
        func outage(kind: TestDatabase) async throws {
            try await kind.with { database in
                // Long time limits, so that a busy machine does not look like an outage.
                let server = try await RunningServer(
                    on: database,
                    settings: ["POOL_MAX_SIZE": "4", "POOL_ACQUIRE_TIMEOUT": "30s", kind.timeoutVariable: "30s"]
                )
                var links: [TestLink] = []
                for number in 0..<20 {
                    links.append(try await TestLink.create(port: server.port, url: "http://example.org/\(number)"))
                }
                let shared = Shared(Outage())
                let requests = try await Load.run(clients: 24, links: links, port: server.port) { load in
                    try await load.waitForMore(300)
                    #expect(try await readiness(of: server) == 200)
                    shared.value.began = .now
                    // So that requests are in progress, and fail.
                    try await database.stall()
                    try await eventually("connections are in use") { try await connectionsInUse(of: server) > 0 }
                    await database.kill()
                    shared.value.dead = .now
                    try await eventually("the server is not ready") { try await readiness(of: server) == 503 }
                    #expect(try await status(of: server, "/health") == 200)
                    try await Task.sleep(for: .seconds(1))
                    try await database.start()
                    shared.value.back = .now
                    try await eventually("the server is ready") { try await readiness(of: server) == 200 }
                    try await load.waitForMore(300)
                    // The server is ready after the first reply, and logs the end of the outage when nothing has failed for a while.
                    try await eventually("the end of the outage is in the log") {
                        server.process.output.contains("\(kind) can be used again")
                    }
                }
                let outage = shared.value
                try judge(requests, outage)
                try await compareCounts(of: links, requests, database)
                #expect(server.process.output.contains("\(kind) cannot be used"))
                server.process.send(SIGTERM)
                #expect(try await server.process.status() == 0)
            }
        }

        private func judge(_ requests: [Load.Request], _ outage: Outage) throws {
            #expect(
                requests.allSatisfy { [.followed, .created, .unavailable].contains($0.outcome) },
                "\(requests.summary)"
            )
            let failed = requests.filter { $0.outcome == .unavailable }
            #expect(!failed.isEmpty)
            // Nothing fails before the outage.
            #expect(failed.allSatisfy { $0.ended > outage.began })
            // Requests that began after the end of the database succeeded with the restarted one.
            let recovered = try #require(
                requests.filter { $0.outcome == .followed && $0.began > outage.dead }.map(\.ended).min()
            )
            // On a slow machine the first successful request takes longer as well.
            let usual = requests.filter { $0.ended < outage.began }.map { $0.ended - $0.began }.max() ?? .zero
            #expect(recovered - outage.back <= .seconds(1) + usual)
            let late = failed.filter { $0.began > max(recovered, outage.back) }
            #expect(late.isEmpty, "\(late.count) requests failed that began after the recovery")
        }

        /// Compares the counts in the database with the responses. A failed request may or may not have been counted.
        private func compareCounts(
            of links: [TestLink],
            _ requests: [Load.Request],
            _ database: any PrivateDatabase
        ) async throws {
            for (number, link) in links.enumerated() {
                let count = try await database.count(of: link.code)
                let linkRequests = requests.filter { $0.link == number }
                let followed = linkRequests.count(.followed)
                #expect((followed...followed + linkRequests.count(.unavailable)).contains(count), "link \(number)")
            }
            let creations = requests.filter { $0.link == nil }
            let created = links.count + creations.count(.created)
            let stored = try await database.linkCount()
            #expect((created...created + creations.count(.unavailable)).contains(stored))
        }

        private func connectionsInUse(of server: RunningServer) async throws -> Int {
            let health = try await HTTPConnection.with(port: server.port) { try await $0.send(.get, "/health").body }
            return health.firstMatch(of: #/"inUse":(\d+)/#).flatMap { Int($0.1) } ?? 0
        }

        private func readiness(of server: RunningServer) async throws -> Int { try await status(of: server, "/ready") }
    }
}

/// Returns the status of the response for a path.
func status(of server: RunningServer, _ path: String) async throws -> Int {
    try await HTTPConnection.with(port: server.port) { try await $0.send(.get, path).status }
}
