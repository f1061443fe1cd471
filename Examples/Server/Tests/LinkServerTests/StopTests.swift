// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// The shutdown of the server.
    @Suite("Stopping", .timeLimit(.minutes(10)))
    struct StopTests {
        @Test("No accepted request is lost under load", arguments: [SIGTERM, SIGINT])
        func underLoad(signal: Int32) async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(
                    on: redis,
                    settings: [
                        "POOL_MAX_SIZE": "4", "POOL_ACQUIRE_TIMEOUT": "30s", "REDIS_TIMEOUT_MS": "30000",
                        "SHUTDOWN_DEADLINE_MS": "60000",
                    ]
                )
                var links: [TestLink] = []
                for number in 0..<20 {
                    links.append(try await TestLink.create(port: server.port, url: "http://example.org/\(number)"))
                }
                let stopped = Shared(ContinuousClock.now)
                let requests = try await Load.run(clients: 24, links: links, port: server.port, endsWhenRefused: true) {
                    load in
                    try await load.waitForMore(300)
                    stopped.value = .now
                    server.process.send(signal)
                    #expect(try await server.process.status() == 0)
                }
                // Every request was answered correctly or not accepted. None failed or was cut off.
                for request in requests {
                    switch request.outcome {
                    case .followed, .created: continue
                    case .refused,
                        .closedBeforeAnswer where request.ended > stopped.value:
                        continue
                    default: Issue.record("\(request.outcome)")
                    }
                }
                // Redis has counted exactly the uses that the clients saw. A use that was counted but not answered would be a loss.
                for (number, link) in links.enumerated() {
                    let count = try await redis.send("HGET", "link:\(link.code)", "count").integer
                    #expect(count == requests.count { $0.link == number && $0.outcome == .followed }, "link \(number)")
                }
                let created = links.count + requests.count(.created)
                #expect(try await redis.send("DBSIZE").integer == created)
                // The server has counted the same number of requests.
                let taken = created + requests.count(.followed)
                let said = server.process.output
                #expect(said.contains(#/answered=(\d+) connections=0 unanswered=0 .*stopped/#), "\(said)")
                #expect(said.firstMatch(of: #/answered=(\d+)/#).flatMap { Int($0.1) } == taken, "\(taken); \(said)")
            }
        }

        @Test("The last gauges that Datadog receives show an empty pool")
        func lastGauges() async throws {
            try await PrivateRedis.with { redis in
                try await Agent.with { agent in
                    let server = try await RunningServer(
                        on: redis,
                        settings: ["DD_DOGSTATSD_URL": "udp://127.0.0.1:\(agent.port)"]
                    )
                    _ = try await TestLink.create(port: server.port, url: "http://example.org/")
                    try await eventually("Datadog receives the number of connections") {
                        agent.totals.last?.contains(":1|g") == true
                    }
                    server.process.send(SIGTERM)
                    #expect(try await server.process.status() == 0)
                    try await eventually("Datadog receives an empty pool") {
                        agent.totals.last?.contains(":0|g") == true
                    }
                }
            }
        }

        @Test("The connections to Redis are closed when the server ends")
        func connectionsClosed() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis)
                _ = try await TestLink.create(port: server.port, url: "http://example.org/")
                #expect(try await redis.send("CLIENT", "LIST").string?.contains("name=link-server") == true)
                server.process.send(SIGTERM)
                #expect(try await server.process.status() == 0)
                #expect(try await redis.send("CLIENT", "LIST").string?.contains("name=link-server") == false)
            }
        }

        @Test("A client that never completes its request delays the shutdown until the deadline")
        func halfRequest() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis, settings: ["SHUTDOWN_DEADLINE": "500ms"])
                try await HTTPConnection.with(port: server.port) { connection in
                    _ = try await connection.send(.get, "/health")
                    try await connection.sendHalf()
                    try await Task.sleep(for: .milliseconds(200))
                    let began = ContinuousClock.now
                    server.process.send(SIGTERM)
                    #expect(try await server.process.status() == 0)
                    #expect(ContinuousClock.now - began > .milliseconds(400))
                    // Without the deadline it would be a minute, the server's limit for inactive connections.
                    #expect(ContinuousClock.now - began < .seconds(30))
                }
            }
        }

        @Test("The event stream of the page ends properly at once")
        func events() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis)
                let isComplete = try await HTTPConnection.with(port: server.port) { connection in
                    var hasAsked = false
                    return try await connection.stream("/pool/events") { _ in
                        if !hasAsked { server.process.send(SIGTERM) }
                        hasAsked = true
                        return true
                    }
                }
                #expect(isComplete)
                #expect(try await server.process.status() == 0)
            }
        }
    }
}

extension Agent {
    /// The received messages with the number of connections.
    fileprivate var totals: [Substring] {
        text.split(separator: "\n").filter { $0.contains(".total_connections:") }
    }
}
