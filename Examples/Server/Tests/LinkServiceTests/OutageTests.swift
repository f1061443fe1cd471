// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolRedis
import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

@testable import LinkService

/// The responses to requests while the database or the pool is not available.
@Suite("Outages", .timeLimit(.minutes(5)))
struct OutageTests {
    struct Readiness: Decodable {
        let ready: Bool
        let reasons: [String]
        let pools: [String: PoolState]
    }

    static func expectUnavailable(_ answer: Answer) throws {
        #expect(answer.status == .serviceUnavailable)
        #expect(answer.headers[.retryAfter] == "1")
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(try answer.decode(ProblemBody.self).status == 503)
    }

    @Test(
        "While the database is down, requests fail with 503. The service recovers as soon as the database is back",
        arguments: TestDatabase.allCases
    )
    func dead(database: TestDatabase) async throws {
        try await withClient(on: database, { $0.pool.acquireTimeout = .seconds(1) }) { client, database in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            await database.kill()
            for _ in 1...3 {
                try Self.expectUnavailable(try await client.get("/\(link.code)"))
                try Self.expectUnavailable(try await client.get("/links/\(link.code)"))
                try Self.expectUnavailable(try await client.createLink(to: "http://example.org/"))
            }
            try await database.start()
            #expect(try await client.get("/\(link.code)").status == .found)
            #expect(try await database.count(of: link.code) == 1)
        }
    }

    @Test(
        "A process without its database is alive and not ready, and gives the reason",
        arguments: TestDatabase.allCases
    )
    func notReady(database: TestDatabase) async throws {
        try await withClient(on: database, { $0.pool.acquireTimeout = .seconds(1) }) { client, database in
            let before = try await client.get("/ready")
            #expect(before.status == .ok)
            let readiness = try before.decode(Readiness.self)
            #expect(readiness.ready)
            #expect(readiness.reasons == [])
            #expect(readiness.pools.values.allSatisfy { $0.total == 1 })
            await database.kill()
            let after = try await client.get("/ready")
            #expect(after.status == .serviceUnavailable)
            #expect(try after.decode(Readiness.self).ready == false)
            // One reason for each pool that leads to the database.
            #expect(try after.decode(Readiness.self).reasons.count == readiness.pools.count)
            #expect(try await client.get("/health").status == .ok)
            try await database.start()
            try await eventually("the service is ready again") { try await client.get("/ready").status == .ok }
        }
    }

    @Test("A request that times out while all connections are busy fails with 503")
    func saturated() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.maxSize = 1
            settings.pool.burstLimit = 1
            settings.pool.acquireTimeout = .milliseconds(50)
        }
        try await withClient(change) { client, service, _ in
            let lease = try await service.database.pool.acquire(timeout: .seconds(10))
            try Self.expectUnavailable(try await client.get("/abcdefgh"))
            // Busy connections are not an outage, so the service stays ready.
            #expect(try await client.get("/ready").status == .ok)
            #expect(service.database.reachability.isReachable)
            lease.release()
            #expect(try await client.get("/abcdefgh").status == .notFound)
        }
    }

    @Test("While the pool is saturated for seconds, the service stays ready at every moment")
    func saturatedForSeconds() async throws {
        let change: (inout Settings) -> Void = { settings in
            settings.pool.maxSize = 1
            settings.pool.burstLimit = 1
        }
        try await withClient(change) { client, service, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        while !Task.isCancelled { _ = try await service.database.use { try await $0.send("PING") } }
                    }
                }
                try await eventually("callers wait") { service.database.pool.statistics.waiting > 8 }
                let end = ContinuousClock.now + .seconds(3)
                while ContinuousClock.now < end {
                    #expect(try await client.get("/ready").status == .ok)
                }
                group.cancelAll()
                while await group.nextResult() != nil {}
            }
            #expect(try await client.get("/\(link.code)").status == .found)
        }
    }

    @Test("The text at /pool/leases says where a connection was acquired")
    func leases() async throws {
        try await withClient { client, service, _ in
            let line = #line + 1
            let lease = try await service.database.pool.acquire()
            let text = try await client.get("/pool/leases").body
            #expect(text.contains("Pool \"redis\": healthy."))
            #expect(text.contains("OutageTests.swift:\(line)"))
            lease.release()
        }
    }

    @Test("A Redis that does not answer commands is an outage")
    func silent() async throws {
        try await withClient({ $0.redis.commandTimeout = .seconds(2) }) { client, _, redis in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            try await redis.send("CLIENT", "PAUSE", "60000", "ALL")
            try Self.expectUnavailable(try await client.get("/\(link.code)"))
        }
    }

    @Test("A full Redis is an outage for writes and not for reads")
    func full() async throws {
        try await withClient { client, _, redis in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            try await redis.send("CONFIG", "SET", "maxmemory", "1")
            try Self.expectUnavailable(try await client.createLink(to: "http://example.org/"))
            #expect(try await client.get("/links/\(link.code)").status == .ok)
        }
    }

    @Test("A PostgreSQL that does not complete a statement in time is an outage")
    func blocked() async throws {
        try await withPostgresService({ $0.postgres?.queryTimeout = .seconds(1) }) { service, postgres in
            try await service.serving { port in
                let client = Client(port: port)
                let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
                let other = try await PostgresConnectionStrategy(url: postgres.url).makeConnection()
                try await other.executeScript("BEGIN; LOCK TABLE links")
                try Self.expectUnavailable(try await client.get("/\(link.code)"))
                #expect(!service.database.reachability.isReachable)
                await other.close()
                #expect(try await client.get("/\(link.code)").status == .found)
            }
        }
    }

    @Test("A PostgreSQL that is read-only is an outage for writes and not for reads")
    func readOnly() async throws {
        try await withPostgresService { service, postgres in
            try await service.serving { port in
                let client = Client(port: port)
                let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
                // For new connections, so the service needs one.
                try await postgres.query("ALTER DATABASE postgres SET default_transaction_read_only = on")
                service.database.pool.evictAll()
                try Self.expectUnavailable(try await client.createLink(to: "http://example.org/"))
                #expect(try await client.get("/links/\(link.code)").status == .ok)
            }
        }
    }

    @Test("A value of another type at the key of a link is an internal error without details")
    func corrupt() async throws {
        try await withClient { client, service, redis in
            try await redis.send("SET", "link:abcdefgh", "secret")
            let answer = try await client.get("/abcdefgh")
            #expect(answer.status == .internalServerError)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(!answer.body.contains("secret"))
            #expect(!answer.body.contains("WRONGTYPE"))
            #expect(service.database.reachability.isReachable)
        }
    }

    @Test("After the shutdown of the pool, requests fail with 503")
    func shutDown() async throws {
        try await withClient { client, service, _ in
            await service.database.pool.shutdown()
            try Self.expectUnavailable(try await client.createLink(to: "http://example.org/"))
            let answer = try await client.get("/ready")
            #expect(answer.status == .serviceUnavailable)
            #expect(try answer.decode(Readiness.self).reasons.first?.contains("shut down") == true)
        }
    }
}
