// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import ServerTestSupport
import Synchronization
import Testing

@testable import LinkService

@Suite("The link store", .timeLimit(.minutes(5)))
struct LinkStoreTests {
    @Test("A code that is in use is not given to another link")
    func taken() async throws {
        try await withService { service, _ in
            let (taken, free) = (LinkCode.random(), LinkCode.random())
            let codes = Mutex([taken, taken, free])
            let store = LinkStore(redis: service.redis) { codes.withLock { $0.removeFirst() } }
            let first = try await store.create(try LinkAddress("http://example.org/1"))
            _ = try await store.follow(first.code)
            let second = try await store.create(try LinkAddress("http://example.org/2"))
            #expect(first.code == taken)
            #expect(second.code == free)
            #expect(try await store.find(taken) == Link(code: taken, url: first.url, created: first.created, count: 1))
        }
    }

    @Test("Only one of many concurrent callers gets a code")
    func contended() async throws {
        try await withService { service, _ in
            let code = LinkCode.random()
            let store = LinkStore(redis: service.redis) { code }
            let winners = await withTaskGroup(of: Link?.self) { group in
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

    @Test("Concurrent uses are all counted")
    func counted() async throws {
        try await withService { service, _ in
            let store = LinkStore(redis: service.redis)
            let link = try await store.create(try LinkAddress("http://example.org/"))
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<1000 { group.addTask { try await store.follow(link.code) } }
                for try await url in group { #expect(url == link.url) }
            }
            #expect(try await store.find(link.code)?.count == 1000)
        }
    }

    @Test("Creating a link fails without a change if no code is free")
    func exhausted() async throws {
        try await withService { service, redis in
            let code = LinkCode.random()
            let store = LinkStore(redis: service.redis) { code }
            _ = try await store.create(try LinkAddress("http://example.org/1"))
            await #expect(throws: LinkStore.NoFreeCode.self) {
                try await store.create(try LinkAddress("http://example.org/2"))
            }
            #expect(try await store.find(code)?.url == "http://example.org/1")
            #expect(try await redis.send("DBSIZE").integer == 1)
        }
    }

    @Test("Random codes are valid, and 10,000 of them differ")
    func random() {
        let codes = (0..<10_000).map { _ in LinkCode.random() }
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { LinkCode($0.text) == $0 })
    }
}
