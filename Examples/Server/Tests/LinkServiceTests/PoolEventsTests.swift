// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import Foundation
import HTTPTypes
import NIOCore
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("The samples of the page", .timeLimit(.minutes(5)))
struct PoolEventsTests {
    /// Runs the service with its sampler on a free local port.
    func withServer(_ body: @escaping @Sendable (Int, LinkService<RedisConnectionStrategy>) async throws -> Void)
        async throws
    {
        try await withService { service, _ in
            let sampling = Task { await service.sampler.run() }
            defer { sampling.cancel() }
            try await service.serving { port in try await body(port, service) }
        }
    }

    /// Returns the samples that a viewer receives until it has enough of them.
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

    @Test("A viewer receives several samples a second")
    func told() async throws {
        try await withServer { port, service in
            let lease = try await service.database.pool.acquire()
            let (samples, text) = try await samples(port: port) {
                $0.count >= 10 && $0.last?.pools.first?.pool.inUse == 1
            }
            #expect(text.hasPrefix("retry: 500\n\n"))
            let last = try #require(samples.last)
            let pool = try #require(last.pools.first)
            #expect(last.pools.map(\.name) == ["redis", "redis-reads"])
            #expect(last.pools.map(\.isShared) == [false, true])
            #expect(pool.pool == PoolState(service.database.pool.statistics))
            #expect(pool.peak.inUse == 1)
            #expect(pool.system == "Redis")
            #expect(pool.answers)
            #expect(last.span == 200)
            for (earlier, later) in zip(samples, samples.dropFirst()) { #expect(earlier.time < later.time) }
            lease.release()
        }
    }

    @Test("All viewers receive the same samples, and a later viewer receives the earlier samples as well")
    func shared() async throws {
        try await withServer { port, service in
            async let first = samples(port: port) { $0.count >= 12 }
            try await eventually("the first viewer is there") { service.sampler.viewerCount == 1 }
            try await Task.sleep(for: .milliseconds(500))
            let second = try await samples(port: port) { $0.count >= 12 }.samples
            let both = Set(try await first.samples.map(\.time)).intersection(second.map(\.time))
            // The second viewer came half a second later and received the earlier samples.
            #expect(both.count >= 10)
        }
    }

    @Test("A returning viewer receives only the samples that it has missed")
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

    @Test("A viewer that leaves is removed")
    func left() async throws {
        try await withServer { port, service in
            _ = try await samples(port: port) { $0.count >= 2 }
            try await eventually("no viewer is left") { service.sampler.viewerCount == 0 }
        }
    }

    @Test("The events end with the sampler, even for viewers that come later")
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

    @Test("A period has the maximums and averages of several readings, and can be merged")
    func periods() async throws {
        try await withService { service, _ in
            var period = PoolPeriod()
            #expect(period.mean == PoolMean())
            let first = try await service.database.pool.acquire()
            let second = try await service.database.pool.acquire()
            period.note(service.database.pool.statistics)
            first.release()
            period.note(service.database.pool.statistics)
            second.release()
            var later = PoolPeriod()
            later.note(service.database.pool.statistics)
            later.note(service.database.pool.statistics)
            later.note(LatencyHistogram(), answers: false)
            period.merge(later)
            #expect(period.peak == PoolPeak(total: 2, inUse: 2, leasesInUse: 2, waiting: 0))
            #expect(period.mean == PoolMean(inUse: 0.75, idle: 1.25, opening: 0, closing: 0))
            #expect(!period.answers)
        }
    }

    @Test(
        "The page and its files need nothing from other servers",
        arguments: [
            ("/pool", "text/html; charset=utf-8"), ("/pool/pool.css", "text/css; charset=utf-8"),
            ("/pool/page.js", "text/javascript; charset=utf-8"), ("/pool/chart.js", "text/javascript; charset=utf-8"),
            ("/pool/samples.js", "text/javascript; charset=utf-8"),
        ]
    )
    func page(path: String, type: String) async throws {
        try await withClient { client, _, _ in
            let answer = try await client.get(path)
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == type)
            #expect(!answer.body.contains("src=\"http"))
            #expect(!answer.body.contains("@import"))
            #expect(!answer.body.contains("from \"http"))
            #expect(try await client.get("/").headers[.location] == "/pool")
        }
    }
}

@Suite("The history of samples")
struct SampleHistoryTests {
    private func event(_ time: Int) -> SampleHistory.Event {
        SampleHistory.Event(time: time, text: ByteBuffer(string: "\(time)"))
    }

    @Test("It keeps a minute of samples and an hour of coarse samples")
    func limits() {
        var history = SampleHistory()
        for time in 1...100_000 {
            history.add(event(time), isCoarse: false)
            if time % 25 == 0 { history.add(event(time), isCoarse: true) }
        }
        let events = history.events(after: 0)
        #expect(events.count == SampleHistory.fineLength + SampleHistory.coarseLength)
        #expect(events.first?.time == 100_000 - 25 * (SampleHistory.coarseLength - 1))
        #expect(events.last?.time == 100_000)
        #expect(history.events(after: 99_990).map(\.time) == [100_000] + Array(99_991...100_000))
    }
}

@Suite("The latency histogram")
struct LatencyHistogramTests {
    @Test("Quantiles are exact to 19 %")
    func quantiles() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for microseconds in 1...10_000 { histogram.add(.microseconds(microseconds)) }
        var other = LatencyHistogram()
        other.add(.seconds(1000))
        histogram.merge(other)
        #expect(histogram.count == 10_001)
        let (p50, p99) = (try #require(histogram.quantile(0.5)), try #require(histogram.quantile(0.99)))
        #expect((5.0...5.95).contains(p50))
        #expect((9.9...11.8).contains(p99))
        #expect(try #require(histogram.quantile(1)) > 60_000)
    }
}
