// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// A load that an independent program creates and counts.
    @Suite("Under wrk", .timeLimit(.minutes(10)))
    struct WrkTests {
        private static let settings = [
            "POOL_MAX_SIZE": "4", "POOL_BURST_LIMIT": "12", "POOL_ACQUIRE_TIMEOUT": "30s", "REDIS_TIMEOUT": "30s",
            "SHUTDOWN_DEADLINE": "60s",
        ]

        @Test("No request fails, every use is counted, and the pool bursts, reports it to Datadog, and shrinks again")
        func load() async throws {
            try await Agent.with { agent in
                try await PrivateRedis.with { redis in
                    let settings = Self.settings.merging(["DD_DOGSTATSD_URL": "udp://127.0.0.1:\(agent.port)"]) { $1 }
                    let server = try await RunningServer(on: redis, settings: settings)
                    let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                    let connections = 48
                    let wrk = try await Wrk.run(connections: connections, seconds: 3, url: "\(server.url)/\(link.code)")
                    #expect(wrk.failures == 0)
                    #expect(wrk.errors == Wrk.SocketErrors())
                    #expect(wrk.answers > connections)

                    try await eventually("the pool has shrunk") { try await metric(server, "s", "idle") <= 4 }
                    #expect(try await metric(server, "_max") == 12)
                    // The pool has opened more connections than its soft limit.
                    #expect(try await metric(server, "_create_time_seconds_count") > 4)
                    try await eventually("Datadog has received the beginning and the end of the burst") {
                        agent.text.contains("link_server pool using burst capacity")
                            && agent.text.contains("link_server pool no longer bursting")
                    }
                    server.process.send(SIGTERM)
                    #expect(try await server.process.status() == 0)
                    // At its end, wrk does not wait for the responses to its last requests.
                    let count = try #require(try await redis.send("HGET", "link:\(link.code)", "count").integer)
                    #expect((wrk.answers...wrk.answers + connections).contains(count))
                }
            }
        }

        @Test("All reads share one connection, and none of them fails or waits")
        func reads() async throws {
            try await PrivateRedis.with { redis in
                let settings = Self.settings.merging(["POOL_MAX_SIZE": "1", "POOL_BURST_LIMIT": "1"]) { $1 }
                let server = try await RunningServer(on: redis, settings: settings)
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                let wrk = try await Wrk.run(
                    connections: 48,
                    seconds: 3,
                    url: "\(server.url)/links/\(link.code)"
                ) {
                    try await eventually("requests share the connection") {
                        try await metric(server, "_leases", "used", pool: "redis-reads") > 1
                    }
                    #expect(try await metric(server, "s", "used", pool: "redis-reads") == 1)
                }
                #expect(wrk.failures == 0)
                #expect(wrk.errors == Wrk.SocketErrors())
                #expect(wrk.answers > 48)
                #expect(try await metric(server, "_create_time_seconds_count", pool: "redis-reads") == 1)
                server.process.send(SIGTERM)
                #expect(try await server.process.status() == 0)
                #expect(server.process.output.contains("connections=0"))
            }
        }

        @Test("A server that is stopped under load has answered exactly the requests that it has counted")
        func stop() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis, settings: Self.settings)
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                let wrk = try await Wrk.run(connections: 48, seconds: 6, url: "\(server.url)/\(link.code)") {
                    try await eventually("the load has begun") {
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

        /// Returns the value of a metric of the pool at `/metrics`.
        private func metric(
            _ server: RunningServer,
            _ name: String,
            _ state: String? = nil,
            pool: String = "redis"
        ) async throws -> Double {
            let text = try await HTTPConnection.with(port: server.port) { try await $0.send(.get, "/metrics").body }
            let line = text.split(separator: "\n").first { line in
                line.hasPrefix("db_client_connection\(name){") && line.contains("\"\(pool)\"")
                    && state.map { line.contains("\"\($0)\"") } ?? true
            }
            return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
        }
    }
}
