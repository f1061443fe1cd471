import BurstPoolRedis
import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// A load that is made, and counted, by a program that knows nothing of this service.
    @Suite("Under wrk", .timeLimit(.minutes(10)))  // A load of seconds, on machines that may be busy.
    struct WrkTests {
        private static let settings = [
            "POOL_MAX_SIZE": "4", "POOL_BURST_LIMIT": "12", "POOL_ACQUIRE_TIMEOUT": "30s", "REDIS_TIMEOUT_MS": "30000",
            "SHUTDOWN_DEADLINE_MS": "60000",
        ]

        @Test("Nothing fails, each use is counted, and the pool bursts, tells Datadog so, and shrinks again")
        func load() async throws {
            try await Agent.with { agent in
                try await PrivateRedis.with { redis in
                    let settings = Self.settings.merging(["DD_DOGSTATSD_URL": "udp://127.0.0.1:\(agent.port)"]) { $1 }
                    let server = try await RunningServer(redis: redis, settings: settings)
                    let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                    let connections = 48
                    let wrk = try await Wrk.run(connections: connections, seconds: 3, url: "\(server.url)/\(link.code)")
                    #expect(wrk.failures == 0)
                    #expect(wrk.errors == Wrk.SocketErrors())
                    #expect(wrk.answers > connections)

                    try await eventually("the pool has shrunk") { try await metric(server, "count", "idle") <= 4 }
                    #expect(try await metric(server, "max") == 12)
                    // More were opened than there may be without a burst.
                    #expect(try await metric(server, "create_time_seconds_count") > 4)
                    try await eventually("Datadog was told of the burst, and of its end") {
                        agent.text.contains("link_server pool using burst capacity")
                            && agent.text.contains("link_server pool no longer bursting")
                    }
                    server.process.send(SIGTERM)
                    #expect(try await server.process.status() == 0)
                    // When its time is up, wrk does not wait for the answers to what it has sent last.
                    let count = try #require(try await redis.send("HGET", "link:\(link.code)", "count").integer)
                    #expect((wrk.answers...wrk.answers + connections).contains(count))
                    // Also what was recorded last, and where an answer found nobody, none is counted.
                    let sent = agent.text.matches(of: #/(?m)^hb\.requests:(\d+)\|c\|.*status_code:302/#)
                    let answered = sent.compactMap { Int($0.1) }.reduce(0, +)
                    #expect((wrk.answers...count).contains(answered))
                }
            }
        }

        @Test("Stopped under load, it has answered exactly what it has counted, and wrk has all of the answers")
        func stop() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(redis: redis, settings: Self.settings)
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                let wrk = try await Wrk.run(connections: 48, seconds: 6, url: "\(server.url)/\(link.code)") {
                    try await eventually("the load is on") {
                        try await redis.send("HGET", "link:\(link.code)", "count").integer ?? 0 > 300
                    }
                    server.process.send(SIGTERM)
                    #expect(try await server.process.status() == 0)
                }
                #expect(wrk.failures == 0)
                #expect(wrk.errors.timeout == 0)
                let count = try await redis.send("HGET", "link:\(link.code)", "count").integer
                #expect(count == wrk.answers)
            }
        }

        /// The value of a metric of the pool, as Prometheus would fetch it.
        private func metric(_ server: RunningServer, _ name: String, _ state: String? = nil) async throws -> Double {
            let text = try await HTTPConnection.with(port: server.port) { try await $0.send(.get, "/metrics").body }
            let line = text.split(separator: "\n").first { line in
                line.hasPrefix("db_client_connection_\(name){") && state.map { line.contains("\"\($0)\"") } ?? true
            }
            return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
        }
    }
}
