// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import ServerTestSupport
import Synchronization
import Testing

@testable import LinkService

/// A link store on any database.
protocol TestedStore: Sendable {
    var makeCode: @Sendable () -> LinkCode { get set }
    func create(_ address: LinkAddress) async throws -> Link
    func follow(_ code: LinkCode) async throws -> String?
    func find(_ code: LinkCode) async throws -> Link?
}

extension LinkStore: TestedStore {}

/// A number that several tasks share.
private final class Counter: Sendable {
    let value = Mutex(0)
}

@Suite("The link store", .timeLimit(.minutes(5)))
struct LinkStoreTests {
    /// Runs a body with an empty store on a private database.
    func withStore(
        on database: TestDatabase,
        _ body: (any TestedStore, any PrivateDatabase) async throws -> Void
    ) async throws {
        switch database {
        case .redis:
            try await withService { service, redis in
                try await body(LinkStore(database: service.database, readers: service.readers), redis)
            }
        case .postgres:
            try await withPostgresService { service, postgres in
                try await body(LinkStore(database: service.database, readers: service.readers), postgres)
            }
        }
    }

    @Test("A code that is in use is not given to another link", arguments: TestDatabase.allCases)
    func taken(database: TestDatabase) async throws {
        try await withStore(on: database) { store, _ in
            let (taken, free) = (LinkCode.random(), LinkCode.random())
            let codes = Mutex([taken, taken, free])
            var store = store
            store.makeCode = { codes.withLock { $0.removeFirst() } }
            let first = try await store.create(try LinkAddress("http://example.org/1"))
            _ = try await store.follow(first.code)
            let second = try await store.create(try LinkAddress("http://example.org/2"))
            #expect(first.code == taken)
            #expect(second.code == free)
            #expect(try await store.find(taken) == Link(code: taken, url: first.url, created: first.created, count: 1))
        }
    }

    @Test("Only one of many concurrent callers gets a code", arguments: TestDatabase.allCases)
    func contended(database: TestDatabase) async throws {
        try await withStore(on: database) { store, _ in
            let code = LinkCode.random()
            var store = store
            store.makeCode = { code }
            let winners = await withTaskGroup(of: Link?.self) { [store] group in
                for number in 0..<100 {
                    group.addTask { try? await store.create(try LinkAddress("http://example.org/\(number)")) }
                }
                return await group.reduce(into: [Link]()) { if let link = $1 { $0.append(link) } }
            }
            #expect(winners.count == 1)
            let link = try await store.find(code)
            #expect(link == winners.first)
        }
    }

    @Test("Concurrent uses are all counted", arguments: TestDatabase.allCases)
    func counted(database: TestDatabase) async throws {
        try await withStore(on: database) { store, _ in
            let link = try await store.create(try LinkAddress("http://example.org/"))
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<1000 { group.addTask { try await store.follow(link.code) } }
                for try await url in group { #expect(url == link.url) }
            }
            #expect(try await store.find(link.code)?.count == 1000)
        }
    }

    @Test("Creating a link fails without a change if no code is free", arguments: TestDatabase.allCases)
    func exhausted(database: TestDatabase) async throws {
        try await withStore(on: database) { store, database in
            let code = LinkCode.random()
            var store = store
            store.makeCode = { code }
            _ = try await store.create(try LinkAddress("http://example.org/1"))
            await #expect(throws: NoFreeCode.self) { try await store.create(try LinkAddress("http://example.org/2")) }
            #expect(try await store.find(code)?.url == "http://example.org/1")
            #expect(try await database.linkCount() == 1)
        }
    }

    @Test("Servers that start at the same time on an empty PostgreSQL create its table together, without an error")
    func tableCreated() async throws {
        try await PrivatePostgres.with { postgres in
            let count = 32
            let connected = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        let connection = try await PostgresConnectionStrategy(url: postgres.url).makeConnection()
                        connected.value.withLock { $0 += 1 }
                        try await eventually("all are connected") { connected.value.withLock { $0 } == count }
                        try await connection.checkLinks()
                        await connection.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await postgres.query("SELECT to_regclass('links') IS NOT NULL").only()[0, as: Bool.self])
        }
    }

    @Test("The table is created again if it is lost while the service runs")
    func tableLost() async throws {
        try await withPostgresService({ $0.pool.maxSize = 1 }) { service, postgres in
            let store = LinkStore(database: service.database, readers: service.readers)
            let lost = try await store.create(try LinkAddress("http://example.org/1"))
            #expect(try await store.follow(lost.code) == lost.url)
            try await postgres.query("DROP TABLE links")
            // On the same connection, which has prepared the statements for the old table.
            #expect(try await store.follow(lost.code) == nil)
            let link = try await store.create(try LinkAddress("http://example.org/2"))
            #expect(try await store.find(link.code) == link)
        }
    }

    @Test("Random codes are valid, and 10,000 of them differ")
    func random() {
        let codes = (0..<10_000).map { _ in LinkCode.random() }
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { LinkCode($0.text) == $0 })
    }
}
