// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite("Group: places", .timeLimit(.minutes(2)))
struct GroupTests {
    @Test("A connection of a key is used again, and never by another key")
    func reuse() async throws {
        try await withGroup(maxTotal: 4, perKey: 2) { group, server in
            for _ in 0..<3 {
                for key in ["a", "b"] {
                    let tenant = try await group.withConnection(for: key) { $0.tenant }
                    #expect(tenant == key)
                }
            }
            #expect(server.opened("a") == 1)
            #expect(server.opened("b") == 1)
            #expect(group.statistics(for: "a")?.idle == 1)
            #expect(group.statistics(for: "c") == nil)
            #expect(group.statistics.idle == 2)
            #expect(group.statistics.maxSize == 4)
            #expect(Set(group.keys) == ["a", "b"])
        }
    }

    @Test("When the total is used up, a new key gets the place of the connection that has been idle for longest")
    func longestIdle() async throws {
        let clock = ManualClock()
        try await withGroup(maxTotal: 3, perKey: 2) {
            $0.perKey.clock = clock
        } _: { group, server in
            for key in ["a", "b", "c"] {
                try await group.withConnection(for: key) { _ in }
                clock.advance(by: .seconds(1))
            }
            try await group.withConnection(for: "d") { _ in }
            #expect(server.closed == ["a"])
            // The look for "d" has seen that nobody had used "b" and "c" again.
            clock.advance(by: .seconds(1))
            try await group.withConnection(for: "b") { _ in }
            try await group.withConnection(for: "a") { _ in }
            #expect(server.closed == ["a", "c"])
            #expect(group.account(for: "a")?.reclaims == 1)
        }
    }

    @Test("No connection is opened before the close of the connection whose place it gets has ended")
    func closeFirst() async throws {
        try await withGroup(maxTotal: 1, perKey: 1, TenantServer(holdsClosing: true)) { group, server in
            try await group.withConnection(for: "a") { _ in }
            let second = Task { try await group.withConnection(for: "b") { $0.tenant } }
            try await eventually("the connection of a is closing") { server.closing.held == 1 }
            await letOthersRun()
            #expect(server.opened("b") == 0)
            #expect(group.account(for: "b")?.isWaiting == true)
            server.closing.open()
            #expect(try await second.value == "b")
            #expect(server.mostEver == 1)
        }
    }

    @Test("A released connection goes to the waiter of another key when no connection was idle")
    func releaseServesAnotherKey() async throws {
        try await withGroup(maxTotal: 1, perKey: 1) { group, server in
            let lease = try await group.acquire(for: "a")
            let waiter = Task { try await group.withConnection(for: "b") { $0.tenant } }
            try await eventually("b waits for a place") { group.account(for: "b")?.isWaiting == true }
            #expect(server.closed.isEmpty)
            lease.release()
            #expect(try await waiter.value == "b")
            #expect(server.closed == ["a"])
            #expect(group.account(for: "b")?.grants == 1)
        }
    }

    @Test("The place of a connection that did not open goes to the waiter of another key")
    func failureServesAnotherKey() async throws {
        try await withGroup(maxTotal: 1, perKey: 1, TenantServer(holdsOpening: true)) { group, server in
            server.setUp(false)
            let first = Task { try await group.withConnection(for: "a") { _ in } }
            try await eventually("a opens") { server.opening.held == 1 }
            let second = Task { try await group.withConnection(for: "b") { $0.tenant } }
            try await eventually("b waits for a place") { group.account(for: "b")?.isWaiting == true }
            server.opening.letOnePass()
            await #expect(throws: ServerIsDown.self) { try await first.value }
            server.setUp(true)
            server.opening.open()
            #expect(try await second.value == "b")
        }
    }

    @Test("A key whose waiter has left no longer waits for a place, and takes none from others")
    func waiterLeaves() async throws {
        let clock = ManualClock()
        try await withGroup(maxTotal: 1, perKey: 1) {
            $0.perKey.clock = clock
        } _: { group, server in
            let lease = try await group.acquire(for: "a")
            let cancelled = Task { try await group.withConnection(for: "b") { _ in } }
            let late = Task { try await group.withConnection(for: "c", timeout: .seconds(5)) { _ in } }
            try await eventually("both wait") {
                group.account(for: "b")?.isWaiting == true && group.account(for: "c")?.isWaiting == true
            }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            clock.advance(by: .seconds(6))
            let error = await #expect(throws: ConnectionPoolError.self) { try await late.value }
            #expect(error?.code == .acquireTimedOut)
            #expect(error?.poolName == "pool/c")
            #expect(group.account(for: "b")?.isWaiting == false)
            #expect(group.account(for: "c")?.isWaiting == false)
            lease.release()
            await letOthersRun()
            #expect(server.closed.isEmpty)
            #expect(group.statistics(for: "a")?.idle == 1)
        }
    }

