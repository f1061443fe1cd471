import BurstPool
import Testing

@Suite("Several observers", .timeLimit(.minutes(5)))
struct CombinedObserverTests {
    private func run(_ observers: [EventRecorder]) async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.observer = CombinedConnectionPoolObserver(observers)
        let pool = try ConnectionPool(strategy: ScriptedStrategy(), configuration: configuration)
        try await pool.withConnection { _ in }
        try await pool.withConnection { _ in }
        await pool.shutdown()
    }

    @Test("each is told of everything, in the same order")
    func everybody() async throws {
        let observers = [EventRecorder(), EventRecorder()]
        try await run(observers)
        #expect(observers[0].events.map { "\($0)" } == observers[1].events.map { "\($0)" })
        #expect(!observers[0].events.isEmpty)
        #expect(!CombinedConnectionPoolObserver(observers).observesLeases)
    }

    @Test("only those who want to know of leases are told of them")
    func leases() async throws {
        let observers = [EventRecorder(observesLeases: false), EventRecorder(observesLeases: true)]
        #expect(CombinedConnectionPoolObserver(observers).observesLeases)
        try await run(observers)
        let ofLeases = observers.map { observer in
            observer.events.filter {
                switch $0 {
                case .acquired(.idle, _, _), .released: true
                default: false
                }
            }.count
        }
        // The first lease is of a connection that was opened for it; the second one of an idle one.
        #expect(ofLeases == [0, 3])
        #expect(observers[1].events.count == observers[0].events.count + 3)
    }

    @Test("none at all is allowed")
    func none() async throws {
        #expect(!CombinedConnectionPoolObserver([]).observesLeases)
        try await run([])
    }
}
