// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventStreamTests {
    private func makePool(_ events: ConnectionPoolEventStream) throws -> ConnectionPool<TestStrategy> {
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.name = "orders"
        configuration.observer = events
        return try ConnectionPool(strategy: TestStrategy(), configuration: configuration)
    }

    private func kinds(_ events: ConnectionPoolEventStream) async -> [String] {
        var kinds: [String] = []
        for await element in events {
            #expect(element.poolName == "orders")
            kinds.append(String("\(element.event)".prefix { $0 != "(" }))
        }
        return kinds
    }

    @Test("The events arrive in order, and the sequence ends after finish()")
    func order() async throws {
        let events = ConnectionPoolEventStream()
        let pool = try makePool(events)
        try await pool.withConnection { $0.use() }
        await pool.shutdown()
        events.finish()
        #expect(await kinds(events) == ["waitBegan", "opened", "acquired", "closed"])
        #expect(events.dropped == 0)
    }

    @Test("Events of leases are part of the sequence if that is asked for")
    func leases() async throws {
        let events = ConnectionPoolEventStream(observesLeases: true)
        let pool = try makePool(events)
        for _ in 0..<2 { try await pool.withConnection { $0.use() } }
        events.finish()
        #expect(
            await kinds(events) == ["waitBegan", "opened", "acquired", "released", "acquired", "released"]
        )
        await pool.shutdown()
    }

    @Test("A full buffer drops the oldest events and counts them")
    func full() async throws {
        let events = ConnectionPoolEventStream(bufferSize: 3, observesLeases: true)
        let pool = try makePool(events)
        for _ in 0..<4 { try await pool.withConnection { $0.use() } }
        events.finish()
        #expect(await kinds(events) == ["released", "acquired", "released"])
        #expect(events.dropped == 7)
        await pool.shutdown()
    }

    @Test("A consumer that is cancelled ends")
    func cancelled() async throws {
        let events = ConnectionPoolEventStream()
        let consumer = Task { for await _ in events {} }
        consumer.cancel()
        await consumer.value
    }
}
