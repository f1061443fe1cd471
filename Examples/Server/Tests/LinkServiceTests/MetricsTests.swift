import BurstPool
import BurstPoolRedis
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("Metrics", .timeLimit(.minutes(1)))
struct MetricsTests {
    /// What a text of Prometheus says: values by name and labels, and the types by name.
    struct Exposition {
        var values: [String: Int] = [:]
        var types: [String: String] = [:]
        var explained: Set<String> = []

        init(_ text: String) throws {
            #expect(text.hasSuffix("\n"))
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                if line.hasPrefix("# HELP ") {
                    explained.insert(words[2])
                } else if line.hasPrefix("# TYPE ") {
                    types[words[2]] = words[3]
                } else {
                    try #require(words.count == 2)
                    let value: Int = try #require(Int(words[1]))
                    values[words[0]] = value
                }
            }
        }
    }

    @Test("The pool's state and limits are told by the names of OpenTelemetry")
    func pool() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.maxSize = 3
            settings.pool.burstLimit = 7
        }
        try await withClient(change) { client, service, _ in
            let first = try await service.redis.pool.acquire(timeout: nil)
            let second = try await service.redis.pool.acquire(timeout: nil)
            try await service.redis.pool.withConnection { _ in }
            let text = try Exposition(String(buffer: try await client.get("/metrics").body))
            #expect(text.values["db_client_connection_count{state=\"used\"}"] == 2)
            #expect(text.values["db_client_connection_count{state=\"idle\"}"] == 1)
            #expect(text.values["db_client_connection_max"] == 7)
            #expect(text.values["db_client_connection_idle_max"] == 3)
            #expect(text.values["db_client_connection_pending_requests"] == 0)
            #expect(text.types["db_client_connection_count"] == "gauge")
            first.release()
            second.release()
        }
    }

    @Test("Requests are counted by the class of their status")
    func requests() async throws {
        try await withClient { client, _, redis in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            for _ in 1...3 { _ = try await client.get("/\(link.code)") }
            for _ in 1...2 { _ = try await client.get("/abcdefgh") }
            await redis.kill()
            _ = try await client.get("/\(link.code)")
            let answer = try await client.get("/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let text = try Exposition(String(buffer: answer.body))
            #expect(text.values["http_server_requests_total{code=\"2xx\"}"] == 1)
            #expect(text.values["http_server_requests_total{code=\"3xx\"}"] == 3)
            #expect(text.values["http_server_requests_total{code=\"4xx\"}"] == 2)
            #expect(text.values["http_server_requests_total{code=\"5xx\"}"] == 1)
            #expect(text.values["http_server_requests_unavailable_total"] == 1)
            #expect(text.values["http_server_active_requests"] == 1)
            #expect(text.types["http_server_requests_total"] == "counter")
            #expect(text.explained == Set(text.types.keys))
        }
    }
}
