// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

@testable import LinkService

/// Links are read through connections that many requests share.
@Suite("Shared reads", .timeLimit(.minutes(5)))
struct SharedReadsTests {
    private typealias SharedPool = SharedConnectionPool<SharedRedisConnectionStrategy>

    /// At most one connection in each pool.
    private static let oneConnection: @Sendable (inout Settings) -> Void = { settings in
        settings.pool.maxSize = 1
        settings.pool.burstLimit = 1
        settings.pool.burstLinger = nil
        settings.pool.acquireTimeout = .milliseconds(250)
    }

    private static func pool(of service: LinkService<RedisConnectionStrategy>) throws -> SharedPool {
        try #require(service.readers.last?.pool as? SharedPool)
    }

    @Test("A read shares its connection with others, and needs none of the connections for writes")
    func shared() async throws {
        try await withClient(Self.oneConnection) { client, service, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            let pool = try Self.pool(of: service)
            let write = try await service.database.pool.acquire()
            let first = try await pool.acquire()
            let second = try await pool.acquire()
            #expect(try await client.get("/links/\(link.code)").decode(Description.self).url == link.url)
            #expect(try await client.execute(.head, "/\(link.code)").status == .found)
            #expect(pool.statistics.total == 1)
            // Writes wait for the only connection that is for them.
            try OutageTests.expectUnavailable(try await client.get("/\(link.code)"))
            try OutageTests.expectUnavailable(try await client.createLink(to: "http://example.org/"))
            first.release()
            second.release()
            write.release()
            #expect(try await client.get("/\(link.code)").status == .found)
        }
    }

    @Test("The setting makes reads use the pool of the writes")
    func exclusive() async throws {
        let change: (inout Settings) -> Void = { settings in
            Self.oneConnection(&settings)
            settings.sharesReads = false
        }
        try await withClient(change) { client, service, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            #expect(service.pools.databases.map(\.name) == ["redis"])
            let write = try await service.database.pool.acquire()
            try OutageTests.expectUnavailable(try await client.get("/links/\(link.code)"))
            write.release()
            #expect(try await client.get("/links/\(link.code)").status == .ok)
        }
    }

    @Test("Settings that are about a connection with a single holder apply to the other pool only")
    func settings() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.resetsConnections = true
            settings.pool.detectsNestedAcquires = true
        }
        try await withClient(change) { client, service, _ in
            #expect(service.database.pool.configuration.resetsConnections)
            let answer = try await client.get("/links/abcdefgh")
            #expect(answer.status == .notFound)
        }
    }

    @Test("The service is ready only if reads work too, and says which pool does not")
    func readiness() async throws {
        try await withClient { client, service, _ in
            #expect(try await client.get("/ready").status == .ok)
            await (try Self.pool(of: service)).shutdown()
            let answer = try await client.get("/ready")
            #expect(answer.status == .serviceUnavailable)
            let readiness = try answer.decode(OutageTests.Readiness.self)
            #expect(readiness.reasons.count == 1)
            #expect(readiness.reasons.first?.contains("redis-reads") == true)
            #expect(try await client.get("/health").body.contains("\"redis-reads\":\"shutDown\""))
        }
    }

    @Test("The metrics count leases, and the text at /pool/leases lists them")
    func observation() async throws {
        try await withClient { client, service, _ in
            let pool = try Self.pool(of: service)
            let first = try await pool.acquire()
            let line = #line + 1
            let second = try await pool.acquire()
            let name = "db_client_connection_pool_name=\"redis-reads\",db_client_connection_state=\"used\""
            try await eventually("the gauges are refreshed") {
                let metrics = try await client.get("/metrics").body
                return metrics.contains("db_client_connection_leases{\(name)} 2\n")
                    && metrics.contains("db_client_connections{\(name)} 1\n")
            }
            let text = try await client.get("/pool/leases").body
            #expect(text.contains("Pool \"redis-reads\": healthy."))
            #expect(text.contains("SharedReadsTests.swift:\(line)"))
            var period = PoolPeriod()
            period.note(pool.statistics)
            first.release()
            second.release()
            period.note(pool.statistics)
            #expect(period.peak == PoolPeak(total: 1, inUse: 1, leasesInUse: 2, waiting: 0))
        }
    }

    @Test("A replica is read through shared connections, and the primary is asked if it fails")
    func replica() async throws {
        try await PrivateRedis.with { replica in
            try await withService({ $0.replica = try? RedisConfiguration(url: replica.url) }) { service, _ in
                #expect(service.pools.databases.map(\.name) == ["redis", "redis-reads", "redis-replica"])
                let store = LinkStore(database: service.database, readers: service.readers)
                let link = try await store.create(try LinkAddress("http://example.org/"))
                // This server is no replica of the other one, so it never has the link.
                #expect(try await store.find(link.code) == link)
                #expect(service.readers.first?.pool.statistics.total == 1)
                await replica.kill()
                #expect(try await store.find(link.code) == link)
            }
        }
    }
}
