// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Synchronization
import Testing

@testable import BurstPoolDatadog

@Suite("The pool's observer", .timeLimit(.minutes(5)))
struct PoolObserverTests {
    private struct Observed {
        let receiver: DatagramReceiver
        let client: DogStatsDClient
        let clock = ManualClock()
        let strategy: ScriptedStrategy<Int>
        let observer: DatadogConnectionPoolObserver
        let pool: ConnectionPool<ScriptedStrategy<Int>>

        init(
            maxSize: Int,
            burstLimit: Int? = nil,
            countsIdleLeases: Bool = true,
            strategy: ScriptedStrategy<Int> = ScriptedStrategy()
        ) throws {
            receiver = try DatagramReceiver()
            client = try quietClient(to: receiver)
            self.strategy = strategy
            observer = DatadogConnectionPoolObserver(
                client: client,
                service: "orders",
                extraTags: ["region:eu", "tier:1"],
                countsIdleLeases: countsIdleLeases,
                clock: clock
            )
            pool = try ConnectionPool(
                strategy: strategy,
                configuration: ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit),
                datadog: observer
            )
        }

        /// Returns the messages that are sent now, without gauges, which depend on the time of their refresh.
        func takeCountsAndEvents() async -> [String] {
            await client.flush()
            return receiver.takeMessages().filter { !$0.contains("|g|") }.sorted()
        }