    @Test("Each key keeps its own limit, and its waiters are served first come, first served")
    func limitPerKey() async throws {
        try await withGroup(maxTotal: 10, perKey: 1) { group, server in
            let order = Shared<[Int]>([])
            let lease = try await group.acquire(for: "a")
            var waiters: [Task<Void, any Error>] = []
            for number in 0..<5 {
                waiters.append(
                    Task { try await group.withConnection(for: "a") { _ in order.change { $0.append(number) } } }
                )
                try await eventually("it waits") { group.statistics(for: "a")?.waiting == number + 1 }
            }
            #expect(group.account(for: "a")?.isWaiting == false)
            lease.release()
            for waiter in waiters { try await waiter.value }
            #expect(order.value == [0, 1, 2, 3, 4])
            #expect(server.opened("a") == 1)
        }
    }

    @Test("The settings of a key can differ from those of the others")
    func settingsOfKey() async throws {
        try await withGroup(maxTotal: 10, perKey: 1) { _ in
        } settings: { key, settings in
            if key == "large" { settings.configuration.maxSize = 3 }
            if key == "unknown" { throw ServerIsDown() }
            if key == "wrong" { settings.weight = 0 }
        } _: { group, _ in
            var leases: [TenantConnection] = []
            for _ in 0..<3 {
                let lease = try await group.acquire(for: "large")
                leases.append(lease.connection)
            }
            #expect(group.statistics(for: "large")?.maxSize == 3)
            await #expect(throws: ServerIsDown.self) { try await group.withConnection(for: "unknown") { _ in } }
            let error = await #expect(throws: ConnectionPoolError.self) {
                try await group.withConnection(for: "wrong") { _ in }
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(group.keyCount == 1)
        }
    }

    @Test("Settings out of range are refused with an error that names the values")
    func invalid() throws {
        #expect(throws: ConnectionPoolError.self) {
            try TenantGroup(maxTotal: 0, perKey: ConnectionPoolConfiguration(maxSize: 1)) {
                TenantStrategy($0, TenantServer())
            }
        }
        let error = #expect(throws: ConnectionPoolError.self) {
            var configuration = ConnectionPoolGroupConfiguration(maxTotal: 1, perKey: .init(maxSize: 1))
            configuration.leasesPerTurn = 0
            _ = try TenantGroup(configuration: configuration) { TenantStrategy($0, TenantServer()) }
        }
        #expect(error?.message.contains("leasesPerTurn is 0") == true)
    }

    @Test("A shutdown fails the waiters of all keys, waits for leases, and refuses new keys")
    func shutdown() async throws {
        try await withGroup(maxTotal: 1, perKey: 1) { group, server in
            let lease = try await group.acquire(for: "a")
            let waiter = Task { try await group.withConnection(for: "b") { _ in } }
            try await eventually("b waits") { group.account(for: "b")?.isWaiting == true }
            let result = await group.shutdown(drainFor: .zero)
            #expect(!result.isComplete)
            #expect(result.remaining.inUse == 1)
            for key in ["b", "new"] {
                let error = await #expect(throws: ConnectionPoolError.self) {
                    if key == "b" { try await waiter.value } else { try await group.withConnection(for: key) { _ in } }
                }
                #expect(error?.code == .poolShutDown)
            }
            let drained = Task { await group.shutdown() }
            lease.release()
            #expect(await drained.value.isComplete)
            #expect(server.total == 0)
        }
    }

    @Test("A group that is dropped closes its idle connections, and leaves nothing behind")
    func drop() async throws {
        let server = TenantServer()
        do {
            let group = try TenantGroup(maxTotal: 4, perKey: ConnectionPoolConfiguration(maxSize: 2)) {
                TenantStrategy($0, server)
            }
            for key in ["a", "b", "c"] { try await group.withConnection(for: key) { _ in } }
            #expect(server.total == 3)
        }
        try await eventually("all connections are closed") { server.total == 0 }
        try await eventually("all strategies are deallocated") { server.strategies == 0 }
    }
}
