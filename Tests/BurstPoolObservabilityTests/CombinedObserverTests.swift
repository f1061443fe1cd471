// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Testing

@Suite("Combined observers", .timeLimit(.minutes(5)))
struct CombinedObserverTests {
    private func run(_ observers: [EventRecorder]) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.observer = CombinedConnectionPoolObserver(observers)
        let pool = try ConnectionPool(strategy: ScriptedStrategy(), configuration: configuration)
        try await pool.withConnection { _ in }
        try await pool.withConnection { _ in }
        await pool.shutdown()
    }

    @Test("every observer receives the same events in the same order")
    func sameEvents() async throws {
        let observers = [EventRecorder(), EventRecorder()]
        try await run(observers)
        #expect(observers[0].events.map { "\($0)" } == observers[1].events.map { "\($0)" })
        #expect(!observers[0].events.isEmpty)
        #expect(!CombinedConnectionPoolObserver(observers).observesLeases)
    }

    @Test("only observers that observe leases receive events about leases")
    func leases() async throws {
        let observers = [EventRecorder(observesLeases: false), EventRecorder(observesLeases: true)]
        #expect(CombinedConnectionPoolObserver(observers).observesLeases)
        try await run(observers)
        let leaseEvents = observers.map { observer in
            observer.events.filter {
                switch $0 {
                case .acquired(.idle, _, _), .released: true
                default: false
                }
            }.count
        }
        // The first lease opens a connection, and the second one finds it idle.
        #expect(leaseEvents == [0, 3])
        #expect(observers[1].events.count == observers[0].events.count + 3)
    }

    @Test("an empty list of observers is allowed")
    func none() async throws {
        #expect(!CombinedConnectionPoolObserver([]).observesLeases)
        try await run([])
    }
}