        /// Advances the clock until the last sent value of each gauge is the expected one.
        func expectGauges(_ values: (total: Int, available: Int, waiting: Int, used: Int, acquiring: Int)) async throws
        {
            let expected = [
                "orders.pool.available_connections:\(values.available)|g|#region:eu,tier:1",
                "orders.pool.connections_acquiring:\(values.acquiring)|g|#region:eu,tier:1",
                "orders.pool.connections_used:\(values.used)|g|#region:eu,tier:1",
                "orders.pool.total_connections:\(values.total)|g|#region:eu,tier:1",
                "orders.pool.waiting:\(values.waiting)|g|#region:eu,tier:1",
            ]
            var latest: [String: String] = [:]
            for _ in 0..<2_000 {
                clock.advance(by: .milliseconds(100))
                await client.flush()
                for message in receiver.takeMessages() where message.contains("|g|") {
                    latest[String(message.prefix { $0 != ":" })] = message
                }
                if latest.values.sorted() == expected { return }
                await Task.yield()
            }
            #expect(latest.values.sorted() == expected)
        }
    }

    @Test("the last gauges that are sent at a shutdown of the pool and the client show an empty pool")
    func lastGauges() async throws {
        let observed = try Observed(maxSize: 2)
        let lease = try await observed.pool.acquire()
        try await observed.expectGauges((1, 0, 0, 1, 0))
        lease.release()
        await observed.pool.shutdown()
        // Without this call the gauges would be refreshed only after 100 milliseconds.
        observed.observer.refresh()
        await observed.client.shutdown()
        let gauges = observed.receiver.takeMessages().filter { $0.contains("|g|") }
        #expect(gauges.suffix(5).allSatisfy { $0.contains(":0|g|") })
        #expect(Set(gauges.suffix(5).map { $0.prefix { $0 != ":" } }).count == 5)
    }

    private final class SharedStrategy: SharedConnectionStrategy {
        final class Connection: Sendable {}

        func makeConnection() async throws -> Connection { Connection() }
        func connectionIsClosed(_ connection: Connection) -> Bool { false }
        func closeConnection(_ connection: Connection) async throws {}
        func leaseLimit(of connection: Connection) -> Int { 2 }
    }

    @Test("the gauges of a shared pool count connections and leases, and are 0 after a shutdown")
    func sharedPool() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let observer = DatadogConnectionPoolObserver(client: client, service: "orders", clock: ManualClock())
        let pool = try SharedConnectionPool(
            strategy: SharedStrategy(),
            configuration: ConnectionPoolConfiguration(maxSize: 2),
            datadog: observer
        )
        func gauges() async -> [String] {
            observer.refresh()
            await client.flush()
            var latest: [String: String] = [:]
            for message in receiver.takeMessages() where message.hasSuffix("|g") {
                latest[String(message.prefix { $0 != ":" })] = message
            }
            return ["total_connections", "connections_used", "leases_used", "leases_available"].compactMap {
                latest["orders.pool.\($0)"]
            }
        }
        func expected(_ total: Int, _ used: Int, _ leasesUsed: Int, _ leasesAvailable: Int) -> [String] {
            [
                "orders.pool.total_connections:\(total)|g", "orders.pool.connections_used:\(used)|g",
                "orders.pool.leases_used:\(leasesUsed)|g", "orders.pool.leases_available:\(leasesAvailable)|g",
            ]
        }
        let first = try await pool.acquire()
        let second = try await pool.acquire()
        let third = try await pool.acquire()
        #expect(await gauges() == expected(2, 2, 3, 1))
        first.release()
        second.release()
        third.release()
        await pool.shutdown()
        #expect(await gauges() == expected(0, 0, 0, 0))
        await client.shutdown()
    }

    @Test("gauges have the names and values of the Python package, and are 0 after a shutdown")
    func gauges() async throws {
        let gate = Gate()
        let strategy = ScriptedStrategy { $0.open = { if $0 == 3 { await gate.pass() } } }
        let observed = try Observed(maxSize: 2, burstLimit: 3, strategy: strategy)
        let pool = observed.pool
        try await observed.expectGauges((0, 0, 0, 0, 0))
        let first = try await pool.acquire()
        let second = try await pool.acquire()
        try await observed.expectGauges((2, 0, 0, 2, 0))
        let users = [Task { try await pool.withConnection { _ in } }, Task { try await pool.withConnection { _ in } }]
        try await eventually("both callers wait") { pool.statistics.waiting == 2 && gate.held == 1 }
        // One caller waits for the opening connection, the other for a release.
        try await observed.expectGauges((3, 0, 1, 2, 2))
        gate.open()
        for user in users { try await user.value }
        first.release()
        second.release()
        try await observed.expectGauges((2, 2, 0, 0, 0))
        await pool.shutdown()
        try await observed.expectGauges((0, 0, 0, 0, 0))
        await observed.client.shutdown()
    }

    @Test("acquires are counted by their method")
    func methods() async throws {
        let observed = try Observed(maxSize: 1)
        let pool = observed.pool
        try await pool.withConnection { _ in }
        #expect(
            await observed.takeCountsAndEvents()
                == ["orders.pool.getting_connection:1|c|#region:eu,tier:1,method:new"]
        )
        for _ in 0..<3 { try await pool.withConnection { _ in } }
        let lease = try await pool.acquire()
        let waiter = Task { try await pool.withConnection { _ in } }
        try await eventually("one caller waits") { pool.statistics.waiting == 1 }
        lease.release()
        try await waiter.value
        #expect(
            await observed.takeCountsAndEvents() == [
                "orders.pool.getting_connection:1|c|#region:eu,tier:1,method:wait",
                "orders.pool.getting_connection:4|c|#region:eu,tier:1,method:available",
            ]
        )
        await pool.shutdown()
        await observed.client.shutdown()
    }

    @Test("a failed acquire is counted by what it waited for")
    func failures() async throws {
        let strategy = ScriptedStrategy { $0.open = { if $0 == 1 { throw ScriptedError("refused") } } }
        let observed = try Observed(maxSize: 1, strategy: strategy)
        let pool = observed.pool
        await #expect(throws: ScriptedError.self) { try await pool.withConnection { _ in } }
        #expect(
            await observed.takeCountsAndEvents()
                == ["orders.pool.getting_connection:1|c|#region:eu,tier:1,method:new"]
        )
        let lease = try await pool.acquire()
        await #expect(throws: ConnectionPoolError.self) {
            try await pool.withConnection(timeout: .milliseconds(1)) { _ in }
        }
        #expect(
            await observed.takeCountsAndEvents() == [
                "orders.pool.getting_connection:1|c|#region:eu,tier:1,method:new",
                "orders.pool.getting_connection:1|c|#region:eu,tier:1,method:wait",
            ]
        )
        lease.release()
        await pool.shutdown()
        await observed.client.shutdown()
    }

    @Test(
        "leases of idle connections are counted exactly once, despite concurrent flushes and a shutdown",
        .timeLimit(.minutes(1))
    )
    func idleLeases() async throws {
        let observed = try Observed(maxSize: 4)
        let pool = observed.pool
        let client = observed.client
        var counted = 0
        func take() {
            for message in observed.receiver.takeMessages() where message.contains("getting_connection") {
                counted += Int(message.split(separator: ":")[1].prefix { $0.isNumber }) ?? 0
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<1_000 {
                        try await pool.withConnection { _ in }
                        if number % 100 == 0 { await client.flush() }
                    }
                }
            }
            try await group.waitForAll()
        }
        await pool.shutdown()
        await observed.client.shutdown()
        take()
        // The sum includes callers for which a connection was opened, and callers that waited briefly.
        #expect(counted == 4_000)
    }

    @Test("leases of a pool that is dropped without a shutdown are counted")
    func dropped() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let observer = DatadogConnectionPoolObserver(client: client, service: "orders", clock: ManualClock())
        var pool: ConnectionPool<ScriptedStrategy<Int>>? = try ConnectionPool(
            strategy: ScriptedStrategy(),
            configuration: ConnectionPoolConfiguration(maxSize: 1),
            datadog: observer
        )
        for _ in 0..<5 { try await pool?.withConnection { _ in } }
        pool = nil
        await client.shutdown()
        #expect(receiver.takeMessages().contains("orders.pool.getting_connection:4|c|#method:available"))
    }

    @Test("leases are counted once although the pool is observed twice")
    func observedTwice() async throws {
        let observed = try Observed(maxSize: 1)
        for _ in 0..<5 { try await observed.pool.withConnection { _ in } }
        observed.observer.observe(observed.pool)
        for _ in 0..<5 { try await observed.pool.withConnection { _ in } }
        #expect(
            await observed.takeCountsAndEvents() == [
                "orders.pool.getting_connection:1|c|#region:eu,tier:1,method:new",
                "orders.pool.getting_connection:9|c|#region:eu,tier:1,method:available",
            ]
        )
        await observed.pool.shutdown()
        await observed.client.shutdown()
    }

    @Test("leases of idle connections are counted by default, and not if turned off")
    func noIdleLeases() async throws {
        let observed = try Observed(maxSize: 1, countsIdleLeases: false)
        #expect(!observed.observer.countsIdleLeases)
        #expect(DatadogConnectionPoolObserver(client: observed.client, service: "orders").countsIdleLeases)
        for _ in 0..<10 { try await observed.pool.withConnection { _ in } }
        #expect(
            await observed.takeCountsAndEvents()
                == ["orders.pool.getting_connection:1|c|#region:eu,tier:1,method:new"]
        )
        await observed.pool.shutdown()
        await observed.client.shutdown()
    }

    @Test("a burst sends three events: its beginning, the limit once, and its end")
    func burst() async throws {
        let observed = try Observed(maxSize: 1, burstLimit: 2, countsIdleLeases: false)
        let pool = observed.pool
        let first = try await pool.acquire()
        #expect(await observed.takeCountsAndEvents().allSatisfy { !$0.hasPrefix("_e") })
        let second = try await pool.acquire()
        func events() async -> [String] { await observed.takeCountsAndEvents().filter { $0.hasPrefix("_e") } }
        for _ in 0..<2 {
            let waiter = Task { try await pool.withConnection { _ in } }
            try await eventually("one caller waits") { pool.statistics.waiting == 1 }
            waiter.cancel()
            _ = await waiter.result
        }
        #expect(
            await events() == [
                "_e{31,70}:orders pool reached burst limit|The pool has 2 connections and may not open more. "
                    + "Callers are waiting.|t:error|#region:eu,tier:1",
                "_e{32,61}:orders pool using burst capacity|The pool temporarily exceeds its maximum size of 1 (up to 2)."
                    + "|t:warning|#region:eu,tier:1",
            ]
        )
        second.release()
        try await eventually("the excess connection is closed") { pool.statistics.total == 1 }
        var ended: [String] = []
        for _ in 0..<1_000 where ended.isEmpty {
            ended = await events()
            await Task.yield()
        }
        #expect(
            ended == [
                "_e{30,49}:orders pool no longer bursting|The pool no longer exceeds its maximum size of 1."
                    + "|t:success|#region:eu,tier:1"
            ]
        )
        first.release()
        await pool.shutdown()
        await observed.client.shutdown()
    }

    @Test("a pool without a burst limit sends no event about it")
    func noBurstLimit() async throws {
        let observed = try Observed(maxSize: 1, countsIdleLeases: false)
        let pool = observed.pool
        let lease = try await pool.acquire()
        let waiter = Task { try await pool.withConnection { _ in } }
        try await eventually("one caller waits") { pool.statistics.waiting == 1 }
        lease.release()
        try await waiter.value
        #expect(await observed.takeCountsAndEvents().allSatisfy { !$0.hasPrefix("_e") })
        await pool.shutdown()
        await observed.client.shutdown()
    }

    @Test("gauges are sent every minute even if nothing happens")
    func everyMinute() async throws {
        let observed = try Observed(maxSize: 1)
        try await observed.expectGauges((0, 0, 0, 0, 0))
        // Every requested refresh is done, and only the periodic refresh is left.
        try await eventually("one task sleeps") {
            if observed.clock.sleepers > 1 { observed.clock.advance(by: .milliseconds(100)) }
            return observed.clock.sleepers == 1
        }
        _ = await observed.takeCountsAndEvents()
        observed.clock.advance(by: .seconds(60))
        var messages: [String] = []
        for _ in 0..<1_000 where messages.isEmpty {
            await observed.client.flush()
            messages = observed.receiver.takeMessages()
            await Task.yield()
        }
        #expect(
            messages == [
                "orders.pool.total_connections:0|g|#region:eu,tier:1",
                "orders.pool.available_connections:0|g|#region:eu,tier:1",
                "orders.pool.waiting:0|g|#region:eu,tier:1",
                "orders.pool.connections_used:0|g|#region:eu,tier:1",
                "orders.pool.connections_acquiring:0|g|#region:eu,tier:1",
            ]
        )
        await observed.pool.shutdown()
        await observed.client.shutdown()
    }
}
