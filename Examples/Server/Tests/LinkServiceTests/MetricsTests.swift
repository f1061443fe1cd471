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
    /// What a text of Prometheus says: values by name and labels, and the types by name.
    struct Exposition {
        var values: [String: Double] = [:]
        var types: [String: String] = [:]

        init(_ text: String) throws {
            #expect(text.isEmpty || text.hasSuffix("\n"))
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                if line.hasPrefix("# TYPE ") {
                    // Once for each name, before its values.
                    #expect(types.updateValue(words[3], forKey: words[2]) == nil)
                } else {
                    try #require(words.count == 2)
                    let value: Double = try #require(Double(words[1]))
                    #expect(values.updateValue(value, forKey: words[0]) == nil)
                }
            }
        }
    }

    private func exposition(_ client: Client) async throws -> Exposition {
        let answer = try await client.get("/metrics")
        #expect(answer.status == .ok)
        #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        return try Exposition(answer.body)
    }

    @Test("The pool's state, limits and times are told by the names of OpenTelemetry")
    func pool() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.maxSize = 3
            settings.pool.burstLimit = 7
        }
        try await withClient(change) { client, service, _ in
            let first = try await service.redis.pool.acquire(timeout: nil)
            let second = try await service.redis.pool.acquire(timeout: nil)
            try await service.redis.pool.withConnection { _ in }
            let pool = "db_client_connection_pool_name=\"redis\""
            let used = "db_client_connection_count{\(pool),db_client_connection_state=\"used\"}"
            let idle = "db_client_connection_count{\(pool),db_client_connection_state=\"idle\"}"
            try await eventually("the gauges are refreshed") {
                let text = try await exposition(client)
                return text.values[used] == 2 && text.values[idle] == 1
            }
            let text = try await exposition(client)
            #expect(text.values["db_client_connection_max{\(pool)}"] == 7)
            #expect(text.values["db_client_connection_idle_max{\(pool)}"] == 3)
            #expect(text.values["db_client_connection_pending_requests{\(pool)}"] == 0)
            #expect(text.values["db_client_connection_create_time_seconds_count{\(pool)}"] == 3)
            #expect(text.values["db_client_connection_create_time_seconds_sum{\(pool)}"] ?? 0 > 0)
            #expect(text.types["db_client_connection_count"] == "gauge")
            #expect(text.types["db_client_connection_timeouts_total"] == "counter")
            #expect(text.types["db_client_connection_create_time_seconds"] == "summary")
            first.release()
            second.release()
        }
    }

    @Test("Requests are counted by route and status")
    func requests() async throws {
        try await withClient { client, _, redis in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            for _ in 1...3 { _ = try await client.get("/\(link.code)") }
            for _ in 1...2 { _ = try await client.get("/abcdefgh") }
            await redis.kill()
            _ = try await client.get("/\(link.code)")
            func count(_ text: Exposition, _ method: String, _ status: Int) -> Double {
                text.values.filter {
                    $0.key.hasPrefix("hb_requests_total{") && $0.key.contains("\"\(method)\"")
                        && $0.key.contains("\"\(status)\"")
                }.values.reduce(0, +)
            }
            // An answer is counted when it has been written: the client may have it before.
            try await eventually("all are counted") {
                let text = try await exposition(client)
                return count(text, "POST", 201) == 1 && count(text, "GET", 302) == 3 && count(text, "GET", 404) == 2
                    && count(text, "GET", 503) == 1
            }
            let text = try await exposition(client)
            #expect(text.types["hb_requests_total"] == "counter")
            #expect(text.types["http_server_active_requests"] == "gauge")
            #expect(text.types["http_server_request_duration_seconds"] == "summary")
        }
    }

    @Test("What Prometheus would misread is escaped")
    func escaping() throws {
        let metrics = ScrapedMetrics()
        Counter(label: "a-b.c", dimensions: [("d.e", "f\"g\\h\ni")], factory: metrics).increment(by: 2)
        Meter(label: "m", factory: metrics).set(0.5)
        Recorder(label: "r", factory: metrics).record(1.5)
        Recorder(label: "r", factory: metrics).record(Double.nan)
        #expect(
            PrometheusText.text(of: metrics.all) == """
                # TYPE a_b_c_total counter
                a_b_c_total{d_e="f\\"g\\\\h\\ni"} 2
                # TYPE m gauge
                m 0.5
                # TYPE r summary
                r_sum 1.5
                r_count 1

                """
        )
    }

    @Test("Datadog is sent the pool by the names of the Python package, and what swift-metrics has")
    func datadog() async throws {
        try await Agent.with { agent in
            var configuration = DogStatsDConfiguration(address: .udp(host: "127.0.0.1", port: agent.port))
            configuration.flushInterval = .milliseconds(50)
            let client = try DogStatsDClient(configuration: configuration)
            try await withService(datadog: client) { service, _ in
                try await service.redis.pool.withConnection { _ in }
                let wanted = [
                    "total_connections:1|g", "available_connections:1|g", "getting_connection:1|c|#method:new",
                ]
                try await eventually("all is sent") {
                    let text = agent.text
                    return wanted.allSatisfy { text.contains("link_server.pool.\($0)") }
                }
            }
            await client.shutdown()
        }
    }
}
