import BurstPool
import Foundation
import HTTPTypes
import NIOCore
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("The events of the pool", .timeLimit(.minutes(5)))
struct PoolEventsTests {
    /// Runs the service with its sampler on a port of loopback.
    func withServer(_ body: @escaping @Sendable (Int, LinkService) async throws -> Void) async throws {
        try await withService { service, _ in
            let sampling = Task { await service.sampler.run() }
            defer { sampling.cancel() }
            try await service.serving { port in try await body(port, service) }
        }
    }

    /// The samples that a viewer is told, until it has had enough.
    func samples(
        port: Int,
        until enough: @escaping @Sendable ([PoolSample]) -> Bool
    ) async throws -> (samples: [PoolSample], text: String) {
        try await HTTPConnection.with(port: port) { connection in
            var text = ""
            var samples: [PoolSample] = []
            _ = try await connection.stream("/pool/events") { part in
                text += part
                samples = try text.components(separatedBy: "\n\n").dropLast().compactMap { event in
                    guard let data = event.split(separator: "\n").first(where: { $0.hasPrefix("data: ") }) else {
                        return nil
                    }
                    return try JSONDecoder().decode(PoolSample.self, from: Data(data.dropFirst(6).utf8))
                }
                return !enough(samples)
            }
            return (samples, text)
        }
    }

    @Test("A viewer is told several samples a second, which say what the pool does")
    func told() async throws {
        try await withServer { port, service in
            let lease = try await service.redis.pool.acquire(timeout: nil)
            let (samples, text) = try await samples(port: port) { $0.count >= 10 && $0.last?.pool.inUse == 1 }
            #expect(text.hasPrefix("retry: 500\n\n"))
            let last = try #require(samples.last)
            #expect(last.pool == PoolState(service.redis.pool.statistics))
            #expect(last.peak.inUse == 1)
            #expect(last.redisAnswers)
            for (earlier, later) in zip(samples, samples.dropFirst()) { #expect(earlier.time < later.time) }
            lease.release()
        }
    }

    @Test("All viewers are told the same samples, and who comes later those of before")
    func shared() async throws {
        try await withServer { port, service in
            async let first = samples(port: port) { $0.count >= 12 }
            try await eventually("the first viewer is there") { service.sampler.viewerCount == 1 }
            try await Task.sleep(for: .milliseconds(500))
            let second = try await samples(port: port) { $0.count >= 12 }.samples
            let both = Set(try await first.samples.map(\.time)).intersection(second.map(\.time))
            // The second came half a second later, and has seen what was there before.
            #expect(both.count >= 10)
        }
    }

    @Test("A viewer that comes back is told only what it has missed")
    func resumed() async throws {
        try await withServer { port, service in
            let seen = try await samples(port: port) { $0.count >= 5 }.samples
            let viewing = service.sampler.view(since: seen[3].time)
            var times: [String] = []
            for await event in viewing.events.prefix(2) { times.append(String(buffer: event)) }
            #expect(times[0].hasPrefix("id: \(seen[4].time)\n"))
            viewing.end()
        }
    }

    @Test("A viewer that leaves is forgotten")
    func left() async throws {
        try await withServer { port, service in
            _ = try await samples(port: port) { $0.count >= 2 }
            try await eventually("nobody views") { service.sampler.viewerCount == 0 }
        }
    }

    @Test("The events end when the sampler does, also for who comes too late")
    func ended() async throws {
        try await withService { service, _ in
            let sampling = Task { await service.sampler.run() }
            let viewing = service.sampler.view()
            sampling.cancel()
            for await _ in viewing.events {}
            for await _ in service.sampler.view().events {}
            #expect(service.sampler.viewerCount == 0)
        }
    }

    @Test("A sample has the greatest values and the averages of several looks")
    func looks() async throws {
        try await withService { service, _ in
            var looks = PoolLooks()
            #expect(looks.mean == PoolMean())
            let first = try await service.redis.pool.acquire(timeout: nil)
            let second = try await service.redis.pool.acquire(timeout: nil)
            looks.note(service.redis.pool.statistics)
            first.release()
            looks.note(service.redis.pool.statistics)
            second.release()
            looks.note(service.redis.pool.statistics)
            looks.note(service.redis.pool.statistics)
            #expect(looks.peak == PoolPeak(total: 2, inUse: 2, waiting: 0))
            #expect(looks.mean == PoolMean(inUse: 0.75, idle: 1.25, changing: 0))
        }
    }

    @Test("The page is one file that needs nothing from elsewhere")
    func page() async throws {
        try await withClient { client, _, _ in
            let answer = try await client.get("/pool")
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            let text = answer.body
            #expect(text.hasPrefix("<!doctype html>"))
            #expect(!text.contains("src=\"http"))
            #expect(!text.contains("@import"))
            #expect(try await client.get("/").headers[.location] == "/pool")
        }
    }
}
