// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolDatadog
import BurstPoolRedis
import CoreMetrics
import HTTPTypes
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("Metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
    /// A parsed text of Prometheus: values by name and labels, and types and descriptions by name.
    struct Exposition {
        var values: [String: Double] = [:]
        var types: [String: String] = [:]
        var help: [String: String] = [:]

        init(_ text: String) throws {
            #expect(text.isEmpty || text.hasSuffix("\n"))
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                if line.hasPrefix("# TYPE ") {
                    #expect(types.updateValue(words[3], forKey: words[2]) == nil, "\(words[2]) has two types")
                } else if line.hasPrefix("# HELP ") {
                    #expect(help.updateValue(words[3], forKey: words[2]) == nil, "\(words[2]) has two descriptions")
                } else {
                    let end = try #require(line.lastIndex(of: " "))
                    let value: Double = try #require(Double(line[line.index(after: end)...]))
                    #expect(values.updateValue(value, forKey: String(line[..<end])) == nil)
                }
            }
            #expect(Set(types.keys) == Set(help.keys))
        }
    }

    private func exposition(_ client: Client) async throws -> Exposition {
        let answer = try await client.get("/metrics")
        #expect(answer.status == .ok)
        #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        return try Exposition(answer.body)
    }

    private let pool = "db_client_connection_pool_name=\"redis\""

    @Test("The pool's state and limits have OpenTelemetry's names")
    func gauges() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.maxSize = 3
            settings.pool.burstLimit = 7
        }
        try await withClient(change) { client, service, _ in
            let first = try await service.database.pool.acquire()
            let second = try await service.database.pool.acquire()
            try await service.database.pool.withConnection { _ in }
            let used = "db_client_connections{\(pool),db_client_connection_state=\"used\"}"
            let idle = "db_client_connections{\(pool),db_client_connection_state=\"idle\"}"
            try await eventually("the gauges are refreshed") {
                let text = try await exposition(client)
                return text.values[used] == 2 && text.values[idle] == 1
            }
            let text = try await exposition(client)
            #expect(text.values["db_client_connection_max{\(pool)}"] == 7)
            #expect(text.values["db_client_connection_idle_max{\(pool)}"] == 3)
            #expect(text.values["db_client_connection_pending_requests{\(pool)}"] == 0)
            #expect(text.types["db_client_connections"] == "gauge")
            #expect(text.types["db_client_connection_timeouts_total"] == "counter")
            first.release()
            second.release()
        }
    }

    @Test("Durations are histograms, and the wait time includes acquires that did not wait")
    func histograms() async throws {
        try await withClient { client, service, _ in
            for _ in 0..<10 { try await service.database.pool.withConnection { _ in } }
            let wait = "db_client_connection_wait_time_seconds"
            try await eventually("the waits are recorded") {
                try await exposition(client).values["\(wait)_count{\(pool)}"] == 10
            }
            let text = try await exposition(client)
            for name in ["create_time", "wait_time"] {
                #expect(text.types["db_client_connection_\(name)_seconds"] == "histogram")
            }
            #expect(text.values["\(wait)_bucket{\(pool),le=\"0.0001\"}"] ?? 0 >= 9)
            #expect(text.values["\(wait)_bucket{\(pool),le=\"+Inf\"}"] == 10)
            #expect(text.values["\(wait)_sum{\(pool)}"] ?? 0 > 0)
            #expect(text.values["db_client_connection_create_time_seconds_count{\(pool)}"] == 1)
        }
    }

    @Test("Requests are counted and timed by route, method and status, and a client cannot create label values")
    func requests() async throws {
        try await withClient { client, _, redis in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            for _ in 1...3 { _ = try await client.get("/\(link.code)") }
            for _ in 1...2 { _ = try await client.get("/abcdefgh") }
            _ = try await client.execute(HTTPRequest.Method("PROPFIND")!, "/coffee/\(link.code)/pot")
            await redis.kill()
            _ = try await client.get("/\(link.code)")
            let text = try await exposition(client)
            func count(_ method: String, _ status: Int) -> Double {
                text.values.filter {
                    $0.key.hasPrefix("http_server_request_duration_seconds_count{")
                        && $0.key.contains("method=\"\(method)\"") && $0.key.contains("\"\(status)\"")
                }.values.reduce(0, +)
            }
            #expect(count("POST", 201) == 1)
            #expect(count("GET", 302) == 3)
            #expect(count("GET", 404) == 2)
            #expect(count("GET", 503) == 1)
            #expect(count("_OTHER", 404) == 1)
            #expect(
                text.values.keys.allSatisfy {
                    !$0.contains("PROPFIND") && !$0.contains("pot") && !$0.contains(link.code)
                }
            )
            #expect(text.types["http_server_request_duration_seconds"] == "histogram")
            #expect(text.values["http_server_active_requests"] == 1)
        }
    }

    @Test("Statements of PostgreSQL are counted and timed by operation")
    func statements() async throws {
        try await withPostgresService { service, _ in
            try await service.serving { port in
                let client = Client(port: port)
                let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
                for _ in 1...3 { _ = try await client.get("/\(link.code)") }
                let text = try await exposition(client)
                func count(_ labels: String...) -> Double? {
                    text.values.first { name, _ in
                        name.hasPrefix("db_client_operation_duration_seconds_count{")
                            && labels.allSatisfy { name.contains($0) }
                    }?.value
                }
                #expect(count("db_operation_name=\"UPDATE\"") == 3)
                // The first statement finds no table.
                #expect(count("db_operation_name=\"INSERT\"", "error_type=\"42P01\"") == 1)
                #expect(text.types["db_client_operation_duration_seconds"] == "histogram")
                #expect(text.values["db_client_connection_max{db_client_connection_pool_name=\"postgres\"}"] == 32)
            }
        }
    }

    @Test("Labels and descriptions are escaped")
    func escaping() throws {
        let metrics = ScrapedMetrics()
        Counter(label: "a-b.c", dimensions: [("d.e", "f\"g\\h\ni")], factory: metrics).increment(by: 2)
        Meter(label: "m", factory: metrics).set(0.5)
        Recorder(label: "r", factory: metrics).record(1.5)
        Recorder(label: "r", factory: metrics).record(Double.nan)
        // The label already has another type.
        Meter(label: "a-b.c", factory: metrics).set(7)
        let text = PrometheusText.text(of: metrics.families)
        #expect(
            text.hasPrefix(
                """
                # HELP a_b_c_total The swift-metrics metric a-b.c.
                # TYPE a_b_c_total counter
                a_b_c_total{d_e="f\\"g\\\\h\\ni"} 2
                # HELP m The swift-metrics metric m.
                # TYPE m gauge
                m 0.5
                # HELP r The swift-metrics metric r.
                # TYPE r histogram
                r_bucket{le="1"} 0
                r_bucket{le="2"} 1

                """
            )
        )
        #expect(text.hasSuffix("r_bucket{le=\"+Inf\"} 1\nr_sum 1.5\nr_count 1\n"))
    }

    @Test("promtool has no complaint about the metrics", .enabled(if: Promtool.isInstalled))
    func promtool() async throws {
        try await withClient { client, service, _ in
            try await service.database.pool.withConnection { _ in }
            _ = try await client.createLink(to: "http://example.org/")
            _ = try await client.get("/abcdefgh")
            let text = try await client.get("/metrics").body
            #expect(try await Promtool.check(text) == "")
        }
    }

    @Test("Datadog receives the pool under the names of the Python package")
    func datadog() async throws {
        try await Agent.with { agent in
            var configuration = DogStatsDConfiguration(address: .udp(host: "127.0.0.1", port: agent.port))
            configuration.flushInterval = .milliseconds(50)
            let client = try DogStatsDClient(configuration: configuration)
            try await withService(datadog: client) { service, _ in
                try await service.database.pool.withConnection { _ in }
                let wanted = [
                    "total_connections:1|g|#pool:redis", "available_connections:1|g|#pool:redis",
                    "getting_connection:1|c|#pool:redis,method:new",
                ]
                try await eventually("all metrics have arrived") {
                    let text = agent.text
                    return wanted.allSatisfy { text.contains("link_server.pool.\($0)") }
                }
            }
            await client.shutdown()
        }
    }
}
