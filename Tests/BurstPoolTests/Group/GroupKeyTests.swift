// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Synchronization
import Testing

@Suite("Group: keys", .timeLimit(.minutes(2)))
struct GroupKeyTests {
    @Test("A key that is not used loses its pool after the timeout, and gets a new one when it comes back")
    func expiry() async throws {
        let clock = ManualClock()
        try await withGroup(maxTotal: 8, perKey: 2) {
            $0.perKey.clock = clock
            $0.keyIdleTimeout = .seconds(80)
        } _: { group, server in
            try await group.withConnection(for: "idle") { _ in }
            let lease = try await group.acquire(for: "held")
            var elapsed = 0
            try await eventually("the idle key has lost its pool") {
                clock.advance(by: .seconds(1))
                elapsed += 1
                // A use in every step keeps a key.
                try? await group.withConnection(for: "used") { _ in }
                return group.keyCount == 2
            }
            #expect(elapsed >= 80)
            try await eventually("its strategy is deallocated") { server.strategies == 2 }
            #expect(server.open("idle") == 0)
            #expect(group.statistics(for: "idle") == nil)
            #expect(lease.connection.tenant == "held")
            try await group.withConnection(for: "idle") { _ in }
            #expect(server.opened("idle") == 2)
            lease.release()
        }
    }

    @Test("A key whose connections were all closed loses its pool after an eighth of the timeout")
    func emptyPool() async throws {
        let clock = ManualClock()
        try await withGroup(maxTotal: 1, perKey: 1) {
            $0.perKey.clock = clock
            $0.keyIdleTimeout = .seconds(80)
        } _: { group, server in
            try await group.withConnection(for: "empty") { _ in }
            try await group.withConnection(for: "idle") { _ in }
            #expect(server.closed == ["empty"])
            var elapsed = 0
            try await eventually("the pool without connections has ended") {
                clock.advance(by: .seconds(1))
                elapsed += 1
                return group.keyCount == 1
            }
            #expect(elapsed >= 10 && elapsed < 70)
            #expect(group.statistics(for: "idle")?.idle == 1)
        }
    }

    @Test("Callers that come with a new key at the same time get one pool")
    func sameNewKey() async throws {
        try await withGroup(maxTotal: 64, perKey: 4) { group, server in
            for round in 0..<50 {
                await withTaskGroup { tasks in
                    for _ in 0..<8 {
                        tasks.addTask { try? await group.withConnection(for: "key \(round)") { await $0.use(1) } }
                    }
                }
                #expect(group.keyCount == round + 1)
                #expect(server.opened("key \(round)") <= 4)
            }
        }
    }

    /// A key whose hash value is the same for all keys.
    private struct BadKey: Hashable, Sendable, CustomStringConvertible {
        let number: Int
        var description: String { "\(number)" }
        func hash(into hasher: inout Hasher) {}
    }

    @Test("Keys with equal hash values have pools of their own, also after some of them have ended")
    func equalHashes() async throws {
        let clock = ManualClock()
        let server = TenantServer()
        var configuration = ConnectionPoolGroupConfiguration(
            maxTotal: 64,
            perKey: ConnectionPoolConfiguration(maxSize: 1)
        )
        configuration.perKey.clock = clock
        configuration.keyIdleTimeout = .seconds(8)
        let group = try ConnectionPoolGroup<BadKey, TenantStrategy>(configuration: configuration) {
            TenantStrategy("\($0)", server)
        }
        for number in 0..<40 {
            let tenant = try await group.withConnection(for: BadKey(number: number)) { $0.tenant }
            #expect(tenant == "\(number)")
        }
        try await eventually("the keys that are not used have ended") {
            clock.advance(by: .milliseconds(100))
            for number in stride(from: 0, to: 40, by: 3) {
                let tenant = try? await group.withConnection(for: BadKey(number: number)) { $0.tenant }
                #expect(tenant == "\(number)")
            }
            return group.keyCount == 14
        }
        for number in 0..<40 {
            let tenant = try await group.withConnection(for: BadKey(number: number)) { $0.tenant }
            #expect(tenant == "\(number)")
        }
        #expect(group.keyCount == 40)
        await group.shutdown()
        #expect(server.total == 0)
    }

    @Test(
        "Texts that are equal are one key, however they are written",
        arguments: [("K", "\u{212A}"), ("a;b", "a\u{37E}b"), ("`", "\u{1FEF}"), ("caf\u{E9}", "cafe\u{301}"), ("", "")]
    )
    func equalTexts(one: String, other: String) async throws {
        #expect(one == other)
        try await withGroup(maxTotal: 8, perKey: 1) { group, server in
            for key in [
                one, other, one + "1", "longer than fifteen bytes " + one, "longer than fifteen bytes " + other,
            ] {
                try await group.withConnection(for: key) { _ in }
            }
            #expect(group.keyCount == 3)
            #expect(group.statistics(for: other)?.idle == 1)
        }
    }

    @Test("Events and errors carry the name of the key")
    func names() async throws {
        final class Names: ConnectionPoolObserver {
            let seen = Mutex<Set<String>>([])
            func connectionPool(named name: String, did event: ConnectionPoolEvent) {
                seen.withLock { _ = $0.insert(name) }
            }
        }
        let names = Names()
        try await withGroup(maxTotal: 4, perKey: 1) {
            $0.perKey.name = "tenants"
            $0.perKey.observer = names
        } _: { group, _ in
            try await group.withConnection(for: "a") { _ in }
            try await group.withConnection(for: "b") { _ in }
            try await eventually("both keys have reported") {
                names.seen.withLock { $0 } == ["tenants/a", "tenants/b"]
            }
            #expect(group.health(for: "a")?.isHealthy == true)
            #expect(group.ailingKeys.isEmpty)
        }
    }
}
